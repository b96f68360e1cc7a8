"""Make the cells of the table of a summary, a tree of rows, and the facts of the whole below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mimgraph.cost.cost import PARAM_BYTES, how_to_count
from mimgraph.ir.amount import Amount
from mimgraph.summary.numbers import Count, limits_text, macs, memory, number
from mimgraph.summary.rows import Contents, Row, noted

TITLES = ("Name", "Layer", "Output shape", "Weights", "MACs", "From")
NAME, LAYER, SHAPE, PARAMS, MACS, FROM = range(len(TITLES))


class Line(NamedTuple):
    """The cells of a row, and what goes on below its name if it takes several lines: `│  │`."""

    cells: tuple[str, ...]
    below: str = ""


class Fact(NamedTuple):
    """A line below the table."""

    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.title}: {self.text}"


def facts(summary: Contents) -> Iterator[Fact]:
    """Yield the facts of the whole in exact numbers: totals, inputs, outputs and remarks."""
    total = summary.total
    params = [f"{total.params - total.frozen:,} trainable", f"{total.frozen:,} frozen"]
    if not total.frozen:
        params = ["all trainable"] if total.params else []
    params.append(memory(Amount([total.params, PARAM_BYTES])))
    buffers = f", buffers: {total.buffers:,}" if total.buffers else ""
    yield Fact("Parameters", f"{total.params:,} ({', '.join(params)}){buffers}")
    per = "per sample" if summary.batch is None else f"at batch {summary.batch:,}"
    flops = "" if total.uncounted else f" ({number(total.macs * 2)} FLOPs)"
    done = macs(total, number) if total.macs or total.uncounted else "0"
    yield Fact("MACs", f"{done} {per}{flops}")
    yield Fact("Activations", f"{memory(total.activations)} {per}")
    inputs = (row for row in summary.rows if row.layer == "Input")
    given = (f"{row.name} {row.shape} {row.dtype}{noted(row.only)}" for row in inputs)
    yield Fact("Inputs", ", ".join(given))
    outputs = (f"{name} {shape}" for name, shape in summary.outputs.items())
    yield Fact("Outputs", ", ".join(outputs))
    yield from remarks(summary, number)


def remarks(summary: Contents, count: Count) -> Iterator[Fact]:
    """Yield what training adds, which MACs are not known, how repeats are counted, and constraints."""
    total, training = summary.total, summary.training
    if training.activations or training.macs or training.uncounted:
        more = f"{macs(training, count)} MACs, {memory(training.activations)} of activations"
        yield Fact("In training also", more)
    if unknown := sorted(total.uncounted | training.uncounted):
        names = ", ".join(unknown)
        how = how_to_count(unknown)
        yield Fact("?", f"the MACs of {names} are not known{'; ' if how else ''}{how}")
    if has_rows_of_one_repeat(summary.rows, summary.depth):
        yield Fact(
            "× n",
            "the row counts all n repeats; rows inside it count one, or the repeats that they number",
        )
    if summary.limits:
        yield Fact("Limits", limits_text(summary.limits, summary.limit_sizes))
    if summary.constraints:
        yield Fact("At run time", ", ".join(summary.constraints))


def lines(
    rows: Iterable[Row], depth: int | None, count: Count, above: str | None = None
) -> Iterator[Line]:
    """Yield the cells of each row, and below it of the rows inside it as a tree, down to `depth`;
    `count` writes the numbers."""
    every = list(rows)
    for index, row in enumerate(every):
        is_last = index == len(every) - 1
        branch, further = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        branch, further = ("", "") if above is None else (above + branch, above + further)
        last = int(row.name) + row.times - 1 if row.times > 1 else 0
        name = f"{row.name} to {last}" if last else row.name
        inside = () if depth == 0 else _inside(row)
        cells = (
            branch + name,
            f"{row.text}, {row.only}" if row.only else row.text,
            row.shape if row.dtype == "float32" else f"{row.shape} {row.dtype}",
            count(row.total.params) if row.total.params else "-",
            macs(row.total, count),
            ", ".join(row.sources),
        )
        yield Line(cells, f"{further}│" if inside else further)
        yield from lines(inside, None if depth is None else depth - 1, count, further)


def _inside(row: Row) -> tuple[Row, ...]:
    """Return the rows to show inside a row; one row for all repeats is left out, as the outer row has
    their number."""
    children = row.children
    return children[0].children if len(children) == 1 and children[0].times > 1 else children


def has_rows_of_one_repeat(rows: Iterable[Row], depth: int | None) -> bool:
    """Return whether some row counts several repeats while the rows shown inside it count one."""
    if depth == 0:
        return False
    further = None if depth is None else depth - 1
    for row in rows:
        inside = _inside(row)
        several = row.times > 1 or row.loops != 1 or inside is not row.children
        if (inside and several) or has_rows_of_one_repeat(inside, further):
            return True
    return False
