"""Where a reshape is a copy: behind views that move, repeat or leave out values."""

from __future__ import annotations

from mimgraph.ir.typed import Body, Leaf, TypedNode, Value, unwrap


def copies(body: Body) -> set[TypedNode]:
    """The nodes at any depth that are views of most sources, but copies of what may be scattered.

    The inputs of a block, and what an op makes, are taken to lie in the order of their axes.
    """
    walk = _Walk()
    walk.body(body)
    return walk.copies


class _Walk:
    """Follows what may be scattered: have gaps or another order in memory than its axes have."""

    def __init__(self) -> None:
        self.copies: set[TypedNode] = set()
        self.bodies: dict[Body, bool] = {}

    def body(self, body: Body) -> bool:
        """Whether an output may be scattered; each distinct body is gone through once."""
        if body not in self.bodies:
            found: set[str] = set()
            for node in body.order:
                if self.node(node, any(_node(value) in found for value in node.arguments.values())):
                    found.add(node.name)
            self.bodies[body] = any(_node(value) in found for value in body.outputs.values())
        return self.bodies[body]

    def node(self, node: TypedNode, scattered: bool) -> bool:
        """Whether a result may be scattered, given whether a source may."""
        operation = unwrap(node.operation)
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
        return scattered and operation.activation is None


def _node(value: Value) -> str:
    """The name of the node that a value is of."""
    return value.name.partition(".")[0]
