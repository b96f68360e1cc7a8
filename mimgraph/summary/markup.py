"""Write the table of a summary as Markdown and HTML."""

from __future__ import annotations

import re
from html import escape

from mimgraph.summary.numbers import number, short
from mimgraph.summary.rows import Contents
from mimgraph.summary.table import FROM, LAYER, MACS, NAME, PARAMS, TITLES, facts, lines


def markdown(summary: Contents) -> str:
    """Return the table as Markdown, for a pull request."""
    rule = ["--:" if i in (PARAMS, MACS) else "---" for i in range(len(TITLES))]
    rows = [
        [_marked(cell, i) for i, cell in enumerate(line.cells)]
        for line in lines(summary.rows, summary.depth, number)
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
    head = "".join(f"<th style='{_style(i)}'>{title}</th>" for i, title in enumerate(TITLES))
    every = zip(
        *(lines(summary.rows, summary.depth, count) for count in (short, number)), strict=True
    )
    body_lines = (
        "".join(map(_cell, range(len(TITLES)), line.cells, exact.cells)) for line, exact in every
    )
    body = "".join(f"<tr>{line}</tr>\n" for line in body_lines)
    below = "<br>\n".join(
        f"<b>{escape(title)}</b>: {escape(text)}" for title, text in facts(summary)
    )
    return (
        f"<b>{escape(summary.name)}</b>\n<table style='font-size:inherit'>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n<p>{below}</p>"
    )


def _cell(column: int, text: str, exact: str) -> str:
    """Return a cell; a number that is rounded shows all of its digits when the pointer is over it."""
    title = f" title='{escape(exact)}'" if exact != text else ""
    return f"<td style='{_style(column)}'{title}>{escape(text)}</td>"


def _style(column: int) -> str:
    """Return the style of the cells of a column; layers and sources wrap."""
    align = "right" if column in (PARAMS, MACS) else "left"
    space = "normal" if column in (LAYER, FROM) else "pre"
    font = ";font-family:monospace" if column == NAME else ""
    return f"text-align:{align};white-space:{space};padding:1px 8px{font}"
