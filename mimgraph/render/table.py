"""The table of a summary as text, Markdown, HTML and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.analysis.cost import PARAM_BYTES, Cost
from mimgraph.ir.amount import Amount

if TYPE_CHECKING:
    from mimgraph.render.summary import Row, Summary

_Line = tuple[str, ...]
_TITLES: _Line = ("Name", "Layer", "Output shape", "Params", "MACs", "From")
_NAME, _LAYER, _PARAMS, _MACS, _FROM = 0, 1, 3, 4, 5
_LEAST = 12  # characters of a column that is cut
_DATA = ("name", "layer", "shape", "dtype", "params", "frozen", "buffers", "macs", "activations")
_ASCII = str.maketrans({"│": "|", "├": "|", "└": "`", "─": "-", "×": "x", "…": "."})


# what stands in it


def _lines(rows: Iterable[Row], depth: int | None, above: str | None = None) -> Iterator[_Line]:
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
            f"{row.cost.params:,}" if row.cost.params else "-",
            _macs(row.cost),
            ", ".join(row.sources),
        )
        children = row.children
        if len(children) == 1 and children[0].times > 1:  # the row itself says how often
            children = children[0].children
        if depth != 0:
            yield from _lines(children, None if depth is None else depth - 1, further)


def _macs(cost: Cost) -> str:
    """The number, `-` for none, and `?` for what is not known."""
    known = _number(cost.macs)
    if not cost.uncounted:
        return known if cost.macs else "-"
    return f"{known} + ?" if cost.macs else "?"


def _number(amount: Amount) -> str:
    """`1,024*T + 16`, thousands apart."""
    return re.sub(r"(?<!\w)\d+", lambda digits: f"{int(digits[0]):,}", str(amount.value))


def _memory(amount: Amount) -> str:
    """`77.2 kB`; the bytes where they depend on sizes."""
    if not isinstance(amount.value, int):
        return f"{_number(amount)} bytes"
    size, unit = float(amount.value), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}" if size < 999.5 else f"{size:,.0f} {unit}"


def noted(only: str) -> str:
    """What is there at times only, in parentheses."""
    return f" ({only})" if only else ""


class _Fact(NamedTuple):
    """A line below the table."""

    title: str
    text: str


def _facts(summary: Summary) -> Iterator[_Fact]:
    """What is true of the whole."""
    total, training = summary.total, summary.training
    params = [f"{total.params - total.frozen:,} trainable", f"{total.frozen:,} frozen"]
    if not total.frozen:
        params = ["all trainable"] if total.params else []
    params.append(_memory(Amount([total.params, PARAM_BYTES])))
    buffers = f", buffers: {total.buffers:,}" if total.buffers else ""
    yield _Fact("Parameters", f"{total.params:,} ({', '.join(params)}){buffers}")
    per = "per sample" if summary.batch is None else f"at batch {summary.batch:,}"
    flops = "" if total.uncounted else f" ({_number(total.macs * 2)} FLOPs)"
    macs = _macs(total) if total.macs or total.uncounted else "0"
    yield _Fact("MACs", f"{macs} {per}{flops}")
    yield _Fact("Activations", f"{_memory(total.activations)} {per}")
    if training.activations or training.macs or training.uncounted:
        more = f"{_macs(training)} MACs, {_memory(training.activations)} of activations"
        yield _Fact("In training also", more)
    if unknown := sorted(total.uncounted | training.uncounted):
        names = ", ".join(unknown)
        how = f"mg.register({unknown[0]}, macs=...)"
        yield _Fact("?", f"the MACs of {names} are not known; {how} tells them")
    inputs = (row for row in summary.rows if row.layer == "Input")
    told = (f"{row.name} {row.shape} {row.dtype}{noted(row.only)}" for row in inputs)
    yield _Fact("Inputs", ", ".join(told))
    outputs = (f"{name} {shape}" for name, shape in summary.outputs.items())
    yield _Fact("Outputs", ", ".join(outputs))
    if summary.constraints:
        yield _Fact("At run time", ", ".join(summary.constraints))


# as text


def text(summary: Summary, width: int) -> str:
    """The table in columns, then the facts."""
    lines = list(_lines(summary.rows, summary.depth))
    facts = (f"{title}: {text}" for title, text in _facts(summary))
    return "\n".join([summary.name, "", *_aligned(lines, width), "", *facts])


def _aligned(lines: list[_Line], width: int) -> Iterator[str]:
    """The lines in columns, numbers at the right."""
    widths = _widths(lines, width)
    for number, line in enumerate((_TITLES, *lines)):
        cells = [
            line[i].rjust(space) if i in (_PARAMS, _MACS) else _cut(line[i], space).ljust(space)
            for i, space in widths.items()
        ]
        yield "  ".join(cells).rstrip()
        if number == 0:
            yield "  ".join("-" * space for space in widths.values())


def _widths(lines: list[_Line], width: int) -> dict[int, int]:
    """The width of each column that is shown. Where they are too wide together the sources are cut
    or left out, then the layers are cut."""
    widths = {
        i: max(map(len, column)) for i, column in enumerate(zip(_TITLES, *lines, strict=True))
    }

    def over() -> int:
        return sum(widths.values()) + 2 * (len(widths) - 1) - width

    if over() > 0:
        widths[_FROM] = max(widths[_FROM] - over(), min(widths[_FROM], _LEAST))
    if over() > 0:
        del widths[_FROM]
    if over() > 0:
        widths[_LAYER] = max(widths[_LAYER] - over(), min(widths[_LAYER], _LEAST))
    return widths


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def encodable(text: str, encoding: str) -> str:
    """The text, with ASCII in place of the lines of a tree where the encoding lacks them."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII)
    return text


