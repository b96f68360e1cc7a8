"""Keep the typed nodes of a graph from one point of a search to the next."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from mimgraph.infer.kept_types import Kept, KeptTypes, Producer, producers
from mimgraph.infer.names_read import in_nodes
from mimgraph.infer.scope import Context
from mimgraph.ir.declared.graph import Graph, Node
from mimgraph.ir.declared.operations import Apply
from mimgraph.ir.expression import identity
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.types import TensorType

MOST = 20_000  # typed nodes that are kept


class PointTypes(KeptTypes):
    """The typed layers and merges of the graph itself, at all points that were typed.

    The type of a node follows from the values of the params that it reads, and the types of its sources.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._names = {node.name: tuple(dict.fromkeys(in_nodes((node,)))) for node in graph.nodes}
        self._known: dict[Hashable, Kept] = {}

    def enter(self, context: Context) -> None:
        """Take the inputs as they are: params may decide their types."""

    def type_node(
        self, context: Context, node: Node, type_node: Callable[[Context, Node], TypedNode | None]
    ) -> TypedNode | None:
        """Return the typed node, typed only if it is not kept."""
        if not isinstance(node.operation, Apply) or node.sources is None:
            return type_node(context, node)
        sources = producers(context, node)
        if sources is None:
            return type_node(context, node)
        values = tuple([identity(context.env.get(name)) for name in self._names[node.name]])
        key = node.name, values, tuple(map(_key, sources))
        known = self._known.get(key)
        if known is None:
            typed = self.type_anew(context, node, type_node, "", sources)
            known = self.taken(node.name)
            if known is not None and len(self._known) < MOST:
                self._known[key] = known
            return typed
        context.state.write(known.needs.length, node.span)
        context.state.require(known.needs.constraints)
        return known.typed


def _key(producer: Producer) -> Hashable:
    """Return what a node that reads an input or another node can see of it."""
    if isinstance(producer, TensorType):
        return producer.key
    found: list[Any] = [producer.default, producer.is_own]
    for port, type_ in producer.results.items():
        found += port, type_.key
    return tuple(found)
