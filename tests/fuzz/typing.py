"""Edits as people and clumsy fingers make them: insertions, deletions, pastes and undos of texts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

TOKENS = (
    *("{", "}", "[", "]", "(", ")", '"', "'", ",", ":", ": ", "-", "- ", "?", "|", "|\n", ">\n", "<<"),
    *("\n", "\n\n", "\t", " ", "  ", "    ", "\r", "\r\n", "\ufeff", "\x85", "\u2028", "\0", "\udc80"),
    *("&a", "*a", "!x", "# c", "#", "%", "@", "`", "---", "...", "é", "\U0001f600", "\u202e", "."),
    *("$", "$(", "${x}", "{{ x }}", "9" * 40, "0x", "1e999", "yes", "null", "~", "x", "N", "*", "a.b"),
    *("from", "layer: Linear", "nodes:", "\n  zz: {layer: ReLU, from: ", ", activation: ReLU", "each: 2"),
)  # fmt: skip
LONGEST = 40_000  # characters of a text that grows


def edit(text: str, texts: Sequence[str], choose: random.Random) -> tuple[int, int, str]:
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


def versions(
    text: str, texts: Sequence[str], choose: random.Random
) -> Iterator[tuple[int, int, str]]:
    """Yield edits of a text without end; every third is taken back, so that the text stays a spec."""
    undone: tuple[int, int, str] | None = None
    while True:
        if undone is not None and choose.random() < 0.6:
            start, end, new = undone
            undone = None
        else:
            start, end, new = edit(text, texts, choose)
            undone = (start, start + len(new), text[start:end])
        if len(text) + len(new) > LONGEST:
            start, end, new, undone = 0, len(text), choose.choice(texts), None
        text = text[:start] + new + text[end:]
        yield start, end, new
