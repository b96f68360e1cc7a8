"""Split the lines of a spec into its entries, by their indentation, so that each can be read alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

KEY = re.compile(r"(?:[^\W\d][\w.-]*|\"[^\"\\]*\"|'[^']*'):(?= |$)", re.MULTILINE)
HEADER = re.compile(r"[A-Za-z]\w*: *(?:#.*)?")  # the key of a section whose entries follow
SPLIT = ("params", "parts", "inputs", "blocks", "nodes")  # sections that are read by entries
GOES_ON = ("- ", "-\t", "}", "]")  # the entry before goes on with such a line
NO_START = ("", " ", "#", "\t")


class Chunk(NamedTuple):
    """The lines of one entry, from its key to the line before the next entry.

    `first` is the index of its first line, `indent` the column of its key.
    """

    first: int
    indent: int
    text: str


class Section(NamedTuple):
    """An entry of the spec itself; one that `is_split` has a line of its own for its key, `header`, and
    entries below it."""

    key: str
    header: int
    entries: tuple[Chunk, ...]
    is_split: bool


def is_content(line: str) -> bool:
    """Return whether a line has more than blanks and a comment."""
    rest = line.lstrip(" ")
    return rest[:1] not in NO_START or (rest[:1] == "\t" and not rest.isspace())


def indent_of(line: str) -> int:
    """Return the number of spaces that a line begins with."""
    return len(line) - len(line.lstrip(" "))


def outline(lines: Sequence[str]) -> Iterator[Section]:
    """Yield the sections of a text, with their entries."""
    starts = entry_starts(lines, 0, len(lines), 0)
    for start, end in pairwise([*starts, len(lines)]):
        yield _section(lines, start, end)


def _section(lines: Sequence[str], start: int, end: int) -> Section:
    """Return the section in these lines."""
    line = lines[start]
    match = KEY.match(line)
    key = line[: match.end() - 1] if match else ""
    if key in SPLIT and HEADER.fullmatch(line):
        first = next((at for at in range(start + 1, end) if is_content(lines[at])), end)
        indent = indent_of(lines[first]) if first < end else 0
        if indent:
            return Section(key, start, tuple(chunks(lines, first, end, indent)), True)
    return Section(key, start, (Chunk(start, 0, text_of(lines, start, end)),), False)


def chunks(lines: Sequence[str], first: int, end: int, indent: int) -> Iterator[Chunk]:
    """Yield the entries with this indentation in the lines from `first`, which begins one, to `end`."""
    starts = [first, *entry_starts(lines, first + 1, end, indent)]
    for start, behind in pairwise([*starts, end]):
        yield Chunk(start, indent, text_of(lines, start, behind))


def text_of(lines: Sequence[str], start: int, end: int) -> str:
    """Return lines as a text; it ends with a line break unless they are the last ones."""
    text = "\n".join(lines[start:end])
    return text + "\n" if end < len(lines) else text


def entry_starts(lines: Sequence[str], first: int, end: int, indent: int) -> Iterator[int]:
    """Yield the index of each line at which an entry with this indentation begins."""
    for at in range(first, end):
        line = lines[at]
        if line[indent : indent + 1] in NO_START or line[:indent].strip(" "):
            continue
        if not line.startswith(GOES_ON, indent) and line != "-":
            yield at
