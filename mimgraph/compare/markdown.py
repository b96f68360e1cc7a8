"""A difference as Markdown for a pull request: a table, with what follows and a picture to unfold."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mimgraph.compare.model import Change, Difference
from mimgraph.compare.text import (
    SIGNS,
    constraint_words,
    edited,
    effect_words,
    following,
    heading,
    total_words,
    words,
)


def markdown(difference: Difference, mermaid: str = "") -> str:
    """The whole difference; `mermaid` is its picture."""
    if not difference:
        return "No change.\n"
    changes = edited(difference)
    parts = [f"### {heading(difference, code)}", _table((c, words(c, code)) for c in changes)]
    if effects := [(change, effect_words(change, code)) for change in following(difference)]:
        parts.append(_folded(f"What follows: {len(effects)}", _table(effects)))
    if told := constraint_words(difference, code):
        parts.append(f"At run time: {', '.join(told)}")
    parts += total_words(difference, code)
    if mermaid:
        fence = "`" * max(3, _longest_run(mermaid) + 1)
        parts.append(_folded("Picture", f"{fence}mermaid\n{mermaid.rstrip()}\n{fence}"))
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """A word of a spec as code, in which nothing is a link, a user's name or a sign of Markdown.

    What would end a code span or a cell is written in HTML's numbers of characters.
    """
    if not re.search(r"[|`]|^\s|\s$", text):
        return f"`{text}`"
    written = (c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in text)
    return f"<code>{''.join(written)}</code>"


def _longest_run(text: str) -> int:
    """Of backticks, which a fence must pass."""
    return max(map(len, re.findall("`+", text)), default=0)


def _table(rows: Iterable[tuple[Change, str]]) -> str:
    lines = ["| | Name | Layer | Change |", "|---|---|---|---|"]
    for change, told in rows:
        layer = code(change.op) if change.op else ""
        lines.append(f"| {SIGNS[change.status]} | {code(change.shown_name)} | {layer} | {told} |")
    return "\n".join(lines)


def _folded(summary: str, inside: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{inside}\n\n</details>"
