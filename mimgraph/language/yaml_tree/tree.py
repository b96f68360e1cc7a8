"""The tree of a spec's text: scalars, sequences and mappings, each with its span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mimgraph.ir.declared_values import FAULTY, Faulty
from mimgraph.source import Span

Value = str | int | float | bool | None | Faulty


class Scalar(NamedTuple):
    """A value, the text it was read from, and whether the text stands without quotes (`plain`).

    `tagged` is true if the value is faulty because of the tag before it, which is reported.
    """

    value: Value
    span: Span
    text: str
    plain: bool
    tagged: bool = False

    @property
    def name(self) -> str | None:
        """The value if it is a text, or would be one without its tag; else None."""
        if self.tagged:
            return self.text
        return self.value if isinstance(self.value, str) else None

    def part(self, start: int, end: int) -> Span:
        """Return the span of the characters `start` to `end` of the text, or the whole span where
        escapes or several lines keep them from being counted."""
        quote = 0 if self.plain else 1
        _, line, column, end_line, end_column = self.span
        if line == end_line and end_column - column == len(self.text) + 2 * quote:
            return self.span.part(quote + start, quote + end)
        return self.span


class Sequence(NamedTuple):
    """A list of trees, in order."""

    items: tuple[Tree, ...]
    span: Span


class Mapping(NamedTuple):
    """The entries of a mapping, in the order of the text.

    `lost` holds the keys of entries that were left out because of a fault of the key, or ANOTHER
    for a key without text. A key that is given twice has a faulty value and is in `lost` together
    with ANOTHER, as one of the two may have been meant as another key. All of these are reported.
    """

    entries: tuple[tuple[Scalar, Tree], ...]
    span: Span
    lost: tuple[str, ...] = ()

    def get(self, key: str) -> Tree | None:
        """Return the value of a key, or None if the mapping lacks it."""
        for name, value in self.entries:  # a generator takes twice as long
            if name.value == key:
                return value
        return None

    def entry(self, key: str) -> tuple[Scalar, Tree] | None:
        """Return a key with its value, or None if the mapping lacks it."""
        for entry in self.entries:
            if entry[0].value == key:
                return entry
        return None

    def key(self, text: str) -> Scalar:
        """Return the key of this text, which the mapping has."""
        return next(key for key, _ in self.entries if key.text == text)

    def outdented(self, outer: Scalar, inner: Scalar) -> Mapping:
        """Return the mapping with the entry `inner`, which is indented too deep under `outer`, as an
        entry of its own."""
        entries: list[tuple[Scalar, Tree]] = []
        for key, value in self.entries:
            if key is outer and isinstance(value, Mapping):
                moved = [entry for entry in value.entries if entry[0] is inner]
                kept = tuple(entry for entry in value.entries if entry[0] is not inner)
                entries += ((key, value._replace(entries=kept)), *moved)
            else:
                entries.append((key, value))
        return self._replace(entries=tuple(entries))

    def with_lost(self, key: str) -> Mapping:
        """Return the mapping with one more key that was left out."""
        return self._replace(lost=(*self.lost, key))

    def with_faulty(self, *keys: str) -> Mapping:
        """Return the mapping with a faulty value for each of the keys that it lacks."""
        missing = [Scalar(key, self.span, key, True) for key in keys if self.get(key) is None]
        return self._replace(
            entries=(*self.entries, *((key, faulty(self.span)) for key in missing))
        )


Tree = Scalar | Sequence | Mapping


def faulty(span: Span, text: str = "") -> Scalar:
    """Return the scalar that stands for an unreadable part, which is reported elsewhere."""
    return Scalar(FAULTY, span, text, plain=True)


def is_faulty(tree: Tree | None) -> bool:
    """Return whether the tree stands for an unreadable part, which is reported already."""
    return isinstance(tree, Scalar) and tree.value is FAULTY


def is_null(tree: Tree | None) -> bool:
    """Return whether the tree is `null` or empty, as after a lone colon."""
    return isinstance(tree, Scalar) and tree.value is None


def described(tree: Tree) -> str:
    """Return a tree in a few words for a message: `a list`, `a mapping of 2 keys`, `'ReLU'`, `5`."""
    match tree:
        case Scalar(str(), _, text):
            return repr(brief(text))
        case Scalar(_, _, text):
            return brief(text) or "null"
        case Sequence(items):
            return "a list" if items else "an empty list"
        case Mapping(entries):
            count = len(entries)
            return f"a mapping of {count} key{'s' * (count != 1)}" if count else "an empty mapping"


def brief(text: str) -> str:
    """Return a text for a message, cut to 40 characters."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def texts(tree: Tree) -> Iterator[str]:
    """Yield every text in a tree, keys included; for a text with a dot, such as `node.port`, the
    part before the dot."""
    stack: list[Tree] = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, Scalar):
            yield current.text.partition(".")[0]
        elif isinstance(current, Sequence):
            stack.extend(current.items)
        else:
            for key, value in current.entries:
                stack.extend((key, value))


def plain(tree: Tree) -> Any:
    """Return the value of a tree as numbers, texts, lists and dicts; an expression stays a text."""
    if isinstance(tree, Scalar):
        return tree.text if is_faulty(tree) else tree.value
    if isinstance(tree, Mapping):
        return {key.text: plain(value) for key, value in tree.entries}
    return [plain(item) for item in tree.items]
