"""Make the records of the nodes of a typed graph, each when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mimgraph.cost.cost import Cost, Costs
from mimgraph.inspection.node import Kind, Node, Nodes, Origin
from mimgraph.inspection.option_values import op_options
from mimgraph.inspection.sources import argument_names, source_text
from mimgraph.inspection.words import WORD_DEFAULTS, activation_options, words
from mimgraph.ir.dim import Size
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode
from mimgraph.ir.typed_operations import (
    Leaf,
    OneBody,
    Repeated,
    Scan,
    Shared,
    TypedOperation,
    Use,
    unwrap,
)
from mimgraph.ir.typed_operations import Sequence as Chain
from mimgraph.ir.types import Shape, TensorType
from mimgraph.support.objects import FrozenDict

_NO_NODES = Nodes((), dict[str, Node]().__getitem__)


def nodes(graph: TypedGraph) -> Nodes:
    """Return the nodes of a graph by name."""
    return _Level(_GraphCosts(graph)).body(graph.body)


class _GraphCosts:
    """The costs of a graph, which are computed for all of its nodes at once."""

    def __init__(self, graph: TypedGraph) -> None:
        self.graph = graph

    @cached_property
    def found(self) -> Costs:
        return Costs(self.graph)


@dataclass(frozen=True, eq=False)
class _Numbers:
    """The cost of a typed node or of one repeat of it, for `samples` samples."""

    costs: _GraphCosts
    of: TypedNode | Body
    samples: Size

    @cached_property
    def cost(self) -> Cost:
        costs = self.costs.found
        found = costs.body(self.of) if isinstance(self.of, Body) else costs.node(self.of)
        return found.at({"N": self.samples})

    @property
    def parameters(self) -> int:
        return self.cost.params

    @property
    def macs(self) -> int | str | None:
        return None if self.cost.uncounted else self.cost.macs.value


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Makes the nodes inside one module: the graph itself, a block, a chain, an `each`.

    `path` is the key of the module with a dot behind it. `samples` is the size of the batch in it
    for one sample of the graph, which is larger inside a node that runs `over` an axis.
    """

    costs: _GraphCosts
    path: str = ""
    samples: Size = 1

    def body(self, body: Body) -> Nodes:
        """Return the nodes of a body."""
        if body.is_chain:
            return self.items(body.nodes[0].operation.items)
        return Nodes(
            body.by_name,
            lambda name: self.node(body.by_name[name], body.by_name),
            inputs=body.inputs,
        )

    def items(self, items: Sequence[TypedNode]) -> Nodes:
        """Return the nodes of a chain or of an `each`."""
        by_name = {item.name: item for item in items}
        return Nodes(by_name, lambda name: self.node(by_name[name], {}))

    def node(self, node: TypedNode, around: Mapping[str, TypedNode]) -> Node:
        """Return the record of a node, whose sources are among the nodes `around` it."""
        arguments = argument_names(node)
        sources = {
            arguments[key]: source_text(value, around) for key, value in node.arguments.items()
        }
        return Node(
            node.name,
            f"{self.path}{node.name}",
            node.op_name,
            kind(node.operation),
            _frozen(dict(_options(node))),
            FrozenDict(sources),
            _shape(node.type),
            None if node.type is None else node.type.dtype,
            FrozenDict({port: type_ for port, type_ in node.results.items() if port}),
            self.inside(node),
            Origin(node.declared.span),
            _Numbers(self.costs, node, self.samples),
        )

    def inside(self, node: TypedNode) -> Nodes:
        """Return the nodes inside a node; a node that shares a module has none."""
        operation = node.operation
        samples = self.samples if node.fold is None else self.samples * node.fold.size
        level = _Level(self.costs, f"{self.path}{node.name}.", samples)
        if operation.items:
            return level.items(operation.items)
        if operation.merge or not operation.bodies:
            return _NO_NODES
        if isinstance(operation, Repeated) and not operation.shared:
            return level.repeats(operation, node)
        return level.body(operation.bodies[0])

    def repeats(self, repeated: Repeated, node: TypedNode) -> Nodes:
        """Return the repeats of a block by number; other names find nodes in the first repeat."""
        bodies = {repeated.key(index): body for index, body in enumerate(repeated.bodies)}
        return Nodes(bodies, lambda key: self.repeat(key, bodies[key], node), first=repeated.key(0))

    def repeat(self, key: str, body: Body, node: TypedNode) -> Node:
        """Return the record of one repeat of a block."""
        level = _Level(self.costs, f"{self.path}{key}.", self.samples)
        only = body.results.get("")
        return Node(
            key,
            f"{self.path}{key}",
            body.family,
            "block",
            _frozen(body.params),
            FrozenDict({}),
            _shape(only),
            None if only is None else only.dtype,
            FrozenDict({port: type_ for port, type_ in body.results.items() if port}),
            level.body(body),
            Origin(node.declared.span),
            _Numbers(self.costs, body, self.samples),
        )


def kind(operation: TypedOperation) -> Kind:
    """Return which kind of node an operation makes."""
    match operation:
        case Shared():
            return "share"
        case Leaf(kind=found):
            return found  # type: ignore[return-value]  # it is the kind of an op
        case Chain():
            return "seq"
        case Scan():
            return "scan"
        case Use(merge=merge) if merge:
            return "merge"
        case Use() | Repeated():
            return "block"
    return "each"


def _options(node: TypedNode) -> Iterator[tuple[str, Any]]:
    """Yield the options of a node and of the operation that it shares or applies to each source."""
    operation = unwrap(node.operation)
    if operation.branches:
        yield from _together([dict(_options(item)) for item in operation.branches])
    elif isinstance(operation, Leaf) or operation.merge:
        assert isinstance(operation, Leaf | Use)
        yield from ((option.name, option.value) for option in op_options(operation))
    elif isinstance(operation, OneBody):
        yield from operation.body.params.items()
    elif isinstance(operation, Repeated):
        yield from _together([body.params for body in operation.bodies])
    if operation.activation is not None:
        given = activation_options(operation.activation)
        name = operation.activation_name
        yield "activation", {name: given} if given else name
    for word, value in words(node).items():
        if word not in WORD_DEFAULTS or value != WORD_DEFAULTS[word]:
            yield word, value


def _together(uses: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield each option of several uses: its value if that is one for all, else a tuple of the values."""
    for name in dict.fromkeys(name for use in uses for name in use):
        values = [use.get(name) for use in uses]
        yield name, values[0] if all(value == values[0] for value in values) else tuple(values)


def _frozen(value: Any) -> Any:
    """Return data without anything that can change: tuples, frozen mappings, and Python's own numbers."""
    if isinstance(value, Mapping):
        return FrozenDict({key: _frozen(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return _plain_number(value)


def _plain_number(value: Any) -> Any:
    """Return a number without the expression that gave it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if isinstance(value, int) else float(value)
    return value


def _shape(type_: TensorType | None) -> Shape | None:
    return None if type_ is None else Shape(map(_plain_number, type_.shape))
