"""Find the node and the block around the place that a hover describes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mimgraph.editor.analysis import Analysis
from mimgraph.editor.features.node_facts import Facts
from mimgraph.editor.features.tree_path import TreePath, contains
from mimgraph.editor.features.uses import Scope, Uses
from mimgraph.ir.declared.graph import Block, Node, Source
from mimgraph.source import Span


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
        for one in sources:
            if one.argument is not None and self.is_in(one.argument_span):
                return one
        return None

    def scopes(self) -> Sequence[Scope]:
        """Return the uses of the block around the place, or the graph."""
        if self.uses is None:
            return ()
        if self.block is not None:
            return self.uses.blocks.get(self.block.family, ())
        return (self.uses.graph,)
