"""Convert between positions of the protocol and of spans.

The protocol counts lines from 0 and, unless client and server agree on another unit, characters in UTF-16
code units; a span counts lines and characters from 1.
"""

from __future__ import annotations

from itertools import accumulate

from lsprotocol.types import Position, Range

from mimgraph.source import SourceFile, Span

BEYOND = 0xFFFF  # characters above it are two code units


def position(file: SourceFile, line: int, column: int) -> Position:
    """Return the position of a line and column."""
    text = file.line(line)
    before = column - 1
    if not text.isascii():
        before += sum(ord(character) > BEYOND for character in text[: column - 1])
    return Position(line - 1, before)


def range_of(span: Span) -> Range:
    """Return the range of a span."""
    file, line, column, end_line, end_column = span
    return Range(position(file, line, column), position(file, end_line, end_column))


def place(file: SourceFile, position: Position) -> tuple[int, int]:
    """Return the line and column of a position; behind the end of a line, its end."""
    line = min(position.line + 1, len(file.lines))
    if position.line >= len(file.lines):
        return line, len(file.line(line)) + 1
    text = file.line(line)
    if text.isascii():
        return line, min(position.character, len(text)) + 1
    units = accumulate(2 if ord(character) > BEYOND else 1 for character in text)
    return line, sum(end <= position.character for end in units) + 1


def changed_span(file: SourceFile, range: Range) -> Span:
    """Return the span that a change replaces; raise a `ValueError` if the file has no such range.

    The line behind the last one is the end of the file, as some editors replace a whole text so.
    """
    start, end = range.start, range.end
    if end.line > len(file.lines) or (start.line, start.character) > (end.line, end.character):
        raise ValueError(f"{file.name} has no range {range}")
    return span_of(file, range)


def span_of(file: SourceFile, range: Range) -> Span:
    """Return the span of a range."""
    return Span(file, *place(file, range.start), *place(file, range.end))
