"""Find what stands around the place of a diagnostic in the tree of a spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.source import Span


class Entry(NamedTuple):
    """An entry of a mapping, and the keys that lead to the mapping."""

    around: Mapping
    key: Scalar
    value: Tree
    path: tuple[str, ...]


class Item(NamedTuple):
    """An item of a list."""

    around: Sequence
    at: int
    value: Tree


class Surroundings(NamedTuple):
    """The entries and items around a span, from the outermost to the innermost."""

    tree: Mapping
    steps: tuple[Entry | Item, ...]

    @property
    def entries(self) -> Iterator[Entry]:
        """The entries around the span, from the innermost."""
        return (step for step in reversed(self.steps) if isinstance(step, Entry))

    @property
    def node(self) -> Entry | None:
        """The entry of the node around the span, in the spec or a block."""
        return next((one for one in self.entries if is_node_path(one.path)), None)

    @property
    def item(self) -> Item | None:
        """The item of a seq around the span."""
        for before, step in zip(self.steps, self.steps[1:], strict=False):
            if isinstance(step, Item) and isinstance(before, Entry) and before.key.text == "seq":
                return step
        return None

    @property
    def scope(self) -> Mapping:
        """The spec, or the block around the span."""
        block = next((one for one in self.entries if one.path == ("blocks",)), None)
        return block.value if block and isinstance(block.value, Mapping) else self.tree

    @property
    def innermost(self) -> Tree:
        """The innermost value around the span, or the key at it."""
        return self.steps[-1].value if self.steps else self.tree


def is_node_path(path: tuple[str, ...]) -> bool:
    """Return whether the entries of a mapping at this path are nodes."""
    return path == ("nodes",) or (len(path) == 3 and path[0] == "blocks" and path[2] == "nodes")


def surroundings_of(tree: Mapping, span: Span) -> Surroundings:
    """Return the entries and items that a span lies in."""
    steps: list[Entry | Item] = []
    keys: tuple[str, ...] = ()
    here: Tree | None = tree
    while here is not None:
        inner: Tree | None = None
        if isinstance(here, Mapping):
            for key, value in here.entries:
                if key.span.to(value.span).contains(span):
                    steps.append(Entry(here, key, value, keys))
                    keys, inner = (*keys, key.text), value
                    break
        elif isinstance(here, Sequence):
            for index, item in enumerate(here.items):
                if item.span.contains(span):
                    steps.append(Item(here, index, item))
                    keys, inner = (*keys, str(index)), item
                    break
        here = inner
    return Surroundings(tree, tuple(steps))
