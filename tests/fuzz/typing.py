"""Edits as people and clumsy fingers make them: insertions, deletions, pastes and undos of texts."""

from __future__ import annotations

import random
from collections.abc import Sequence

TOKENS = (
    *("{", "}", "[", "]", "(", ")", '"', "'", ",", ":", ": ", "-", "- ", "?", "|", "|\n", ">\n", "<<"),
    *("\n", "\n\n", "\t", " ", "  ", "    ", "\r", "\r\n", "\ufeff", "\x85", "\u2028", "\0", "\udc80"),
    *("&a", "*a", "!x", "# c", "#", "%", "@", "`", "---", "...", "é", "\U0001f600", "\u202e", "."),
    *("$", "$(", "${x}", "{{ x }}", "9" * 40, "0x", "1e999", "yes", "null", "~", "x", "N", "*", "a.b"),
    *("from", "layer: Linear", "nodes:", "\n  zz: {layer: ReLU, from: ", ", activation: ReLU", "each: 2"),
)  # fmt: skip
LONGEST = 20_000  # characters of a text that grows

Edit = tuple[int, int, str]  # the start and end of the old text, and the new one


def edit(text: str, texts: Sequence[str], choose: random.Random) -> Edit:
    """Return an edit: the start and end of the old text, and the new text."""
    kind, at = choose.random(), choose.randint(0, len(text))
    if kind < 0.4:
        return at, at, choose.choice(TOKENS)
    if kind < 0.65:
        return at, min(len(text), at + choose.choice((1, 1, 1, 2, 3, 8, 40))), ""
    if kind < 0.8:  # a paste from another spec
        other = choose.choice(texts)
        start = choose.randint(0, len(other))
        return at, at, other[start : start + choose.choice((3, 20, 100))]
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at) + 1 or len(text)
    line = text[start:end]
    if kind < 0.9:  # the line twice
        return end, end, line
    return start, start + len(line) - len(line.lstrip(" ")), " " * choose.randint(0, 6)


class Typist:
    """One who edits a text, and takes every third edit back, so that the text stays a spec."""

    def __init__(self, texts: Sequence[str], choose: random.Random) -> None:
        self.texts, self.choose = texts, choose
        self.undo: Edit | None = None

    def next(self, text: str) -> Edit:
        """Return the next edit of a text; one that grew too long is replaced."""
        undo, self.undo = self.undo, None
        if len(text) > LONGEST:
            return 0, len(text), self.choose.choice(self.texts)
        if undo is not None and self.choose.random() < 0.6:
            return undo
        start, end, new = edit(text, self.texts, self.choose)
        self.undo = start, start + len(new), text[start:end]
        return start, end, new


def applied(text: str, edit: Edit) -> str:
    """Return a text after an edit."""
    start, end, new = edit
    return text[:start] + new + text[end:]
