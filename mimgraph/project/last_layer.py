"""Find the layer that makes an output, and which outputs are computed from others."""

from __future__ import annotations

from mimgraph.ir.typed.graph import Body, TypedNode, Value
from mimgraph.ir.typed.operations import Leaf, unwrap

# layers that hand on what they are given, or a part of it
TRANSPARENT = {"Dropout", "Identity", "Cast", "Select", "Slice", "Squeeze", "Contiguous"}


def last_layer(body: Body, value: Value) -> str:
    """Return the name of the layer, merge or activation that makes a result; "" for an input."""
    name, _, item = value.name.partition(".")
    node = body.by_name.get(name)
    if node is None:
        return ""
    if item and (branch := node.operation.branch(item)) is not None:
        node = branch
    return _last(body, node, value.port)


def _last(body: Body, node: TypedNode, port: str) -> str:
    operation = unwrap(node.operation)
    if isinstance(operation, Leaf):
        if operation.activation_name:
            return operation.activation_name
        sources = [*node.arguments.values()]
        if operation.name in TRANSPARENT and sources:
            return last_layer(body, sources[0]) or operation.name
        return operation.name
    if operation.steps:
        made = [one for one in operation.steps if one.op_name not in TRANSPARENT]
        return _last(body, (made or [*operation.steps])[-1], "")
    if activation := getattr(operation, "activation_name", ""):
        return str(activation)
    if operation.bodies:
        inner = operation.bodies[-1]
        found = inner.outputs.get(port) or next(iter(inner.outputs.values()))
        return last_layer(inner, found)
    return ""


def sources_of(body: Body, value: Value) -> set[Value]:
    """Return all results that a result is computed from, itself left out."""
    found: set[Value] = set()
    waiting = [value]
    while waiting:
        node = body.by_name.get(waiting.pop().name.partition(".")[0])
        for source in node.arguments.values() if node is not None else ():
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found
