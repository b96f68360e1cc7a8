"""Warn of a frozen block that shares a layer from outside, which goes on learning."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.outer_shares import outer_shares, shared_around
from mimgraph.ir.declared.graph import Graph, Node


def partly_frozen(graph: Graph) -> Iterator[Diagnostic]:
    """Yield a warning for each frozen node whose blocks share an outer layer that is not frozen."""
    bodies = [graph.nodes, *(block.nodes for block in graph.blocks.values())]
    if not any(node.freeze is True for nodes in bodies for node in nodes):
        return
    outer = outer_shares(graph.blocks, {node.name for node in graph.nodes})
    learning = {node.name for nodes in bodies for node in nodes if node.freeze is False}
    for nodes in bodies:
        frozen_here = {node.name for node in nodes if node.freeze is not False}
        for node in nodes:
            if node.freeze is True:
                names = dict.fromkeys(shared_around(node, outer))
                yield from (_warning(node, n) for n in names if n in learning - frozen_here)


def _warning(node: Node, name: str) -> Diagnostic:
    message = f"freeze does not reach {name}, which a block shares from outside"
    help = f"write freeze: true on the node {name} too, if it should not learn"
    return Diagnostic("partly-frozen", message, node.span, help=help, node=node.name)
