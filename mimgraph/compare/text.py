"""Lay out a difference as text for a terminal: a line for each change, then the effects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from mimgraph.compare.change_text import (
    SIGNS,
    change_words,
    constraint_words,
    effect_words,
    heading,
    total_words,
)
from mimgraph.compare.listing import author_changes, effects_to_show
from mimgraph.compare.model import Difference
from mimgraph.support.terminal import BOLD, RESET

WIDEST = 40  # characters that a column is padded to at most
LINE = 119  # characters of a line at most, unless one word is longer
# green, red and yellow; the signs alone tell them apart
COLORS = {"added": "\x1b[32m", "removed": "\x1b[31m", "changed": "\x1b[33m"}

Row: TypeAlias = tuple[str, str, str, str]  # sign, name, op, words


def text(difference: Difference, color: bool = False) -> str:
    """Return the whole difference as text, "no changes" if there is none."""
    if not difference:
        return "no changes"
    title, changes = heading(difference), author_changes(difference)
    rows = [(SIGNS[c.status], c.shown_name, c.op, change_words(c)) for c in changes]
    colors = [COLORS[change.status] if color else "" for change in changes]
    lines = [f"{BOLD}{title}{RESET}" if color else title, "", *_aligned(rows, colors)]
    if having := effects_to_show(difference):
        rows = [(SIGNS["follows"], c.shown_name, c.op, effect_words(c)) for c in having]
        lines += ["", "Effects:", *_aligned(rows, [""] * len(rows))]
    if constraints := constraint_words(difference):
        lines += ["", f"At run time: {', '.join(constraints)}"]
    return "\n".join([*lines, "", *total_words(difference)])


def _aligned(rows: list[Row], colors: list[str]) -> Iterator[str]:
    """Yield the rows in columns, each in its color, long words on several lines."""
    columns = list(zip(*rows, strict=True))[:-1]
    widths = [min(WIDEST, max(map(len, column))) for column in columns]
    for (sign, *cells, words), color in zip(rows, colors, strict=True):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths[1:], strict=True))
        start = f"{sign} {'  '.join(padded)}  "
        first, *more = _wrapped(words, LINE - len(start))
        for line in (start + first, *(" " * len(start) + rest for rest in more)):
            yield f"{color}{line.rstrip()}{RESET}" if color else line.rstrip()


def _wrapped(words: str, width: int) -> list[str]:
    """Return the words as lines, broken only at commas."""
    lines = [""]
    for part in words.split(", "):
        if lines[-1] and len(lines[-1]) + len(part) + 3 > width:
            lines[-1] += ","
            lines.append(part)
        else:
            lines[-1] += f", {part}" if lines[-1] else part
    return lines
