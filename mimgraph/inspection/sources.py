"""Say what a node reads: its sources as a spec names them, and the arguments that they fill."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.ir.typed_graph import TypedNode, Value
from mimgraph.ir.typed_operations import unwrap
from mimgraph.ops import registry


def source_text(value: Value, nodes: Mapping[str, TypedNode]) -> str:
    """Return `conv`, or `lstm.last` if the port is not the default."""
    node = nodes.get(value.name)
    is_default_port = node is None or value.port == node.default
    return value.name if is_default_port else f"{value.name}.{value.port}"


def operand_labels(node: TypedNode) -> Mapping[str, str]:
    """Return the operand that each source fills, `query` or `key`; "" if the op does not name them."""
    keys = node.arguments
    op = registry.applied(unwrap(node.operation)) if len(keys) > 1 else None
    named = op is not None and op.inputs.kind in ("tuple", "named")
    return {key: key if named else "" for key in keys}


def argument_names(node: TypedNode) -> Mapping[str, str]:
    """Return the argument that each source fills, by operand: torch's name, the name of a block's
    input, or the position if the op takes any number of sources."""
    op = registry.applied(unwrap(node.operation))
    if op is not None and op.inputs.kind == "many":
        return {operand: str(index) for index, operand in enumerate(node.arguments)}
    return {operand: operand for operand in node.arguments}
