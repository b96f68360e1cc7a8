"""Turn the marks of a YAML parser, which count lines and columns from 0, into spans."""

from __future__ import annotations

from typing import Any

from mimgraph.language.yaml_tree.limits import BLANKS
from mimgraph.source import SourceFile, Span


def event_span(file: SourceFile, event: Any) -> Span:
    """Return the span of an event."""
    start, end = event.start_mark, event.end_mark
    return Span(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def block_text_span(file: SourceFile, event: Any) -> Span:
    """Return the span of a `|` or `>` text, without the blank lines behind it."""
    start = event.start_mark
    return Span(file, start.line + 1, start.column + 1, *_end_of_text(file, event.end_mark))


def empty_span(file: SourceFile, event: Any) -> Span:
    """Return the point of an empty scalar: the end of the text before it."""
    return _point(file, *_end_of_text(file, event.end_mark))


def fault_point(file: SourceFile, mark: Any) -> Span:
    """Return the point of a mark, or the end of the text before it if it is on a blank line."""
    blank = not file.line(mark.line + 1).strip(BLANKS)
    place = _end_of_text(file, mark) if blank else (mark.line + 1, mark.column + 1)
    return _point(file, *place)


def without_properties(span: Span, text: str, quoted: bool) -> Span:
    """Return the span of a scalar without its anchor and tag, if its text is on one line and has no
    escapes."""
    quote = 1 if quoted else 0
    start = span.end_column - len(text) - 2 * quote
    line = span.file.line(span.end_line)
    as_written = line[start - 1 + quote : span.end_column - 1 - quote]
    if span.line != span.end_line or start < span.column or as_written != text:
        return span
    return Span(span.file, span.line, start, span.line, span.end_column)


def _point(file: SourceFile, line: int, column: int) -> Span:
    return Span(file, line, column, line, column)


def _end_of_text(file: SourceFile, mark: Any) -> tuple[int, int]:
    """Return the line and column behind the last character before a mark that is not blank."""
    line = mark.line + 1
    before = file.line(line)[: mark.column]
    while line > 1 and not before.strip(BLANKS):
        line -= 1
        before = file.line(line)
    return line, len(before.rstrip(BLANKS)) + 1
