"""Lay cells out in columns that fit the width of a terminal, with cells wrapped between words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias

from mimgraph.support.terminal import BOLD, Paint, padded, shortened, text_width

Columns: TypeAlias = Mapping[int, Sequence[str]]  # the cells of each column by its number

GAP = "  "  # between columns
INDENT = "  "  # of the further lines of a fact
# where a line may break: after commas; if the parts are too long, between words, then also
# inside of names, then between the sizes of a shape, then at any space
COMMAS, WORDS, NAMES, SIZES, SPACES = range(5)
_PLACES = re.compile(
    r"(?P<open>[(\[{])|(?P<close>[)\]}])"
    r"|(?P<space> )(?![kMGTP]?B?(?!\S))"  # not before a unit: `6.3 MB`
    r"|(?P<name>(?<=[_.])(?=\w)|(?<=[a-z0-9])(?=[A-Z]))"  # `from_ left`, `Multihead Attention`
)


def wrapped(text: str, width: int, indent: str = "", level: int = WORDS) -> list[str]:
    """Return the text in lines, broken between words or as `level` says; inside of names and in brackets
    only if these are wider than a line. All lines but the first are indented.

    >>> wrapped("left (N, 3, 32), right (N, 8)", 16)
    ['left (N, 3, 32),', 'right (N, 8)']
    """
    if text_width(text) <= width:
        return [text]
    lines: list[str] = []
    for space, word in _words(text, width - len(indent), level):
        if lines and text_width(lines[-1]) + len(space) + text_width(word) <= width:
            lines[-1] += space + word
        else:
            start = indent if lines else ""
            lines.append(start + shortened(word, width - len(start)))
    return lines


def _words(text: str, width: int, level: int, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the words, each with the space before it; parts of words that are wider than a line."""
    for space, word in _parts(text, level, before):
        if level == SPACES or text_width(word) <= width:
            yield space, word
        else:
            yield from _words(word, width, level + 1, space)


def _parts(text: str, level: int, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the parts between the places where a line may break, each with the space before it."""
    start = depth = 0
    for found in _PLACES.finditer(text):
        match found.lastgroup:
            case "open":
                depth += 1
            case "close":
                depth = max(depth - 1, 0)
            case kind:
                is_behind_comma = text.endswith(",", start, found.start())
                if level >= _level(kind == "name", depth > 0, is_behind_comma):
                    yield before, text[start : found.start()]
                    before, start = found[0], found.end()
    yield before, text[start:]


def _level(is_in_name: bool, is_in_brackets: bool, is_behind_comma: bool) -> int:
    """Return the first level at which a line may break at a place."""
    if is_in_name:
        return NAMES
    if is_in_brackets:
        return SIZES if is_behind_comma else SPACES
    return COMMAS if is_behind_comma else WORDS


def fitting(
    columns: Columns, width: int, whole: Collection[int] = (), level: int = WORDS
) -> dict[int, int] | None:
    """Return widths with which the columns fit into `width`, the widest ones wrapped, those in `whole`
    never; None if they would have to break at a further level."""
    least = {
        i: _widest(
            cells if i in whole else (part for cell in cells for _, part in _parts(cell, level))
        )
        for i, cells in columns.items()
    }
    return _shared(least, columns, width)


def shrunk(columns: Columns, width: int) -> dict[int, int]:
    """Return widths with which the columns fit into `width` if the widest ones are cut."""
    least = dict.fromkeys(columns, 1)
    return _shared(least, columns, width) or least


def _widest(texts: Iterable[str]) -> int:
    return max(map(text_width, texts), default=0)


def _shared(least: Mapping[int, int], columns: Columns, width: int) -> dict[int, int] | None:
    """Return a width for each column, the widest ones made narrower until they fit, none to less than
    its least; None if these are too wide."""
    most = {i: _widest(cells) for i, cells in columns.items()}
    room = width - len(GAP) * (len(columns) - 1)
    if sum(least.values()) > room:
        return None
    cap = min(room, max(most.values()))
    while sum((widths := {i: max(least[i], min(most[i], cap)) for i in most}).values()) > room:
        cap -= 1
    for i, high in most.items():  # what is left over
        widths[i] = min(high, widths[i] + room - sum(widths.values()))
    return widths


def row_lines(
    cells: Sequence[str], widths: Mapping[int, int], right: Collection[int] = ()
) -> Iterator[list[str]]:
    """Yield the cells of a row that have a width, line by line: wrapped and padded, those in `right`
    aligned to the right."""
    columns = [wrapped(cells[i], width) for i, width in widths.items()]
    for line in zip_longest(*columns, fillvalue=""):
        parts = zip(line, widths.items(), strict=True)
        yield [padded(part, width, right=i in right) for part, (i, width) in parts]


def titled(fact: str, width: int, paint: Paint, style: str = BOLD) -> Iterator[str]:
    """Yield `title: text` in lines, the title in a style, further lines indented."""
    title = fact[: fact.find(":") + 1]
    first, *more = wrapped(fact, width, INDENT)
    yield from (paint(style, title) + first.removeprefix(title), *more)


# Write lists of keys for a message, each after its name, long ones cut.


SHOWN = 8  # the number of keys that a message lists


def lists(*named: tuple[str, Sequence[str]]) -> Iterator[str]:
    """Yield the first few items of each list that is not empty, after its name."""
    for name, items in named:
        more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
        if items:
            yield f"{name}: {', '.join(items[:SHOWN])}{more}"
