"""Source files, and spans in them."""

from __future__ import annotations

import linecache
import re
from bisect import bisect_right
from functools import cached_property
from pathlib import PurePath
from typing import NamedTuple

LINE_END = re.compile(r"\r\n?|\n")


class SourceFile:
    """A text with a name, compared by identity; it is split into lines when one is first shown."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """The lines as YAML and editors count them: LF, CRLF and CR end a line; a BOM is left out."""
        return (
            self.text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        )

    @property
    def start(self) -> Span:
        """The span of the point where it begins, for faults of the whole file."""
        return Span(self, 1, 1, 1, 1)

    def line(self, number: int) -> str:
        """Return line `number`, counted from 1; "" if there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset in the text at which each line starts; the first is behind a BOM."""
        first = 1 if self.text.startswith("\ufeff") else 0
        return [first, *(match.end() for match in LINE_END.finditer(self.text))]

    def offset(self, line: int, column: int) -> int:
        """Return the offset in the text of a place; behind the last line, the end of the text."""
        starts = self.line_starts
        return starts[line - 1] + column - 1 if line <= len(starts) else len(self.text)

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and column of an offset in the text."""
        line = max(1, bisect_right(self.line_starts, offset))
        return line, max(1, offset - self.line_starts[line - 1] + 1)


class PythonFile(SourceFile):
    """A Python file of the user's, or a cell of a notebook, read only when a line of it is shown."""

    def __init__(self, path: str, cell: str = "") -> None:
        super().__init__(cell or path, "")
        self.path = path  # as Python knows the code

    def line(self, number: int) -> str:
        linecache.checkcache(self.path)  # it may have been edited and imported again
        return linecache.getline(self.path, number).rstrip("\n")


class Excerpt(NamedTuple):
    """Lines of a `place`, the name of a file or a method, without their common indentation."""

    place: str
    first_line: int
    last_line: int
    text: str


class Span(NamedTuple):
    """A stretch of a file; lines and columns count characters from 1, the end is exclusive."""

    file: SourceFile
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def start(self) -> Span:
        """The empty span where this one begins."""
        return Span(self.file, self.line, self.column, self.line, self.column)

    @property
    def end(self) -> Span:
        """The empty span where this one ends."""
        return Span(self.file, self.end_line, self.end_column, self.end_line, self.end_column)

    @property
    def is_empty(self) -> bool:
        """Whether it is a point between two characters."""
        return self[1:3] == self[3:5]

    def contains(self, other: Span) -> bool:
        """Return whether another span of the file is inside this one, or equal."""
        return self[1:3] <= other[1:3] and other[3:5] <= self[3:5]

    def part(self, start: int, end: int) -> Span:
        """Return characters `start` to `end` of a span that is on one line."""
        return Span(self.file, self.line, self.column + start, self.line, self.column + end)

    def to(self, end: Span) -> Span:
        """Return the span from the start of this one to the end of another."""
        return Span(self.file, self.line, self.column, end.end_line, end.end_column)

    def excerpt(self, place: str = "") -> Excerpt:
        """Return the text of the span without common indentation; for an empty span the whole line."""
        lines = [self.file.line(number) for number in range(self.line, self.end_line + 1)]
        if not self.is_empty:
            lines[-1] = lines[-1][: self.end_column - 1]
        first, *rest = lines
        shown = first[self.column - 1 :].lstrip()
        indents = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
        margin = min([len(first) - len(shown), *indents])
        text = "\n".join([shown, *(line[margin:] for line in rest)]).rstrip()
        return Excerpt(place or PurePath(self.file.name).name, self.line, self.end_line, text)
