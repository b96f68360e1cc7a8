"""A summary as text: columns as wide as a terminal, and the facts below."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from mimgraph.summary.contents import Contents
from mimgraph.summary.facts import facts
from mimgraph.summary.table import FROM, LAYER, MACS, NAME, PARAMS, SHAPE, TITLES, Line, lines

NARROWEST = 40
_LEAST = 10  # characters of a column that is cut
_WAYS = (  # ever narrower: the columns that are left out, and those that are cut
    ((), (FROM,)),
    ((FROM,), (LAYER, SHAPE)),
    ((FROM, MACS), (LAYER, SHAPE, NAME)),
    ((FROM, MACS, SHAPE), (LAYER, NAME)),
)


def text(summary: Contents, width: int) -> str:
    """The table in columns, then the facts; no line is wider, down to 40 characters."""
    width = max(width, NARROWEST)
    below = (
        line
        for title, told in facts(summary)
        for line in wrap(f"{title}: {told}", width, subsequent_indent="  ", break_on_hyphens=False)
    )
    table = _aligned(list(lines(summary.rows, summary.depth)), width)
    return "\n".join([_cut(summary.name, width), "", *table, "", *below])


def _aligned(lines: list[Line], width: int) -> Iterator[str]:
    """The lines in columns, numbers at the right."""
    widths = _widths(lines, width)
    for number, line in enumerate((TITLES, *lines)):
        cells = [
            line[i].rjust(space) if i in (PARAMS, MACS) else _cut(line[i], space).ljust(space)
            for i, space in widths.items()
        ]
        yield "  ".join(cells).rstrip()
        if number == 0:
            yield "  ".join("-" * space for space in widths.values())


def _widths(lines: list[Line], width: int) -> dict[int, int]:
    """The width of each column that is shown; a number is whole or not there."""
    whole = {i: max(map(len, column)) for i, column in enumerate(zip(TITLES, *lines, strict=True))}
    for gone, cut in _WAYS:
        widths = {i: space for i, space in whole.items() if i not in gone}
        room = width - sum(widths.values()) - 2 * (len(widths) - 1)
        for column in cut:
            given = min(max(-room, 0), max(widths[column] - _LEAST, 0))
            widths[column] -= given
            room += given
        if room >= 0:
            break
    return widths


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
