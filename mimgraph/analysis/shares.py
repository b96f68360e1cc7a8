"""`share`: whose module a node uses again, and whether its inputs fit that module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from mimgraph.analysis.state import Context, State
from mimgraph.diagnostics import Label
from mimgraph.ir.code import Code
from mimgraph.ir.dim import Dim, substitute, symbol, symbols
from mimgraph.ir.graph import Node, Share
from mimgraph.ir.typed import (
    Body,
    Leaf,
    Repeated,
    Sequence,
    Shared,
    TypedNode,
    TypedOperation,
    Use,
    unwrap,
)
from mimgraph.ir.types import TensorType


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
    """A module used again must meet inputs of the same sizes, so far as it knows them."""
    for name in context.typed:
        check_share(state, context, name)


def check_share(state: State, context: Context, name: str) -> None:
    """The same of one node, if it shares."""
    typed = context.typed[name]
    if typed is None or not isinstance(typed.operation, Shared):
        return
    target = context.typed.get(typed.operation.target)
    if target is None or _module(context, target) == _module(context, typed):
        return
    node, wants = context.scope.nodes[name], _shown(context, target)
    state.fault(
        "shape-mismatch",
        f"{target.name} is shared, so its input must be {wants}",
        node.sources[0].span if node.sources else node.span,
        context.path + name,
        note=_shown(context, typed),
        labels=(Label(context.scope.nodes[target.name].span, wants),),
    )
    context.typed[name] = None


def _shown(context: Context, typed: TypedNode) -> str:
    return ", ".join(map(str, _fed(context, typed)))


def _fed(context: Context, typed: TypedNode) -> Iterator[TensorType]:
    """The types of what feeds a node."""
    for value in typed.arguments.values():
        made = context.typed.get(value.name)
        type_ = made.results[value.port] if made else context.inputs[value.name]
        if type_ is not None:
            yield type_


def _module(context: Context, typed: TypedNode) -> Any:
    """What two nodes must have in common to be one module.

    That is how it is made and, of a chain or block, what its `forward` says. Named sizes are
    those of the axes they are read from, whatever their names.
    """
    names: dict[str, Dim] = {}
    for type_ in _fed(context, typed):
        for name in (name for dim in type_.dims for name in sorted(symbols(dim))):
            names.setdefault(name, symbol(f"size{len(names)}"))
    operation = unwrap(typed.operation)
    if isinstance(operation, Leaf):
        return _made(operation)
    return _inside(operation, names)


def _made(leaf: Leaf) -> Any:
    module = leaf.lowering.module
    return module and (module.name, dict(module.arguments))


def _inside(operation: TypedOperation, names: Mapping[str, Dim]) -> Any:
    """A module with its `forward`."""
    match unwrap(operation):
        case Leaf(lowering=lowering, activation=activation) as leaf:
            ports = [(port.code, port.alone) for port in lowering.ports.values()]
            return _made(leaf), _code((lowering.call, ports, activation), names)
        case Sequence(items):
            return [_inside(item.operation, names) for item in items]
        case Use(body):
            return _body(body, names)
        case Repeated(bodies):
            return [_body(body, names) for body in bodies]


def _body(body: Body, names: Mapping[str, Dim]) -> Any:
    return [(n.name, dict(n.arguments), _inside(n.operation, names)) for n in body.nodes]


def _code(value: Any, names: Mapping[str, Dim]) -> Any:
    """Code to compare: sizes by the names that they have here, without how they were written."""
    if isinstance(value, Dim):
        return substitute(value, names)
    if isinstance(value, Code):
        kept = (getattr(value, field.name) for field in fields(value) if field.name != "written")
        return type(value), [_code(item, names) for item in kept]
    return [_code(item, names) for item in value] if isinstance(value, list | tuple) else value
