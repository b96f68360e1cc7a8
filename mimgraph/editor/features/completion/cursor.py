"""Read a text as if a word stood at the cursor, and find the way to it in the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.diagnostics import Report
from mimgraph.editor.document.repair import read_text
from mimgraph.source import SourceFile, Span

MARK = "zQcursorQz"  # the word that stands at the cursor in the text that is read
BEFORE = re.compile(r"[\w.*$/-]*\Z")
BEHIND = re.compile(r"[\w.*/-]*")


class Step(NamedTuple):
    """A mapping or list on the way, and the key or index that leads on."""

    around: Mapping | Sequence
    key: str


class Cursor(NamedTuple):
    """Where the cursor stands: the word to replace and its part before the cursor, the tree, and the way
    to the word.

    The last step leads to the word itself: its key is that of the value, or the mapping's to which a key
    is added (`is_key`).
    """

    span: Span
    typed: str
    tree: Mapping
    steps: tuple[Step, ...]
    is_key: bool
    has_colon: bool
    is_quoted: bool

    @property
    def path(self) -> tuple[str, ...]:
        """The keys and indices that lead to the value, or to the mapping that gets a key."""
        return tuple([step.key for step in self.steps])


def cursor_at(file: SourceFile, line: int, column: int) -> Cursor | None:
    """Return where a place is in a spec; None in a comment, or if the text around cannot be read."""
    text = file.line(line)
    before = BEFORE.search(text[: column - 1])
    behind = BEHIND.match(text, column - 1)
    start = before.start() if before else column - 1
    end = behind.end() if behind else column - 1
    if _is_comment(text[:start]):
        return None
    if text[start:end] == "-":
        start = end  # the dash of an item
    span = Span(file, line, start + 1, line, end + 1)
    rest = text[end:].lstrip("\"'")
    has_colon = rest.lstrip().startswith(":")
    is_quoted = text[start - 1 : start] in ('"', "'") if start else False
    for marked in _marked(file, span, has_colon):
        read = _tree(SourceFile(file.name, marked))
        found = None if read is None else _way(read, ())
        if read is not None and found is not None:
            steps, is_key = found
            typed = text[start : column - 1]
            return Cursor(span, typed, read, steps, is_key, has_colon, is_quoted)
    return None


def _is_comment(before: str) -> bool:
    return bool(re.search(r"(^|\s)#", re.sub(r"\"[^\"]*\"|'[^']*'", "", before)))


def _marked(file: SourceFile, span: Span, has_colon: bool) -> Iterator[str]:
    """Yield the text with the mark as a value and as a key."""
    at, end = file.offset(*span[1:3]), file.offset(*span[3:5])
    head, tail = file.text[:at], file.text[end:]
    blank = " " if head[-1:] in (":", ",", "-") else ""
    is_alone = not file.line(span.line)[: span.column - 1].strip(" -")
    ends = ("", ":") if not is_alone or has_colon else (":", "")
    yield from (f"{head}{blank}{MARK}{colon}{tail}" for colon in ends)


def _tree(file: SourceFile) -> Mapping | None:
    tree, _ = read_text(file, Report().add)
    return tree if isinstance(tree, Mapping) else None


def _way(tree: Tree, steps: tuple[Step, ...]) -> tuple[tuple[Step, ...], bool] | None:
    """Return the steps to the mark, and whether it is a key."""
    if isinstance(tree, Scalar):
        return (steps, False) if MARK in tree.text else None
    if isinstance(tree, Mapping):
        for key, value in tree.entries:
            if MARK in key.text:
                return (*steps, Step(tree, "")), True
            if found := _way(value, (*steps, Step(tree, key.text))):
                return found
        return None
    for index, item in enumerate(tree.items):
        if found := _way(item, (*steps, Step(tree, str(index)))):
            return found
    return None
