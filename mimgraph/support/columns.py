"""Lay cells out in columns that fit the width of a terminal, with cells wrapped between words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias

from mimgraph.support.terminal import BOLD, Paint

Columns: TypeAlias = Mapping[int, Sequence[str]]  # the cells of each column by its number

GAP = "  "  # between columns
INDENT = "  "  # of the further lines of a fact
_SPACE = (
    r" (?![^(\[{]*[)\]}])(?![kMGTP]?B?(?!\S))"  # outside of brackets, not before a unit: `6.3 MB`
)
_IN_NAME = r"(?<=[_.])(?=\w)|(?<=[a-z0-9])(?=[A-Z])"  # `from_ left`, `Multihead Attention`
# where a line may break: after commas; if what is between them is too long, between words, then also
# inside of names, then between the sizes of a shape, then at any space
_BREAKS = [
    re.compile(at)
    for at in (
        f"(?<=,){_SPACE}",
        _SPACE,
        f"{_SPACE}|{_IN_NAME}",
        f"{_SPACE}|(?<=,) |{_IN_NAME}",
        f" |{_IN_NAME}",
    )
]
COMMAS, WORDS, NAMES, SIZES, SPACES = range(len(_BREAKS))


def wrapped(text: str, width: int, indent: str = "", level: int = WORDS) -> list[str]:
    """Return the text in lines, broken between words or as `level` says; inside of names and in brackets
    only if these are wider than a line. All lines but the first are indented.

    >>> wrapped("left (N, 3, 32), right (N, 8)", 16)
    ['left (N, 3, 32),', 'right (N, 8)']
    """
    if len(text) <= width:
        return [text]
    lines: list[str] = []
    for space, word in _words(text, width - len(indent), level):
        if lines and len(lines[-1]) + len(space) + len(word) <= width:
            lines[-1] += space + word
        else:
            start = indent if lines else ""
            lines.append(start + cut(word, width - len(start)))
    return lines


def _words(
    text: str, width: int, level: int = WORDS, before: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield the words, each with the space before it; parts of words that are wider than a line."""
    start = 0
    for found in (*_BREAKS[level].finditer(text), None):
        word = text[start : found.start() if found else None]
        if len(word) <= width or level == SPACES:
            yield before, word
        else:
            yield from _words(word, width, level + 1, before)
        if found:
            before, start = found[0], found.end()


def cut(text: str, width: int) -> str:
    """Return the text, or its beginning with `…` if it is wider."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def fitting(
    columns: Columns, width: int, whole: Collection[int] = (), level: int = WORDS
) -> dict[int, int] | None:
    """Return widths with which the columns fit into `width`, the widest ones wrapped, those in `whole`
    never; None if they would have to break at a further level."""
    breaks = _BREAKS[level]
    least = {
        i: _longest(
            cells if i in whole else (part for cell in cells for part in breaks.split(cell))
        )
        for i, cells in columns.items()
    }
    return _shared(least, columns, width)


def shrunk(columns: Columns, width: int) -> dict[int, int]:
    """Return widths with which the columns fit into `width` if the widest ones are cut."""
    least = dict.fromkeys(columns, 1)
    return _shared(least, columns, width) or least


def _longest(texts: Iterable[str]) -> int:
    return max(map(len, texts), default=0)


def _shared(least: Mapping[int, int], columns: Columns, width: int) -> dict[int, int] | None:
    """Return a width for each column, the widest ones made narrower until they fit, none to less than
    its least; None if these are too wide."""
    most = {i: _longest(cells) for i, cells in columns.items()}
    room = width - len(GAP) * (len(columns) - 1)
    if sum(least.values()) > room:
        return None
    cap = max(most.values())
    while sum((widths := {i: max(least[i], min(most[i], cap)) for i in most}).values()) > room:
        cap -= 1
    for i, high in most.items():  # what is left over
        widths[i] = min(high, widths[i] + room - sum(widths.values()))
    return widths


def row_lines(cells: Sequence[str], widths: Sequence[int]) -> Iterator[list[str]]:
    """Yield the cells of one row line by line, each cell wrapped at its width."""
    columns = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    yield from (list(line) for line in zip_longest(*columns, fillvalue=""))


def titled(fact: str, width: int, paint: Paint, style: str = BOLD) -> Iterator[str]:
    """Yield `title: text` in lines, the title in a style, further lines indented."""
    title = fact[: fact.find(":") + 1]
    first, *more = wrapped(fact, width, INDENT)
    yield from (paint(style, title) + first.removeprefix(title), *more)
