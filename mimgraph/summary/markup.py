"""A summary as Markdown and HTML, for a pull request and a notebook."""

from __future__ import annotations

import re
from html import escape

from mimgraph.summary.contents import Contents
from mimgraph.summary.facts import facts
from mimgraph.summary.table import MACS, NAME, PARAMS, TITLES, lines


def markdown(summary: Contents) -> str:
    """The table for a pull request or a notebook."""
    rule = ["--:" if i in (PARAMS, MACS) else "---" for i in range(len(TITLES))]
    rows = [
        [_marked(cell, i) for i, cell in enumerate(line)]
        for line in lines(summary.rows, summary.depth)
    ]
    made = (TITLES, rule, *rows)
    told = (f"- **{title}**: {_escaped(text)}" for title, text in facts(summary))
    title = f"**{_escaped(summary.name)}**"
    return "\n".join([title, "", *(f"| {' | '.join(row)} |" for row in made), "", *told])


def _marked(text: str, column: int) -> str:
    """A cell; the spaces of the tree must not collapse."""
    return _escaped(text.replace(" ", "\N{NO-BREAK SPACE}") if column == NAME else text)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~#&$])", r"\\\1", text)


def html(summary: Contents) -> str:
    """The table for a notebook."""
    head = "".join(f"<th style='text-align:left'>{title}</th>" for title in TITLES)
    body_lines = (
        "".join(_cell(cell, i) for i, cell in enumerate(line))
        for line in lines(summary.rows, summary.depth)
    )
    body = "".join(f"<tr>{line}</tr>\n" for line in body_lines)
    told = "<br>\n".join(
        f"<b>{escape(title)}</b>: {escape(text)}" for title, text in facts(summary)
    )
    return (
        f"<b>{escape(summary.name)}</b>\n<table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n<p>{told}</p>"
    )


def _cell(text: str, column: int) -> str:
    align = "right" if column in (PARAMS, MACS) else "left"
    style = f"text-align:{align};white-space:pre"
    if column == NAME:
        style += ";font-family:monospace"
    return f"<td style='{style}'>{escape(text)}</td>"
