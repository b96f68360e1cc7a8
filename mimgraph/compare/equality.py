"""Decide whether two typed graphs are the same, however their specs are written.

Defaults, expressions, docs, the names of blocks and the order of nodes make no difference.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from mimgraph.ir.code import Code
from mimgraph.ir.lowering import Module
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode
from mimgraph.ir.typed_operations import Leaf, TypedOperation


def same(one: TypedGraph, other: TypedGraph, numbers: ValueNumbers | None = None) -> bool:
    """Return whether two graphs have the same name, inputs, nodes and outputs."""
    numbers = numbers or ValueNumbers()
    if one.name != other.name or one.body.outputs.keys() != other.body.outputs.keys():
        return False
    return numbers.body(one.body) == numbers.body(other.body)


def content_hash(graph: TypedGraph) -> int:
    """Return a hash that is the same for graphs that are the same."""
    return hash((graph.name, frozenset(graph.body.outputs), _ContentHashes().body(graph.body)))


class ValueNumbers:
    """Value numbering of bodies: equal bodies have equal numbers, and each is looked at once."""

    def __init__(self) -> None:
        self._by_content: dict[Hashable, int] = {}
        self._by_body: dict[Body, int] = {}
        self._by_node: dict[TypedNode, Hashable] = {}

    def body(self, body: Body) -> int:
        """Return the number of a body."""
        if body not in self._by_body:
            self._by_body[body] = self._number(self._content(body))
        return self._by_body[body]

    def _number(self, content: Hashable) -> int:
        """Return the number of all bodies with this content."""
        return self._by_content.setdefault(content, len(self._by_content))

    def operation(self, node: TypedNode) -> Hashable:
        """Return a key of the computation of a node, without its name and its sources."""
        if node not in self._by_node:
            self._by_node[node] = self._operation(node.operation)
        return self._by_node[node]

    def _content(self, body: Body) -> Hashable:
        outputs: Hashable = frozenset(body.outputs.items())
        if len(body.outputs) == 1:  # no reader uses the name of a block's only output
            outputs = tuple(body.outputs.values())
        nodes = frozenset(
            (node.name, self._node(node), _items(node.arguments)) for node in body.nodes
        )
        inputs = tuple(body.inputs.items())
        given = outputs, body.training, frozenset(body.batch_dims.items())
        return body.is_chain, inputs, body.optional, given, nodes

    def _node(self, node: TypedNode) -> Hashable:
        over = node.over and node.over.axis
        key = node.default, over, node.is_frozen, self.operation(node)
        return key if node.training is None else (*key, node.training)

    def _operation(self, operation: TypedOperation) -> Hashable:
        if isinstance(operation, Leaf):
            return leaf_key(operation)
        items = tuple([(item.name, self._node(item)) for item in operation.items])
        bodies = tuple(map(self.body, operation.bodies))
        return type(operation), operation.traits, comparable(operation.activation), items, bodies


class _ContentHashes(ValueNumbers):
    """Numbers bodies by the hashes of their contents, which do not depend on other bodies."""

    def _number(self, content: Hashable) -> int:
        return hash(content)


def leaf_key(leaf: Leaf) -> Hashable:
    """Return a key of an op, the arguments of its module and its code: all that options decide."""
    lowering = leaf.lowering
    ports = tuple((name, comparable(port.code)) for name, port in lowering.ports.items())
    code = (lowering.call, lowering.fallback, lowering.skipping, leaf.activation)
    return (
        leaf.kind,
        leaf.name,
        comparable(lowering.module),
        _items(lowering.steps),
        ports,
        tuple(map(comparable, code)),
    )


def _items(values: Mapping[str, Any]) -> Hashable:
    return frozenset((name, comparable(value)) for name, value in values.items())


def comparable(value: Any) -> Hashable:
    """Return a key that is equal for equal values: 1, 1.0 and True differ, a list and a tuple do
    not, and neither do numbers that different expressions gave."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return kind, value
    if isinstance(value, int):  # `WrittenInt` too
        return int, int(value)
    if isinstance(value, float):
        return float, repr(float(value))  # nan is equal to itself, 0.0 not to -0.0
    if isinstance(value, list | tuple):
        return "list", *map(comparable, value)
    if isinstance(value, Code):
        kept = (getattr(value, name) for name in value.__match_args__ if name != "written")
        return kind, *map(comparable, kept)
    if isinstance(value, Module):
        return value.name, _items(value.arguments)
    if isinstance(value, Mapping):
        return _items(value)
    return kind, value