# as markup


def markdown(summary: Summary) -> str:
    """The table for a pull request or a notebook."""
    rule = ["--:" if i in (_PARAMS, _MACS) else "---" for i in range(len(_TITLES))]
    rows = [
        [_marked(cell, i) for i, cell in enumerate(line)]
        for line in _lines(summary.rows, summary.depth)
    ]
    made = (_TITLES, rule, *rows)
    facts = (f"- **{title}**: {_escaped(text)}" for title, text in _facts(summary))
    title = f"**{_escaped(summary.name)}**"
    return "\n".join([title, "", *(f"| {' | '.join(row)} |" for row in made), "", *facts])


def _marked(text: str, column: int) -> str:
    """A cell; the spaces of the tree must not collapse."""
    return _escaped(text.replace(" ", "\N{NO-BREAK SPACE}") if column == _NAME else text)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~#&$])", r"\\\1", text)


def html(summary: Summary) -> str:
    """The table for a notebook."""
    head = "".join(f"<th style='text-align:left'>{title}</th>" for title in _TITLES)
    lines = (
        "".join(_cell(cell, i) for i, cell in enumerate(line))
        for line in _lines(summary.rows, summary.depth)
    )
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    facts = "<br>\n".join(
        f"<b>{escape(title)}</b>: {escape(text)}" for title, text in _facts(summary)
    )
    return (
        f"<b>{escape(summary.name)}</b>\n<table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n<p>{facts}</p>"
    )


def _cell(text: str, column: int) -> str:
    align = "right" if column in (_PARAMS, _MACS) else "left"
    style = f"text-align:{align};white-space:pre"
    if column == _NAME:
        style += ";font-family:monospace"
    return f"<td style='{style}'>{escape(text)}</td>"


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV, each with its dotted name, what is inside below it."""
    written = io.StringIO()
    writer = csv.DictWriter(written, (*_DATA, "only"), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({"frozen": 0, "buffers": 0, **row} for row in _flat(rows))
    return written.getvalue()


def _flat(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        yield row
        yield from _flat(row.get("children", ()))
