"""The concrete tree of a spec: what stands in its text, comments and faulty parts too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


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
