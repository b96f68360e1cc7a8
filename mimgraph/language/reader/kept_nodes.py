"""Keep the nodes that are read, for the next version of a spec that is being edited."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mimgraph.ir.declared.graph import Node
from mimgraph.language.reader.context import Context
from mimgraph.language.yaml_tree.tree import Scalar, Tree


class _Kept(NamedTuple):
    """A node, with what it was read from; the ids of its trees are valid as long as these live."""

    key: Scalar
    value: Tree
    path: str
    node: Node


class KeptNodes:
    """The nodes of the last version and of this one, by the trees from which they were read.

    `blocks` are the names of the blocks. A node is kept if reading it reports nothing and notes no lost names, so that it follows from its tree
    and the names of blocks alone.
    """

    def __init__(self) -> None:
        self.blocks: frozenset[str] = frozenset()
        self._last: dict[int, _Kept] = {}
        self._now: dict[int, _Kept] = {}

    def begin(self, blocks: frozenset[str]) -> None:
        """Begin another version, whose blocks have these names."""
        self._last = self._now if blocks == self.blocks else {}
        self.blocks, self._now = blocks, {}

    def read(
        self,
        context: Context,
        key: Scalar,
        value: Tree,
        path: str,
        read_node: Callable[[Context, Scalar, Tree, str], Node],
    ) -> Node:
        """Return the node of an entry, read only if it is not kept."""
        kept = self._last.get(id(value))
        if kept is None or not (kept.value is value and kept.key is key and kept.path == path):
            report = context.report
            mentioned, report.mentioned = report.mentioned, set()
            found, before = report.diagnostics, (len(report.diagnostics), len(report.renamed))
            node = read_node(context, key, value, path)
            is_noted = bool(report.mentioned or context.lost or context.misnamed)
            report.mentioned |= mentioned
            after = len(report.diagnostics), len(report.renamed)
            if is_noted or report.diagnostics is not found or after != before:
                return node
            kept = _Kept(key, value, path, node)
        self._now[id(value)] = kept
        return kept.node

    def of_graph(self) -> Iterator[tuple[Tree, Node]]:
        """Yield the kept nodes of the graph itself, each with its tree."""
        for kept in self._now.values():
            if not kept.path:
                yield kept.value, kept.node
