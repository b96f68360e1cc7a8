"""Find out what an output shows: its colors, its width, the characters that it can encode, and the columns that a text takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal, TextIO

RED, YELLOW, BLUE = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m"
GREEN, CYAN, TEAL = "\x1b[1;32m", "\x1b[1;36m", "\x1b[36m"  # teal is cyan, and thin
BOLD, DIM, RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"

WIDTH = 100  # characters of a line where an output is no terminal
NARROWEST = 40  # characters of a line, even if the terminal has fewer

Paint = Callable[[str, str], str]  # of a style and a text
Color = Literal["auto", "always", "never"]

_colors: list[Color] = ["auto"]  # the last one is in force

_ASCII = str.maketrans(
    {
        "│": "|",
        "├": "|",
        "└": "`",
        "─": "-",
        "×": "x",
        "…": "...",
        "→": "->",
        "·": "*",
        "↔": "<->",
        "−": "-",
        "\xa0": "&nbsp;",  # a space without a break, which only Markdown has
    }
)


def printable(text: str) -> str:
    """Return the text as standard output can encode it."""
    return encodable(text, getattr(sys.stdout, "encoding", None) or "utf-8")


def encodable(text: str, encoding: str) -> str:
    """Return the text in characters of the encoding: signs in ASCII, other characters as escapes."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text


@contextmanager
def color(choice: Color) -> Iterator[None]:
    """Print in colour always, never, or on terminals alone, in a `with` block."""
    _colors.append(choice)
    try:
        yield
    finally:
        _colors.pop()


def wants_color(stream: TextIO) -> bool:
    """Return whether to print in colour: as `--color` says, else NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE
    and CLICOLOR, else if the stream is a terminal."""
    if _colors[-1] != "auto":
        return _colors[-1] == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if any(
        os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")
    ):
        return True
    is_plain = os.environ.get("TERM") == "dumb" or os.environ.get("CLICOLOR") == "0"
    return stream.isatty() and not is_plain


def painter(color: bool) -> Paint:
    """Return a function that puts a text in a style, such as BOLD; without colour it changes nothing."""
    return _colored if color else _plain


def _colored(style: str, text: str) -> str:
    return f"{style}{text}{RESET}" if text else ""


def _plain(style: str, text: str) -> str:
    return text


def line_width(stream: TextIO) -> int:
    """Return how many characters the lines of tables and pages have that a stream prints."""
    return max(columns(stream) or WIDTH, NARROWEST)


def columns(stream: TextIO) -> int | None:
    """Return the width of the terminal that a stream prints to; None if it is no terminal.

    The variable COLUMNS replaces the width, also where there is no terminal.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError, AttributeError):  # a stream in memory has no number
        return None


# Measure how many columns of a terminal a text takes: a wide character takes two, a mark none.


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
