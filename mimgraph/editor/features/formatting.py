"""Format a spec by the smallest edits, so that the cursor and the folds of an editor stay."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from os.path import commonprefix

from mimgraph.language.formatter import BOM, formatted
from mimgraph.language.text_edits import TextEdit
from mimgraph.source import SourceFile, Span

LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


def formatting(
    file: SourceFile, first: int = 1, last: int | None = None, after: str | None = None
) -> list[TextEdit]:
    """Return the edits that write lines `first` to `last` of a spec in the style.

    An edit replaces whole lines; none is needed where the text is in the style, or cannot be read. `after`
    is the formatted text, if that is known.
    """
    new = formatted(file).text if after is None else after
    old_lines, new_lines = (LINE.findall(text.removeprefix(BOM)) for text in (file.text, new))
    start = len(commonprefix([old_lines, new_lines]))
    end = len(commonprefix([old_lines[start:][::-1], new_lines[start:][::-1]]))
    old, changed = old_lines[start : len(old_lines) - end], new_lines[start : len(new_lines) - end]
    edits: list[TextEdit] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, changed, autojunk=False).get_opcodes():
        a, b = a + start, b + start
        if tag != "equal" and a < (last or len(old_lines)) and max(b, a + 1) >= first:
            edits.append(TextEdit(_lines(file, old_lines, a, b), "".join(changed[c:d])))
    return edits


def _lines(file: SourceFile, lines: list[str], start: int, end: int) -> Span:
    """Return the span of whole lines; their numbers count from 0, the end is exclusive."""
    if end < len(lines) or lines[-1:] == [] or lines[-1].endswith(("\n", "\r")):
        return Span(file, start + 1, 1, end + 1, 1)
    return Span(file, start + 1, 1, end, len(file.line(end)) + 1)
