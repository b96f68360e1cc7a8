"""Find the reshapes that copy, because a view before them gave a non-contiguous tensor."""

from __future__ import annotations

from mimgraph.ir.typed.graph import Body, TypedNode, Value
from mimgraph.ir.typed.operations import Leaf, unwrap


def copies(body: Body) -> set[TypedNode]:
    """Return the nodes, at any depth, that usually give a view but here copy.

    The inputs of a graph or block, and the new results of ops, are assumed to be contiguous.
    """
    walk = _Walk()
    walk.body(body)
    return walk.copies


class _Walk:
    """Follows tensors that may be non-contiguous: with gaps, or strided in another order than the axes."""

    def __init__(self) -> None:
        self.copies: set[TypedNode] = set()
        self.bodies: dict[Body, bool] = {}

    def body(self, body: Body) -> bool:
        """Return whether an output may be non-contiguous; each body is walked once."""
        if body not in self.bodies:
            found: set[str] = set()
            for node in body.order:
                if self.node(node, any(_node(value) in found for value in node.arguments.values())):
                    found.add(node.name)
            self.bodies[body] = any(_node(value) in found for value in body.outputs.values())
        return self.bodies[body]

    def node(self, node: TypedNode, scattered: bool) -> bool:
        """Return whether a result may be non-contiguous, given whether a source may be."""
        operation = unwrap(node.operation)
        moves = node.fold is not None and node.fold.axis > 1
        scattered = scattered and not moves  # a source is copied to fold such an axis
        if isinstance(operation, Leaf):
            lowering = operation.lowering
            if scattered and lowering.gathers:
                self.copies.add(node)
                scattered = False
            scattered = lowering.makes == () and (scattered or lowering.scatters)
        elif operation.bodies:
            ran = [self.body(body) for body in operation.bodies]
            scattered = any(ran)
        elif operation.branches:
            made = [self.node(item, scattered) for item in operation.branches]
            scattered = any(made)
        else:
            for item in operation.items:
                scattered = self.node(item, scattered)
        return moves or (scattered and operation.activation is None)


def _node(value: Value) -> str:
    """Return the name of the node that makes a value."""
    return value.name.partition(".")[0]
