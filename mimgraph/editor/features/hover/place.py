"""Find the keys, the node and the block around the place that a hover describes."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from typing import NamedTuple

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.editor.analysis import Analysis
from mimgraph.editor.features.node_facts import Facts
from mimgraph.editor.features.uses import Scope, Uses
from mimgraph.ir.declared_graph import Block, Node, Source
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


class HoverPlace:
    """A place with the keys, the node and the block around it, and the typed uses of these.

    `span` is what the hover marks; it becomes smaller where only a part of a text is described.
    """

    def __init__(
        self,
        analysis: Analysis,
        uses: Uses | None,
        facts: Facts,
        path: TreePath,
        line: int,
        column: int,
    ) -> None:
        self.declared = analysis.declared
        self.uses, self.facts, self.path = uses, facts, path
        self.line, self.column = line, column
        self.span = path.scalar.span
        self.node, self.block = self._around()

    def _around(self) -> tuple[Node | None, Block | None]:
        """Return the innermost node and the block at the place."""
        if self.declared is None:
            return None, None
        keys = self.path.texts
        in_block = keys[:1] == ("blocks",) and len(keys) > 1
        block = self.declared.blocks.get(keys[1]) if in_block else None
        if in_block and block is None:
            return None, None
        nodes = block.nodes if block is not None else self.declared.nodes
        if block is not None and block.is_chain and nodes and nodes[0].applied:
            nodes = nodes[0].applied.items
        found = None
        while True:
            inner = next((one for one in nodes if self.is_in(one.whole or one.span)), None)
            if inner is None:
                return found, block
            found, nodes = inner, inner.applied.items if inner.applied else ()

    def is_in(self, span: Span | None) -> bool:
        """Return whether the place is in a span of the spec."""
        return (
            span is not None
            and span.file is self.span.file
            and contains(span, self.line, self.column)
        )

    def source_at(self, sources: Iterable[Source]) -> Source | None:
        """Return the source at the place."""
        return next((one for one in sources if self.is_in(one.span)), None)

    def argument_at(self, sources: Iterable[Source]) -> Source | None:
        """Return the source that fills the argument at the place, under the argument's name."""
        named = (one for one in sources if one.argument is not None)
        return next((one for one in named if self.is_in(one.argument_span)), None)

    def scopes(self) -> SequenceOf[Scope]:
        """Return the uses of the block around the place, or the graph."""
        if self.uses is None:
            return ()
        if self.block is not None:
            return self.uses.blocks.get(self.block.family, ())
        return (self.uses.graph,)
