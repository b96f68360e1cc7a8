"""Find the first node that needs a constraint to hold when the module runs."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.ir.dims.dim import Dim
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.typed.graph import Body, TypedNode
from mimgraph.ir.typed.operations import Leaf, unwrap
from mimgraph.ir.types import Constraint, at_least_one
from mimgraph.source import Span


def needed_by(body: Body, constraint: Constraint) -> tuple[str, Span] | None:
    """Return the dotted name and the place of the first node that needs a constraint."""
    for path, node, lowering in leaves(body, "", set()):
        if constraint in _needs(lowering):
            return path, node.declared.span
    return None


def _needs(lowering: Lowering) -> Iterator[Constraint]:
    """Yield the constraints of an op: its own, and that no result is empty."""
    yield from lowering.requires
    for type_ in lowering.results.values():
        yield from (at_least_one(size) for size in type_.dims if isinstance(size, Dim))


Leaves = Iterator[tuple[str, TypedNode, Lowering]]


def leaves(body: Body, path: str, seen: set[Body]) -> Leaves:
    """Yield the layers and merges of each distinct body, with dotted names; the ops of a merge that is
    a block have the name of its node."""
    if body in seen:
        return
    seen.add(body)
    for node in body.order:
        yield from _leaves_in(node, path if body.is_chain else f"{path}{node.name}.", seen)


def _leaves_in(node: TypedNode, path: str, seen: set[Body]) -> Leaves:
    operation = unwrap(node.operation)
    if isinstance(operation, Leaf):
        yield path[:-1], node, operation.lowering
    for item in operation.items:
        yield from _leaves_in(item, f"{path}{item.name}.", seen)
    for index, body in enumerate(operation.bodies):
        key = operation.key(index)
        for found in leaves(body, f"{path}{key}." if key else path, seen):
            yield (path[:-1], node, found[2]) if operation.merge else found
