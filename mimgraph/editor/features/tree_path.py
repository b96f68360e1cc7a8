"""Find the scalar at a place in the tree of a spec, and the keys that lead to it."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.source import Span


class TreePath(NamedTuple):
    """A scalar, the keys around it from the outermost, and whether it is a key itself, the last of
    them."""

    scalar: Scalar
    keys: tuple[Scalar, ...]
    is_key: bool

    @property
    def texts(self) -> tuple[str, ...]:
        """The keys as texts."""
        return tuple([key.text for key in self.keys])


def contains(span: Span, line: int, column: int) -> bool:
    """Return whether a place is in a span or directly behind it, as a cursor behind a word is."""
    return span[1:3] <= (line, column) <= span[3:5]


def path_to(tree: Tree | None, line: int, column: int) -> TreePath | None:
    """Return the scalar at a place; None if there is none."""
    keys: list[Scalar] = []
    while tree is not None:
        if isinstance(tree, Scalar):
            return TreePath(tree, (*keys,), False) if contains(tree.span, line, column) else None
        values: list[Tree] = []
        if isinstance(tree, Mapping):
            for key, value in tree.entries:
                if contains(key.span, line, column):
                    return TreePath(key, (*keys, key), True)
                if contains(value.span, line, column):
                    keys.append(key)
                    values.append(value)
                    break
        elif isinstance(tree, Sequence):
            values = [item for item in tree.items if contains(item.span, line, column)]
        tree = values[-1] if values else None  # at a border the later one begins
    return None
