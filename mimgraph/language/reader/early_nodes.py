"""Read nodes while the text is composed, so that the tree of a large spec is never whole in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.ir.declared.graph import Node
from mimgraph.language.reader.chains import read_item
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.nodes import read_node
from mimgraph.language.yaml_tree.tree import Declared, Mapping, Scalar, Tree
from mimgraph.language.yaml_tree.tree import Sequence as SequenceTree
from mimgraph.source import SourceFile

if TYPE_CHECKING:
    from mimgraph.language.yaml_tree.early import Open

LATER = ("blocks", "parts", "\\")  # what decides how a node is read; an escape may hide the words


class Faulty(Exception):
    """Raised at the first fault: the spec is read again, with its whole tree to explain the fault."""


class FaultlessReport(Report):
    """The report of a spec that is read as long as it has no faults."""

    def add(self, diagnostic: Diagnostic, *mentioned: str) -> None:
        raise Faulty

    def end(self) -> None:
        """Raise `Faulty` after a warning, or after a fault that is reported elsewhere."""
        if self.mentioned or self.renamed:
            raise Faulty


class EarlyNodes:
    """Reads each node, and each item of its `seq`, as soon as its mapping closes."""

    def __init__(self, file: SourceFile, report: FaultlessReport) -> None:
        self.context = Context(report, file.start)

    def declared(self, tree: Mapping, before: Sequence[Tree], around: Sequence[Open]) -> Mapping:
        """Return what stands in the tree for a mapping: itself, unless it is a node or an item."""
        depth = len(around)
        if depth not in (2, 4) or _key(around[1].outer) != "nodes":
            return tree
        if depth == 4:
            if around[3].kind is not SequenceTree or _key(around[3].outer) != "seq":
                return tree
            here = _key(around[2].outer)
            return Declared.of(read_item(self.context, str(len(before)), tree, here), tree.span)
        key = before[-1] if len(before) % 2 else None
        if around[1].kind is not Mapping or not isinstance(key, Scalar):
            return tree
        return Declared.of(self.node(key, tree), tree.span)

    def node(self, key: Scalar, tree: Mapping) -> Node:
        """Return a node."""
        return read_node(self.context, key, tree, "")

    def end(self, nodes: Sequence[Node]) -> None:
        """Raise `Faulty` if a node was noted as lost, or if two have one name."""
        if self.context.lost or self.context.misnamed or self.context.lost_blocks:
            raise Faulty
        if len({node.name for node in nodes}) < len(nodes):
            raise Faulty


def can_begin(text: str) -> bool:
    """Return whether the nodes of a text follow from their own text alone."""
    return not any(word in text for word in LATER)


def _key(outer: Sequence[Tree]) -> str:
    """Return the key of an open collection by the items of the one around it; "" if it has none."""
    key = outer[-1] if len(outer) % 2 else None
    return key.text if isinstance(key, Scalar) else ""
