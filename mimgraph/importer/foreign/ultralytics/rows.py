"""Read the rows of backbone and head: `[from, repeats, module, arguments]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

from mimgraph.importer.foreign.located import Located, refuse
from mimgraph.source import Span

MOST_ROWS = 1_000
MOST_REPEATS = 1_000
MOST_SOURCES = 64


class Row(NamedTuple):
    """One module: the rows that it reads (-1 is the image), how often it stands there, its name and its
    arguments, in which the names of settings are replaced by their values."""

    number: int
    sources: list[int]
    takes_list: bool
    repeats: int
    module: str
    arguments: list[Any]
    span: Span
    module_span: Span
    arguments_span: Span


def read_rows(data: Located, names: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows in order."""
    form = "a list of rows [from, repeats, module, arguments]"
    parts = [data.need(part, tuple, form) for part in ("backbone", "head")]
    rows = [row for part in parts for row in part.items]
    if len(rows) > MOST_ROWS:
        refuse("too-large", f"more than {MOST_ROWS:,} rows", rows[MOST_ROWS].span)
    if not rows:
        refuse("wrong-type", "a model needs at least one row", data.span)
    for index, row in enumerate(rows):
        yield _row(index, row, names)


def _row(index: int, row: Located, names: dict[str, Any]) -> Row:
    form = "a row must be [from, repeats, module, arguments]"
    row.of(tuple, form)
    if len(row.value) != 4:
        refuse("wrong-type", form, row.span)
    sources, repeats, module, arguments = row.items
    repeats.of(int, "the repeats of a row must be a whole number")
    if not 1 <= repeats.value <= MOST_REPEATS:
        refuse("bad-option", f"the repeats of a row must be 1 to {MOST_REPEATS:,}", repeats.span)
    module.of(str, "the module of a row must be a name")
    arguments.of(tuple, "the arguments of a row must be a list")
    given = [_resolved(argument.plain(), names) for argument in arguments.items]
    several = isinstance(sources.value, tuple)
    listed = list(sources.items) if several else [sources]
    if not 1 <= len(listed) <= MOST_SOURCES:
        refuse("wrong-arity", f"a row reads 1 to {MOST_SOURCES} rows", sources.span)
    return Row(
        index,
        [_source(index, source) for source in listed],
        several,
        repeats.value,
        module.value,
        given,
        *(row.span, module.span, arguments.span),
    )


def _source(index: int, source: Located) -> int:
    """Return the row that is read, -1 for the image."""
    number = source.of(int, "a row is read by its number").value
    if number == -1:
        return index - 1
    row = number if number >= 0 else index + number
    if not 0 <= row < index:
        refuse(
            "unknown-source",
            f"row {index} cannot read row {number}, only rows above it",
            source.span,
        )
    return int(row)


def _resolved(value: Any, names: dict[str, Any]) -> Any:
    """Return an argument: a name of a setting by its value, a text that is a number or None as that."""
    if not isinstance(value, str):
        return value
    if value in names:
        return names[value]
    if len(value) > 64:
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
