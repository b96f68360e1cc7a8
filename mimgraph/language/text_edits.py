"""Change a text at spans: edits as data, and the text with them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from mimgraph.source import SourceFile, Span


class TextEdit(NamedTuple):
    """The text to write in place of a span; an empty span inserts it there."""

    span: Span
    text: str


class Fix(NamedTuple):
    """A change that a diagnostic proposes, with the title that an editor offers it under.

    One that `is_safe` only replaces a name or value, so an editor may apply it on saving; one that
    `is_meant` puts the right name for a wrong one, which may uncover faults that the wrong one hid.
    """

    title: str
    edits: tuple[TextEdit, ...]
    is_safe: bool = False
    is_meant: bool = False


def edited(file: SourceFile, edits: Iterable[TextEdit]) -> str:
    """Return the text of a file with the edits; edits of other files are left out.

    A `ValueError` refuses edits that overlap. Of several insertions at one point the first comes first.
    """
    found = sorted(
        ((*_offsets(file, one.span), one.text) for one in edits if one.span.file is file),
        key=lambda one: one[:2],
    )
    if any(end > start for (_, end, _), (start, _, _) in pairwise(found)):
        raise ValueError("two edits overlap")
    parts: list[str] = []
    text, at = file.text, 0
    for start, end, new in found:
        parts += text[at:start], new
        at = end
    return "".join([*parts, text[at:]])


def _offsets(file: SourceFile, span: Span) -> tuple[int, int]:
    """Return the offsets in the text of the start and end of a span."""
    return file.offset(span.line, span.column), file.offset(span.end_line, span.end_column)
