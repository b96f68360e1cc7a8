"""Find the nodes of a graph that have most of an amount: parameters, MACs or memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mimgraph.cost.cost import Cost, Costs
from mimgraph.ir.typed.graph import TypedGraph, TypedNode
from mimgraph.ir.typed.operations import Use
from mimgraph.ir.typed.walks import needed_in_eval
from mimgraph.source import Span

MOST = 3  # nodes that a message names


class CostlyNode(NamedTuple):
    """A node with its dotted name, its place in the spec, and how much it has of an amount."""

    path: str
    span: Span
    amount: int


def largest(
    graph: TypedGraph, costs: Costs, only_eval: bool, amount: Callable[[Cost], int]
) -> list[CostlyNode]:
    """Return the nodes with the largest amounts, the largest first; `only_eval` leaves out those that
    run in training only."""
    found = costly_nodes(graph, costs, only_eval, amount)
    return sorted(found, key=lambda one: -one.amount)[:MOST]


def costly_nodes(
    graph: TypedGraph, costs: Costs, only_eval: bool, amount: Callable[[Cost], int]
) -> list[CostlyNode]:
    """Return the nodes that have something of an amount, in order; where a seq or block has all of it,
    the nodes inside it."""
    runs = needed_in_eval(graph.body) if only_eval else graph.body.by_name
    found = {
        (one.name, one): amount(costs.node(one)) for one in graph.body.nodes if one.name in runs
    }
    while True:
        having = {place: number for place, number in found.items() if number}
        if len(having) != 1:
            break
        ((sole, whole),) = having.items()
        found = {(path, one): amount(costs.node(one)) for path, one in _inside(*sole)}
        if sum(found.values()) != whole:  # nodes inside do not know what is frozen around them
            break
    return [CostlyNode(path, one.declared.span, n) for (path, one), n in having.items()]


def _inside(path: str, node: TypedNode) -> Iterator[tuple[str, TypedNode]]:
    """Yield the nodes inside a node that runs them once, on the same batch; none of other nodes."""
    operation = node.operation
    if node.fold is not None or (isinstance(operation, Use) and operation.merge):
        return
    items = operation.items
    if isinstance(operation, Use):
        body = operation.body
        items = body.nodes[0].operation.items if body.is_chain else body.nodes
    yield from ((f"{path}.{item.name}", item) for item in items)
