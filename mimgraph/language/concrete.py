"""Read a text into its concrete tree, with comments and blank lines, to format it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from mimgraph.declare.tree import BLANKS, HIDE_BREAKS, SHOW_BREAKS, resolve
from mimgraph.language.tree_builder import TUPLE_START
from mimgraph.language.yaml_reader import PARSER
from mimgraph.language.yaml_text import plain_or_quoted


class Comment(NamedTuple):
    """A comment from its `#` to the end of its line.

    `column` counts from 0; `own` is true if nothing but blanks is before it, `blank` if a blank line is.
    """

    text: str
    line: int
    column: int
    own: bool
    blank: bool


@dataclass
class Text:
    """A scalar as it is written on one line, and its `value` if that is a text.

    `literal` has the lines of a `|` or `>` text, without its indentation; `header` stands before them: `|-`.
    """

    written: str
    value: str | None = None
    header: str = ""
    literal: list[str] | None = None
    beside: Comment | None = None  # behind the header


@dataclass
class Entry:
    """A key and its value in a mapping, or an item of a list, which has no key.

    Comments stand `above` it, `between` the key and the value, and `beside` the end of the value. Lines and
    columns count from 0.
    """

    key: str | None
    line: int
    column: int
    blank: bool  # whether a blank line is before it
    above: list[Comment]
    value: Node = field(default_factory=lambda: Text(""))
    between: list[Comment] = field(default_factory=list)
    beside: list[Comment] = field(default_factory=list)
    last_line: int = 0
    bare: bool = (
        False  # a key in braces without a colon, such as the second half of `{size: (3, 3)}`
    )

    @property
    def has_comments(self) -> bool:
        """Return whether a comment belongs to the entry."""
        return bool(self.above or self.between or self.beside or has_comments(self.value))


@dataclass
class Collection:
    """A mapping or a list, in brackets if it is `flow`, with the comments `below` its last entry."""

    is_list: bool
    flow: bool
    column: int
    entries: list[Entry] = field(default_factory=list)
    below: list[Comment] = field(default_factory=list)


Node = Text | Collection


class Document(NamedTuple):
    """The root of a spec, with the lines before it: comments, and `---` if it is there."""

    preamble: list[str]
    root: Collection


def comments_in(entry: Entry) -> Iterator[Comment]:
    """Yield the comments behind the start of an entry."""
    yield from entry.between
    if isinstance(entry.value, Collection):
        for inner in entry.value.entries:
            yield from inner.above
            yield from comments_in(inner)
        yield from entry.value.below
    elif entry.value.beside is not None:
        yield entry.value.beside
    yield from entry.beside


def has_comments(node: Node) -> bool:
    """Return whether a comment is in a node."""
    if isinstance(node, Text):
        return node.beside is not None
    return bool(node.below) or any(entry.has_comments for entry in node.entries)


# Read the concrete tree of a spec from the events of YAML and the comments between them.


ENDS = (MappingEndEvent, SequenceEndEvent)
BLOCK_HEADER = re.compile(r"([|>])([-+]?)([1-9]?)([-+]?)[ \t]*(#[^\n]*)?")
COLON = re.compile(r"\s*:")


class NotOfSpecs(Exception):
    """Raised for a part of YAML that specs do not have, such as an anchor or a second document."""


def read_concrete(text: str) -> Document:
    """Return the tree of a text without BOM, with `\\n` at the end of each line.

    `NotOfSpecs` refuses what specs do not have; syntax errors are those of PyYAML.
    """
    return _Reader(text).document()


class _Reader:
    """A walk over the events, and the comments that are not yet given to an entry."""

    def __init__(self, text: str) -> None:
        self.text = text
        safe = text.translate(HIDE_BREAKS)
        self.events = _events(safe if safe.endswith("\n") else f"{safe}\n")
        self.at = 0
        self.position = 0  # the end of what is read
        self.line = 0
        self.last_line = 0  # of the last token
        self.pending: list[Comment] = []
        self.blank = False  # whether a blank line is before the next entry
        self.beside: list[Comment] | None = None  # takes a comment behind what is read
        self.columns = [-1]  # of the open block collections
        self.text_lines = text.split("\n")

    def document(self) -> Document:
        """Return the tree of the whole text."""
        preamble = self._preamble()
        between: list[Comment] = []
        root = self._node(between)
        if not isinstance(root, Collection) or root.is_list:
            raise NotOfSpecs
        self._to_end()
        root.below += self.pending
        first = root.entries[0].above if root.entries else root.below
        first[:0] = between  # behind the bracket of a root in brackets, or before it
        return Document(preamble, root)

    def _preamble(self) -> list[str]:
        """Return the lines up to `---`, if the text has that."""
        event = self.events[self.at]
        if not isinstance(event, DocumentStartEvent):
            raise NotOfSpecs
        self.at += 1
        if not event.explicit:
            return []
        end = _end(event)
        self._move(end.index, end.line)
        return [line.rstrip(BLANKS) for line in self.text[: end.index].split("\n")]

    def _to_end(self) -> None:
        """Read the comments behind the root, also those behind `...`."""
        event = self.events[self.at]
        if not isinstance(event, DocumentEndEvent):
            raise NotOfSpecs
        if event.explicit:
            self._to(_start(event))
            self._move(_start(event).index + 3, _start(event).line)
        if not isinstance(self.events[self.at + 1], StreamEndEvent):
            raise NotOfSpecs
        self._comments(self.text[self.position :])

    # --- comments ---------------------------------------------------------------------------------

    def _move(self, position: int, line: int) -> None:
        """Go behind a token."""
        self.position, self.line, self.last_line = position, line, line

    def _to(self, mark: Any) -> None:
        """Read the comments up to a mark."""
        if mark.index > self.position:
            self._comments(self.text[self.position : mark.index])
            self.position, self.line = mark.index, mark.line

    def _comments(self, gap: str) -> None:
        """Give each comment in a gap between two tokens to what it stands behind, or keep it for the next
        entry."""
        blank = False
        start = self.text.rfind("\n", 0, self.position) + 1
        before = self.position - start
        lines = gap.split("\n")
        for n, part in enumerate(lines):
            number = self.line + n
            at = part.find("#")
            if at < 0:
                # the first part and the last one may share their line with a token
                is_line = (n > 0 or not before) and n < len(lines) - 1
                blank = blank or (is_line and not part.strip(BLANKS))
                continue
            line = self.text_lines[number]
            column = at if n else at + before
            own = not line[:column].strip(BLANKS)
            comment = Comment(part[at:].rstrip(BLANKS), number, column, own, blank)
            blank = False
            if not self._continues(comment, n == 0):
                self.pending.append(comment)
        self.blank = blank

    def _continues(self, comment: Comment, is_first: bool) -> bool:
        """Give a comment to what it stands behind, or to the comment that it continues right below; return
        whether it is one of the two."""
        if self.beside is None or self.pending:
            return False
        last = self.beside[-1] if self.beside else None
        if comment.own:
            below = last is not None and not comment.blank and comment.line == last.line + 1
            follows = below and last is not None and comment.column == last.column > 0
            if not follows or comment.column <= self.columns[-1] + 2:
                return False
        elif not is_first or last is not None:
            return False
        self.beside.append(comment)
        return True

    def _take(self) -> tuple[list[Comment], bool]:
        """Return the comments above the next entry, and whether a blank line is before it."""
        found, self.pending = self.pending, []
        blank, self.blank = self.blank, False
        return found, blank

    # --- nodes ------------------------------------------------------------------------------------

    def _node(self, between: list[Comment]) -> Node:
        """Return the next node; comments before it are added to `between`."""
        event = self.events[self.at]
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise NotOfSpecs
        if isinstance(event, ScalarEvent):
            return self._scalar(event, between)
        if not isinstance(event, MappingStartEvent | SequenceStartEvent):
            raise NotOfSpecs
        self.at += 1
        is_list = isinstance(event, SequenceStartEvent)
        found = Collection(is_list, bool(event.flow_style), _start(event).column)
        if event.flow_style:
            self._flow(found, event, between)
        else:
            self._block(found)
        return found

    def _flow(self, found: Collection, event: Any, between: list[Comment]) -> None:
        """Read the entries of a collection in brackets, or of a pair in a list without any."""
        self._to(_start(event))
        between += self.pending
        self.pending = []
        self.beside = between
        if _end(event).index > _start(event).index:  # a bracket
            self._move(_end(event).index, _end(event).line)
        self.columns.append(-1)
        self._entries(found)
        self.columns.pop()
        end = self.events[self.at]
        self.at += 1
        if _end(end).index > _start(end).index:
            self._to(_start(end))
            self._move(_end(end).index, _end(end).line)
        (found.below if found.entries else between).extend(self.pending)
        self.pending = []
        if has_comments(found) and any(entry.bare for entry in found.entries):
            raise NotOfSpecs

    def _block(self, found: Collection) -> None:
        """Read the entries of a collection without brackets, and the comments below the last one."""
        inside_list = found.column == self.columns[-1]  # a list not further in than its key
        self.columns.append(found.column)
        self._entries(found)
        self.columns.pop()
        self.at += 1
        if not self.pending:
            self._to_next_token()
        least = found.column + inside_list
        while self.pending and self.pending[0].column >= least:
            found.below.append(self.pending.pop(0))

    def _to_next_token(self) -> None:
        """Read the comments up to the next event that is not empty."""
        at = self.at
        while isinstance(self.events[at], ENDS) and _is_empty(self.events[at]):
            at += 1
        following = self.events[at]
        if isinstance(following, DocumentEndEvent) and not following.explicit:
            self._comments(self.text[self.position :])
            self.position, self.line = len(self.text), len(self.text_lines) - 1
        else:
            self._to(_start(following))

    def _entries(self, found: Collection) -> None:
        while not isinstance(self.events[self.at], ENDS):
            entry = self._item() if found.is_list else self._pair(found)
            entry.last_line = self.last_line
            found.entries.append(entry)

    def _item(self) -> Entry:
        """Read an item of a list."""
        event = self.events[self.at]
        self._to(_start(event))
        above, blank = self._take()
        start = _start(event)
        entry = Entry(None, start.line, start.column, blank, above)
        self.beside = entry.between
        entry.value = self._node(entry.between)
        if not _ends_in_block(entry.value):
            self.beside = entry.beside
        return entry

    def _pair(self, found: Collection) -> Entry:
        """Read a key and its value."""
        event = self.events[self.at]
        if not isinstance(event, ScalarEvent) or event.style in ("|", ">") or event.tag:
            raise NotOfSpecs
        start, end = _start(event), _end(event)
        if event.anchor or start.line != end.line or _is_empty(event):
            raise NotOfSpecs
        self._to(start)
        above, blank = self._take()
        key = self._scalar(event, [])
        entry = Entry(key.written, start.line, start.column, blank, above)
        self.beside = entry.between
        entry.value = self._node(entry.between)
        if not _ends_in_block(entry.value):
            self.beside = entry.beside
        if isinstance(entry.value, Text) and not entry.value.written and found.flow:
            entry.value.written = "null"
            entry.bare = not COLON.match(self.text, _end(event).index)
        return entry

    def _scalar(self, event: Any, between: list[Comment]) -> Text:
        """Return a scalar."""
        self.at += 1
        if _is_empty(event):
            between += self.pending
            self.pending = []
            return Text("")
        self._to(_start(event))
        between += self.pending
        self.pending = []
        value = event.value.translate(SHOW_BREAKS)
        if event.style in ("|", ">"):
            return self._literal(event)
        end = _end(event)
        raw = self.text[_start(event).index : end.index]
        self._move(end.index, end.line)
        if not event.style:
            if not isinstance(resolve(value), str):
                return Text(value)  # also a word that YAML 1.1 and 1.2 read differently
            return Text(plain_or_quoted(value) if "\n" in raw else raw, value)
        written = plain_or_quoted(value)
        if written[:1] == "(" and TUPLE_START.fullmatch(written):
            written = f'"{written}"'
        return Text(written, value)

    def _literal(self, event: Any) -> Text:
        """Return a text after `|` or `>`."""
        first = _start(event).line
        line = self.text_lines[first]
        header = BLOCK_HEADER.match(line, _start(event).column)
        assert header is not None
        style, before, digit, behind, comment = header.groups()
        chomp = before or behind
        last, indent = self._literal_end(first, int(digit or 0), chomp == "+")
        rows = [row[indent:] for row in self.text_lines[first + 1 : last]]
        if chomp != "-" and not event.value.endswith("\n"):
            chomp = "-"  # a text at the end of the file without a line break there
        start = next((row for row in rows if row.strip(BLANKS)), "")
        mark = f"{style}{'2' if start.startswith(' ') else ''}{chomp}"
        found = Text("", header=mark, literal=rows)
        if comment:
            found.beside = Comment(comment.rstrip(BLANKS), first, header.start(5), False, False)
        offset = sum(len(row) + 1 for row in self.text_lines[first:last])
        start_of_line = _start(event).index - _start(event).column
        self._move(min(start_of_line + offset, len(self.text)), last)
        self.last_line = last - 1
        self.beside = None
        return found

    def _literal_end(self, first: int, digit: int, keep: bool) -> tuple[int, int]:
        """Return the line behind a text after `|` or `>`, and its indentation."""
        outer = self.columns[-1]
        indent = outer + digit if digit else 0
        end, last = first + 1, len(self.text_lines) - (self.text_lines[-1] == "")
        for number in range(first + 1, last):
            row = self.text_lines[number]
            inner = len(row) - len(row.lstrip(" "))
            if not indent and row.strip(" "):
                if inner <= outer:
                    break
                indent = inner
            if row.strip(" ") and inner < indent:
                break
            if row.strip(" ") or keep or (indent and inner > indent):
                end = number + 1
        return end, indent or outer + 1


def _start(event: Any) -> Any:
    """Return the mark where an event begins."""
    return event.start_mark


def _end(event: Any) -> Any:
    """Return the mark where an event ends."""
    return event.end_mark


def _is_empty(event: Any) -> bool:
    """Return whether an event has no text of its own."""
    return bool(_start(event).index == _end(event).index) and not getattr(event, "style", None)


def _ends_in_block(node: Node) -> bool:
    """Return whether a comment behind the end of a node belongs to an entry in it."""
    if isinstance(node, Text):
        return node.literal is not None
    return not node.flow


def _events(text: str) -> list[Any]:
    """Return the events of a text of one document, without the start of the stream."""
    next_event = PARSER(text).get_event
    found: list[Any] = []
    while not isinstance(event := next_event(), StreamEndEvent):
        if isinstance(event, AliasEvent) or (isinstance(event, DocumentStartEvent) and found):
            raise NotOfSpecs
        if not isinstance(event, StreamStartEvent):
            found.append(event)
    return [*found, event]
