"""Write the table of a summary for a terminal: as wide as that, in short numbers, in color if wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mimgraph.cost.cost import PARAM_BYTES
from mimgraph.summary.numbers import macs, memory, short
from mimgraph.summary.rows import Contents
from mimgraph.summary.table import (
    MACS,
    NAME,
    PARAMS,
    TITLES,
    Fact,
    Line,
    lines,
    remarks,
)
from mimgraph.support.columns import (
    GAP,
    NAMES,
    SIZES,
    WORDS,
    fitting,
    row_lines,
    shrunk,
    titled,
)
from mimgraph.support.terminal import BOLD, DIM, NARROWEST, Paint, padded, painter, shortened

LONGEST_NUMBER = 10  # characters; MACs that are longer are formulas of named sizes
_NUMBERS = (PARAMS, MACS)
# the columns that a narrow table leaves out, and where the lines of its cells may break; the first that fits
_FITS = (((), WORDS), ((MACS,), WORDS), (_NUMBERS, WORDS), (_NUMBERS, NAMES), (_NUMBERS, SIZES))
_TREE = "│├└─ "


def text(summary: Contents, width: int, color: bool = False) -> str:
    """Return the table in columns, then what holds for the whole, with lines of at most `width`
    characters."""
    width, paint = max(width, NARROWEST), painter(color)
    rows = list(lines(summary.rows, summary.depth, short))
    widths = _widths(rows, width)
    table = _table(rows, widths, paint)
    facts = [*_left_out(widths), *_facts(summary)]
    below = (line for fact in facts for line in titled(str(fact), width, paint))
    return "\n".join([paint(BOLD, shortened(summary.name, width)), "", *table, "", *below])


def _table(rows: Sequence[Line], widths: dict[int, int], paint: Paint) -> Iterator[str]:
    """Yield the lines of the titles, a rule and the rows; numbers are right-aligned."""
    yield from (paint(BOLD, line) for line in _row_lines(Line(TITLES), widths, painter(False)))
    yield paint(DIM, GAP.join("─" * space for space in widths.values()))
    for row in rows:
        yield from _row_lines(row, widths, paint)


def _widths(rows: Sequence[Line], width: int) -> dict[int, int]:
    """Return the width of each column that is shown."""
    columns = dict(enumerate(zip(TITLES, *(row.cells for row in rows), strict=True)))
    if widths := fitting(columns, width, whole=columns):
        return widths
    has_formulas = max(map(len, columns[MACS])) > LONGEST_NUMBER
    for gone, level in _FITS[has_formulas:]:
        shown = {i: cells for i, cells in columns.items() if i not in gone}
        if widths := fitting(shown, width, whole=(NAME, *_NUMBERS), level=level):
            return widths
    return shrunk(shown, width)


def _row_lines(row: Line, widths: dict[int, int], paint: Paint) -> Iterator[str]:
    """Yield a row as one or more lines; the lines of the tree go on below its name."""
    name, *cells = row.cells
    room = widths[NAME]
    every = row_lines([shortened(name, room), *cells], widths, _NUMBERS)
    for number, (first, *others) in enumerate(every):
        shown = padded(shortened(row.below, room), room) if number else first
        tree = shown[: len(shown) - len(shown.lstrip(_TREE))].rstrip()
        yield GAP.join([paint(DIM, tree) + shown.removeprefix(tree), *others]).rstrip()


def _left_out(widths: dict[int, int]) -> Iterator[Fact]:
    """Yield which columns are left out, if any."""
    if gone := [title for i, title in enumerate(TITLES) if i not in widths]:
        yield Fact("Left out", f"{' and '.join(gone)}, as the terminal is too narrow")


def _facts(summary: Contents) -> Iterator[Fact]:
    """Yield the outputs, the remarks, and the totals in one line; the rows show the inputs."""
    outputs = (f"{name} {shape}" for name, shape in summary.outputs.items())
    yield Fact("Outputs", ", ".join(outputs))
    yield from remarks(summary, short)
    yield _total(summary)


def total_text(summary: Contents, width: int, color: bool = False) -> str:
    """Return the totals in one line, or more if they are wider."""
    return "\n".join(titled(str(_total(summary)), width, painter(color)))


def _total(summary: Contents) -> Fact:
    """Return the parameters, and the cost of a forward."""
    total = summary.total
    frozen = f"{short(total.frozen)} frozen, " if total.frozen else ""
    bytes = memory(total.params * PARAM_BYTES)
    per = "per sample" if summary.batch is None else f"at batch {summary.batch:,}"
    work = macs(total, short) if total.macs or total.uncounted else "0"
    return Fact(
        "Total",
        f"{short(total.params)} parameters ({frozen}{bytes}), {work} MACs, "
        f"{memory(total.activations)} of activations {per}",
    )
