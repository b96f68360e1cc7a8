"""Whether two typed graphs are the same, however they were written.

Defaults, expressions, docs, the names of blocks and the order of nodes say nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields
from typing import Any

from mimgraph.ir.code import Code
from mimgraph.ir.lowering import Module
from mimgraph.ir.typed import (
    Body,
    Leaf,
    TypedGraph,
    TypedNode,
    TypedOperation,
)


def same(one: TypedGraph, other: TypedGraph, numbers: Numbers | None = None) -> bool:
    """Whether two graphs have the same name, inputs, nodes and outputs."""
    numbers = numbers or Numbers()
    if one.name != other.name or one.body.outputs.keys() != other.body.outputs.keys():
        return False
    return numbers.body(one.body) == numbers.body(other.body)


class Numbers:
    """Gives equal bodies equal numbers, so that one used often is compared once."""

    def __init__(self) -> None:
        self.by_content: dict[Hashable, int] = {}
        self.by_body: dict[Body, int] = {}
        self.by_node: dict[TypedNode, Hashable] = {}

    def body(self, body: Body) -> int:
        if body not in self.by_body:
            content = self.content(body)
            self.by_body[body] = self.by_content.setdefault(content, len(self.by_content))
        return self.by_body[body]

    def content(self, body: Body) -> Hashable:
        outputs: Hashable = frozenset(body.outputs.items())
        if len(body.outputs) == 1:  # the name of a block's only output is never seen
            outputs = tuple(body.outputs.values())
        nodes = frozenset(
            (node.name, self.node(node), _items(node.arguments)) for node in body.nodes
        )
        inputs = tuple(body.inputs.items())
        return body.is_chain, inputs, body.optional, outputs, body.training, nodes

    def node(self, node: TypedNode) -> Hashable:
        return node.default, node.is_frozen, self.operation(node)

    def operation(self, node: TypedNode) -> Hashable:
        """What a node does."""
        if node not in self.by_node:
            self.by_node[node] = self._operation(node.operation)
        return self.by_node[node]

    def _operation(self, operation: TypedOperation) -> Hashable:
        if isinstance(operation, Leaf):
            return _leaf(operation)
        items = tuple([(item.name, self.node(item)) for item in operation.items])
        bodies = tuple(map(self.body, operation.bodies))
        return type(operation), operation.traits, plain(operation.activation), items, bodies


def _leaf(leaf: Leaf) -> Hashable:
    """The op, what its module is made with, and the code that it is: all that its options say."""
    lowering = leaf.lowering
    ports = tuple((name, plain(port.code)) for name, port in lowering.ports.items())
    code = (lowering.call, lowering.fallback, lowering.skipping, leaf.activation)
    return (
        leaf.kind,
        leaf.name,
        plain(lowering.module),
        _items(lowering.steps),
        ports,
        tuple(map(plain, code)),
    )


def _items(values: Mapping[str, Any]) -> Hashable:
    return frozenset((name, plain(value)) for name, value in values.items())


def plain(value: Any) -> Hashable:
    """A value to compare: 1, 1.0 and True stay apart, how it was written is left out."""
    if isinstance(value, Module):
        return (value.name, _items(value.arguments))
    if isinstance(value, Code):
        kept = (getattr(value, f.name) for f in fields(value) if f.name != "written")
        return (type(value).__name__, *map(plain, kept))
    if isinstance(value, list | tuple):
        return ("list", *map(plain, value))
    if isinstance(value, Mapping):
        return _items(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return (type(value).__name__, value)
    return ("int", int(value)) if isinstance(value, int) else ("float", repr(float(value)))
