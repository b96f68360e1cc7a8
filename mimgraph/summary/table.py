"""Write the table of a summary as text, Markdown and HTML: a tree of rows, then facts of the whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from textwrap import wrap
from typing import NamedTuple, TypeAlias

from mimgraph.cost.cost import PARAM_BYTES
from mimgraph.ir.dims.amount import Amount
from mimgraph.summary.numbers import macs, memory, number
from mimgraph.summary.rows import Contents, Row, noted

Line: TypeAlias = tuple[str, ...]
TITLES: Line = ("Name", "Layer", "Output shape", "Params", "MACs", "From")
NAME, LAYER, SHAPE, PARAMS, MACS, FROM = range(len(TITLES))

NARROWEST = 40  # characters of a table, even if the terminal has fewer
_LEAST = 10  # characters that are left of a column that is cut
_FITS = (  # from wide to narrow: the columns that are left out, and those that are cut
    ((), (FROM,)),
    ((FROM,), (LAYER, SHAPE)),
    ((FROM, MACS), (LAYER, SHAPE, NAME)),
    ((FROM, MACS, SHAPE), (LAYER, NAME)),
)


def text(summary: Contents, width: int) -> str:
    """Return the table in columns, then the facts, with lines of at most `width` characters."""
    width = max(width, NARROWEST)
    below = (
        line
        for title, fact in facts(summary)
        for line in wrap(f"{title}: {fact}", width, subsequent_indent="  ", break_on_hyphens=False)
    )
    table = _aligned(list(lines(summary.rows, summary.depth)), width)
    return "\n".join([_cut(summary.name, width), "", *table, "", *below])


def _aligned(lines: list[Line], width: int) -> Iterator[str]:
    """Yield the lines in columns, numbers right-aligned."""
    widths = _widths(lines, width)
    for index, line in enumerate((TITLES, *lines)):
        cells = [
            line[i].rjust(space) if i in (PARAMS, MACS) else _cut(line[i], space).ljust(space)
            for i, space in widths.items()
        ]
        yield "  ".join(cells).rstrip()
        if index == 0:
            yield "  ".join("-" * space for space in widths.values())


def _widths(lines: list[Line], width: int) -> dict[int, int]:
    """Return the width of each column to show; columns of numbers are never cut."""
    whole = {i: max(map(len, column)) for i, column in enumerate(zip(TITLES, *lines, strict=True))}
    for gone, cut in _FITS:
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


def markdown(summary: Contents) -> str:
    """Return the table as Markdown, for a pull request."""
    rule = ["--:" if i in (PARAMS, MACS) else "---" for i in range(len(TITLES))]
    rows = [
        [_marked(cell, i) for i, cell in enumerate(line)]
        for line in lines(summary.rows, summary.depth)
    ]
    table = (TITLES, rule, *rows)
    below = (f"- **{title}**: {_escaped(text)}" for title, text in facts(summary))
    title = f"**{_escaped(summary.name)}**"
    return "\n".join([title, "", *(f"| {' | '.join(row)} |" for row in table), "", *below])


def _marked(text: str, column: int) -> str:
    """Return a cell; spaces are kept in names, as they indent the tree."""
    return _escaped(text.replace(" ", "\N{NO-BREAK SPACE}") if column == NAME else text)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~#&$])", r"\\\1", text)


def html(summary: Contents) -> str:
    """Return the table as HTML, for a notebook."""
    head = "".join(f"<th style='text-align:left'>{title}</th>" for title in TITLES)
    body_lines = (
        "".join(_cell(cell, i) for i, cell in enumerate(line))
        for line in lines(summary.rows, summary.depth)
    )
    body = "".join(f"<tr>{line}</tr>\n" for line in body_lines)
    below = "<br>\n".join(
        f"<b>{escape(title)}</b>: {escape(text)}" for title, text in facts(summary)
    )
    return (
        f"<b>{escape(summary.name)}</b>\n<table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n<p>{below}</p>"
    )


def _cell(text: str, column: int) -> str:
    align = "right" if column in (PARAMS, MACS) else "left"
    style = f"text-align:{align};white-space:pre"
    if column == NAME:
        style += ";font-family:monospace"
    return f"<td style='{style}'>{escape(text)}</td>"


class Fact(NamedTuple):
    """A line below the table."""

    title: str
    text: str


def facts(summary: Contents) -> Iterator[Fact]:
    """Yield the facts of the whole: totals, inputs, outputs and constraints."""
    total, training = summary.total, summary.training
    params = [f"{total.params - total.frozen:,} trainable", f"{total.frozen:,} frozen"]
    if not total.frozen:
        params = ["all trainable"] if total.params else []
    params.append(memory(Amount([total.params, PARAM_BYTES])))
    buffers = f", buffers: {total.buffers:,}" if total.buffers else ""
    yield Fact("Parameters", f"{total.params:,} ({', '.join(params)}){buffers}")
    per = "per sample" if summary.batch is None else f"at batch {summary.batch:,}"
    flops = "" if total.uncounted else f" ({number(total.macs * 2)} FLOPs)"
    done = macs(total) if total.macs or total.uncounted else "0"
    yield Fact("MACs", f"{done} {per}{flops}")
    yield Fact("Activations", f"{memory(total.activations)} {per}")
    if training.activations or training.macs or training.uncounted:
        more = f"{macs(training)} MACs, {memory(training.activations)} of activations"
        yield Fact("In training also", more)
    if unknown := sorted(total.uncounted | training.uncounted):
        names = ", ".join(unknown)
        how = f"mg.register({unknown[0]}, macs=...)"
        yield Fact("?", f"the MACs of {names} are not known; {how} sets them")
    if has_rows_of_one_repeat(summary.rows, summary.depth):
        yield Fact(
            "× n",
            "the row counts all n repeats; rows inside it count one, or the repeats that they number",
        )
    inputs = (row for row in summary.rows if row.layer == "Input")
    given = (f"{row.name} {row.shape} {row.dtype}{noted(row.only)}" for row in inputs)
    yield Fact("Inputs", ", ".join(given))
    outputs = (f"{name} {shape}" for name, shape in summary.outputs.items())
    yield Fact("Outputs", ", ".join(outputs))
    if summary.constraints:
        yield Fact("At run time", ", ".join(summary.constraints))


def lines(rows: Iterable[Row], depth: int | None, above: str | None = None) -> Iterator[Line]:
    """Yield the cells of each row, and below it of the rows inside it as a tree, down to `depth`."""
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
