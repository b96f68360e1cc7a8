"""Measure how many columns of a terminal a text takes: a wide character takes two, a mark none."""

from __future__ import annotations

from functools import cache


def text_width(text: str) -> int:
    """Return the number of columns that a text takes."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


@cache
def _char_width(char: str) -> int:
    import unicodedata  # a check starts faster without it

    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def padded(text: str, width: int, right: bool = False) -> str:
    """Return the text with spaces up to that width, behind it or, aligned to the right, before it."""
    spaces = " " * (width - text_width(text))
    return spaces + text if right else text + spaces


def shortened(text: str, width: int) -> str:
    """Return the text, or its beginning with `…` if it is wider."""
    if text_width(text) <= width:
        return text
    room = width - 1  # without the sign
    for position, char in enumerate(text):
        room -= _char_width(char)
        if room < 0:
            return f"{text[:position]}…"
    return text
