"""Lay out a difference as text for a terminal: a line for each change, then the effects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

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
from mimgraph.compare.model import Difference
from mimgraph.summary.numbers import short
from mimgraph.support.columns import COMMAS, GAP, titled, wrapped
from mimgraph.support.terminal import (
    BOLD,
    GREEN,
    NARROWEST,
    RED,
    YELLOW,
    Paint,
    padded,
    painter,
    text_width,
)

WIDEST = 40  # characters that a column is padded to at most
LEAST = 30  # characters of a line for the words; without that room they are below the name
INDENT = "    "  # of words below a name
STYLE = Style(written=short)
COLORS = {"+": GREEN, "-": RED, "~": YELLOW, " ": BOLD}  # by the sign of a row

Row: TypeAlias = tuple[str, str, str, str]  # sign, name, op, words


def text(difference: Difference, width: int, color: bool = False) -> str:
    """Return the whole difference as text in lines of at most `width` characters, "no changes" if there
    is none."""
    if not difference:
        return "no changes"
    width, paint = max(width, NARROWEST), painter(color)
    changes = author_changes(difference)
    rows = [(SIGNS[c.status], c.shown_name, c.op, change_words(c, STYLE)) for c in changes]
    lines = [paint(BOLD, heading(difference)), "", *_aligned(rows, width, paint)]
    if having := effects_to_show(difference):
        rows = [(SIGNS["follows"], c.shown_name, c.op, effect_words(c, STYLE)) for c in having]
        lines += ["", paint(BOLD, "Effects:"), *_aligned(rows, width, paint)]
    if constraints := constraint_words(difference):
        lines += ["", *titled(f"At run time: {', '.join(constraints)}", width, paint)]
    totals = (
        line for fact in total_words(difference, STYLE) for line in titled(fact, width, paint)
    )
    return "\n".join([*lines, "", *totals])


def _aligned(rows: Sequence[Row], width: int, paint: Paint) -> Iterator[str]:
    """Yield the rows in columns, their signs and names in color, long words on several lines."""
    names, ops = (
        min(WIDEST, max(map(text_width, column))) for column in list(zip(*rows, strict=True))[1:3]
    )
    for sign, name, op, words in rows:
        start = f"{sign} {padded(name, names)}{GAP}{padded(op, ops)}{GAP}"
        if width - text_width(start) < LEAST:
            start = f"{sign} {name}{GAP}{op}".rstrip()
            below = [
                f"{INDENT}{line}" for line in wrapped(words, width - len(INDENT), level=COMMAS)
            ]
        else:
            first, *more = wrapped(words, width - text_width(start), level=COMMAS)
            below = [" " * text_width(start) + line for line in more]
            start = (start + first).rstrip()
        named = f"{sign} {name}"
        yield from (paint(COLORS[sign], named) + start.removeprefix(named), *below)
