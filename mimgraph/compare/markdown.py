"""Write a difference as Markdown for a pull request: a table, its effects and picture folded."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mimgraph.compare.change_text import (
    SIGNS,
    Style,
    change_words,
    constraint_words,
    effect_words,
    heading,
    total_words,
)
from mimgraph.compare.listing import author_changes, effects_to_show
from mimgraph.compare.model import Change, Difference


def markdown(difference: Difference, mermaid: str = "") -> str:
    """Return the whole difference as Markdown; `mermaid` is its picture, if any."""
    if not difference:
        return "No changes.\n"
    style = Style(code)
    changes = [(change, change_words(change, style)) for change in author_changes(difference)]
    parts = [f"### {heading(difference, code)}", _table(changes)]
    if effects := [(c, effect_words(c, style)) for c in effects_to_show(difference)]:
        parts.append(_folded(f"Effects: {len(effects)}", _table(effects)))
    if constraints := constraint_words(difference, code):
        parts.append(f"At run time: {', '.join(constraints)}")
    parts += total_words(difference, style)
    if mermaid:
        fence = "`" * max(3, _longest_run(mermaid) + 1)
        parts.append(_folded("Picture", f"{fence}mermaid\n{mermaid.rstrip()}\n{fence}"))
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """Return a text of a spec as code, so that Markdown finds no link, mention or markup in it.

    A text with characters that would end the code span or the table cell is written as HTML, with
    numeric character references.
    """
    if not re.search(r"[|`]|^\s|\s$", text):
        return f"`{text}`"
    written = (c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in text)
    return f"<code>{''.join(written)}</code>"


def _longest_run(text: str) -> int:
    """Return the length of the longest run of backticks; a fence around it needs more."""
    return max(map(len, re.findall("`+", text)), default=0)


def _table(rows: Iterable[tuple[Change, str]]) -> str:
    lines = ["| | Name | Layer | Change |", "|---|---|---|---|"]
    for change, words in rows:
        layer = code(change.op) if change.op else ""
        lines.append(f"| {SIGNS[change.status]} | {code(change.shown_name)} | {layer} | {words} |")
    return "\n".join(lines)


def _folded(summary: str, inside: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{inside}\n\n</details>"
