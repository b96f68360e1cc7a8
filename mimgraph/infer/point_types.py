"""Keep the typed nodes of a graph from one point of a search to the next."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

from mimgraph.infer.names_read import in_nodes
from mimgraph.infer.state import Context
from mimgraph.ir.declared.graph import Graph, Node
from mimgraph.ir.declared.operations import Apply
from mimgraph.ir.expression import identity
from mimgraph.ir.presence import ALWAYS
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.typed.operations import Leaf
from mimgraph.ir.types import Constraint

MOST = 20_000  # typed nodes that are kept

TypeNode = Callable[[Context, Node], TypedNode | None]


class _Known(NamedTuple):
    """A typed node, with what it adds to its graph: constraints, and characters of options."""

    typed: TypedNode
    constraints: Mapping[Constraint, None]
    length: int


class PointTypes:
    """The typed layers and merges of the graph itself, at all points that were typed.

    The type of a node follows from the values of the params that it reads, and the types of its sources.
    """

    def __init__(self, graph: Graph) -> None:
        self._names = {node.name: tuple(dict.fromkeys(in_nodes((node,)))) for node in graph.nodes}
        self._known: dict[Hashable, _Known] = {}

    def type_node(self, context: Context, node: Node, type_node: TypeNode) -> TypedNode | None:
        """Return the typed node, typed only if it is not kept."""
        sources = _sources(context, node) if isinstance(node.operation, Apply) else None
        if sources is None:
            return type_node(context, node)
        values = tuple([identity(context.env.get(name)) for name in self._names[node.name]])
        key = node.name, values, sources
        known = self._known.get(key)
        if known is None:
            return self._type_anew(context, node, type_node, key)
        context.state.write(known.length, node.span)
        context.state.require(known.constraints)
        return known.typed

    def _type_anew(
        self, context: Context, node: Node, type_node: TypeNode, key: Hashable
    ) -> TypedNode | None:
        """Return the typed node, and keep it if it follows from the key alone."""
        state = context.state
        found, length = state.report.diagnostics, state.length
        before = len(found), len(state.sums), len(state.summands)
        around, state.constraints = state.constraints, {}
        typed = type_node(context, node)
        own, state.constraints = state.constraints, around
        state.require(own)
        after = len(state.report.diagnostics), len(state.sums), len(state.summands)
        is_alone = state.report.diagnostics is found and after == before
        if is_alone and typed is not None and _is_kept(typed) and len(self._known) < MOST:
            self._known[key] = _Known(typed, own, state.length - length)
        return typed


def _is_kept(typed: TypedNode) -> bool:
    is_plain = typed.presence == ALWAYS and not (typed.presences or typed.without)
    return is_plain and isinstance(typed.operation, Leaf)


def _sources(context: Context, node: Node) -> Hashable | None:
    """Return what a node can see of its sources; None if one is not always given, or is no result."""
    if node.sources is None:
        return None
    found: list[Any] = []
    for source in node.sources:
        name, port = source.name, source.port
        if name in context.inputs:
            type_ = context.inputs[name]
            is_odd = name in context.optional or name in context.scope.nodes or port is not None
            if type_ is None or is_odd:
                return None
            found.append(type_.key)
            continue
        typed = context.typed.get(name)
        if typed is None or typed.presence != ALWAYS or typed.presences:
            return None
        if (typed.default if port is None else port) not in typed.results:
            return None
        results = [(port, type_.key) for port, type_ in typed.results.items()]
        found.append((typed.default, typed.is_own, *results))
    return tuple(found)
