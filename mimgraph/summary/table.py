"""The cells of a table: a line for each row of a summary, what is inside as the branches of a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from mimgraph.summary.contents import Row
from mimgraph.summary.numbers import macs

Line: TypeAlias = tuple[str, ...]
TITLES: Line = ("Name", "Layer", "Output shape", "Params", "MACs", "From")
NAME, LAYER, SHAPE, PARAMS, MACS, FROM = range(len(TITLES))


def lines(rows: Iterable[Row], depth: int | None, above: str | None = None) -> Iterator[Line]:
    """A line for each row, what is inside below it as the branches of a tree, so deep."""
    every = list(rows)
    for index, row in enumerate(every):
        is_last = index == len(every) - 1
        branch, further = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        branch, further = ("", "") if above is None else (above + branch, above + further)
        last = int(row.name) + row.times - 1 if row.times > 1 else 0
        name = f"{row.name} to {last}" if last else row.name
        yield (
            branch + name,
            f"{row.text}, {row.only}" if row.only else row.text,
            row.shape if row.dtype == "float32" else f"{row.shape} {row.dtype}",
            f"{row.total.params:,}" if row.total.params else "-",
            macs(row.total),
            ", ".join(row.sources),
        )
        if depth != 0:
            yield from lines(_inside(row), None if depth is None else depth - 1, further)


def _inside(row: Row) -> tuple[Row, ...]:
    """What is shown below a row; how often equal repeats are there it says itself."""
    children = row.children
    return children[0].children if len(children) == 1 and children[0].times > 1 else children


def tells_one_of_several(rows: Iterable[Row], depth: int | None) -> bool:
    """Whether there are lines below a row that counts more than these do."""
    if depth == 0:
        return False
    further = None if depth is None else depth - 1
    for row in rows:
        inside = _inside(row)
        several = row.times > 1 or row.loops > 1 or inside is not row.children
        if (inside and several) or tells_one_of_several(inside, further):
            return True
    return False
