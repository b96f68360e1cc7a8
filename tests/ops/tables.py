"""Reads the tables of `cases/`: a call of an op in each row, a family of ops under each heading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mimgraph.ir.dim import symbol
from mimgraph.ir.types import TensorType
from tests.ops.layers.oracle import Case, operation, runs_here

CASES = Path(__file__).parent / "cases"
SOURCE = re.compile(r"(?:(\w+): )?(\(.*?\))((?: [a-z]\w*)*)(?: of (\d+))?(?:; |$)")


class Row(NamedTuple):
    """The cells of a row: the op, its sources, its options, and what else the table says."""

    op: str
    sources: str
    options: str
    rest: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.op}({self.sources}; {self.options})"

    def case(self) -> Case:
        return Case(self.op, sources(self.op, self.sources), options(self.options))


def read(table: str) -> dict[str, list[Row]]:
    """Return the rows of a table by the heading above them."""
    found: dict[str, list[Row]] = {}
    for line in (CASES / table).read_text().splitlines():
        if line.startswith("## "):
            rows = found[line.removeprefix("## ")] = []
        elif line.startswith("| ") and not line.startswith(("| op |", "| --- |")):
            op, sources, options, *rest = (cell.strip() for cell in line.split("|")[1:-1])
            rows.append(Row(op, sources, options, tuple(rest)))
    return found


def cases(table: str) -> dict[str, list[Case]]:
    """Return the calls of a table by their op, without those that the installed torch cannot make."""
    found: dict[str, list[Case]] = {}
    for case in (row.case() for rows in read(table).values() for row in rows):
        if runs_here(case):
            found.setdefault(case.layer, []).append(case)
    return found


def sources(op: str, text: str) -> Mapping[str, TensorType]:
    """Return the types in `(N, 5, T)`, `(N, 5) int64 of 7; (4)`, or `query: (N, 5, 6)` by key.

    The numbers of `(N, 5) int64 of 7` are below 7. Names are those in the text, else the op's own.
    """
    found = [match.groups() for match in SOURCE.finditer(text)]
    assert "".join(match[0] for match in SOURCE.finditer(text)) == text, text
    names = operation(op).inputs.names or [str(index) for index in range(len(found))]
    return {
        name or own: type_of(shape, dtype.strip() or "float32", vocab)
        for own, (name, shape, dtype, vocab) in zip(names, found, strict=False)
    }


def type_of(shape: str, dtype: str, vocab: str | None) -> TensorType:
    dims = tuple(
        int(size) if size.isdecimal() else symbol(size) for size in re.findall(r"\w+", shape)
    )
    return TensorType(dims, dtype, int(vocab) if vocab else None, batched=False)


def options(text: str) -> dict[str, Any]:
    """Return options in YAML, with tuples for lists and a size for `$T`."""
    found = yaml.load(f"{{{text}}}", yaml.CSafeLoader)
    return {key: value_of(value) for key, value in found.items()}


def value_of(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(value_of, value))
    if isinstance(value, str) and value.startswith("$"):
        return symbol(value.removeprefix("$"))
    return value
