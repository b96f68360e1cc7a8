"""`share`: whose module a node uses again, and whether its inputs fit that module."""

from __future__ import annotations

from typing import Any

from mimgraph.analysis.state import Context, State
from mimgraph.diagnostics import Label
from mimgraph.ir.graph import Node, Share
from mimgraph.ir.typed import (
    Leaf,
    Sequence,
    Shared,
    TypedNode,
    TypedOperation,
    Use,
    unwrap,
)


def owner(context: Context, node: Node) -> Node | None:
    """The node whose module this one uses, which is itself unless it shares; None where told."""
    seen = {node.name}
    while isinstance(node.operation, Share):
        target = context.scope.nodes.get(node.operation.target)
        if target is None or target.name in seen:
            return None
        seen.add(target.name)
        node = target
    return node


def check_shared(state: State, context: Context) -> None:
    """A module used again must meet inputs of the same sizes."""
    for name, typed in context.typed.items():
        if typed is None or not isinstance(typed.operation, Shared):
            continue
        target = context.typed.get(typed.operation.target)
        if target is None or _modules(target.operation) == _modules(typed.operation):
            continue
        node, wants = context.scope.nodes[name], _fed(context, target)
        state.fault(
            "shape-mismatch",
            f"{target.name} is shared, so its input must be {wants}",
            node.sources[0].span if node.sources else node.span,
            context.path + name,
            note=_fed(context, typed),
            labels=(Label(context.scope.nodes[target.name].span, wants),),
        )
        context.typed[name] = None


def _fed(context: Context, typed: TypedNode) -> str:
    """The types of what feeds a node."""
    types = []
    for value in typed.arguments.values():
        made = context.typed.get(value.name)
        types.append(made.results[value.port] if made else context.inputs[value.name])
    return ", ".join(map(str, types))


def _modules(operation: TypedOperation) -> Any:
    """What two operations must have in common to be one module."""
    inner = unwrap(operation)
    if isinstance(inner, Leaf):
        module = inner.lowering.module
        return module and (module.name, dict(module.arguments))
    if isinstance(inner, Sequence):
        return [_modules(item.operation) for item in inner.items]
    if isinstance(inner, Use):
        return [_modules(node.operation) for node in inner.body.nodes]
    return [[_modules(node.operation) for node in body.nodes] for body in inner.bodies]
