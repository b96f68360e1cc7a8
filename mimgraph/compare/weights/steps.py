"""Write a typed graph as the layers that run, in order, with blocks and chains opened.

A layer that moved into a block is then the same step as before. What cannot be opened, a scan or a
loop of unknown length, is one step; the modules inside it are listed as all others.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple

from mimgraph.compare.equality import ValueNumbers, comparable, leaf_key
from mimgraph.compare.model import dotted
from mimgraph.ir.code import Code
from mimgraph.ir.dim import Dim
from mimgraph.ir.typed_graph import Body, Presence, TypedGraph, TypedNode, Value
from mimgraph.ir.typed_operations import (
    Each,
    Leaf,
    Repeated,
    Scan,
    Sequence,
    Shared,
    TypedOperation,
    Use,
    unwrap,
)
from mimgraph.ir.types import TensorType

INPUT, TENSOR, COUNTER = "<input>", "<tensor>", "<counter>"  # producers that are no step


class At(NamedTuple):
    """A value: the number or kind of its producer, and the port, input or key that it is there."""

    producer: int | str
    port: str


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One run of a layer, or of an activation or a closed node, for which `leaf` is None.

    `place` is its dotted name, `path` the key of its module: that of another place for a share.
    Steps with equal keys do the same from the same values with the same weights.
    """

    number: int
    place: str
    path: str
    op: str
    leaf: Leaf | None
    key: Hashable
    operands: Mapping[str, At]
    default: str | None
    when: Presence
    ports: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Steps:
    """The steps of a graph, its modules by the prefix of their keys, and the types of its values.

    `results` has the value of each result of a node, also of one that is opened, by place and port.
    """

    steps: list[Step] = field(default_factory=list)
    modules: dict[str, Leaf] = field(default_factory=dict)
    outputs: dict[str, At] = field(default_factory=dict)
    types: dict[At, TensorType] = field(default_factory=dict)
    results: dict[tuple[str, str], At] = field(default_factory=dict)


def steps(graph: TypedGraph, numbers: ValueNumbers) -> Steps:
    """Return the steps of a graph; `numbers` give what cannot be opened its key."""
    found = Steps(modules=dict(_modules(graph.body)))
    inputs = {name: At(INPUT, name) for name in graph.body.inputs}
    found.types.update((inputs[name], type_) for name, type_ in graph.body.inputs.items())
    found.outputs.update(_Opener(found, numbers).body(graph.body, _Frame("", "", inputs, None)))
    return found


def _modules(body: Body, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield the layers that have modules of their own, by the prefix of the keys of their tensors."""
    for node in body.nodes:
        yield from _inside(node.operation, dotted(path, node.name))


def _inside(operation: TypedOperation, path: str) -> Iterator[tuple[str, Leaf]]:
    if isinstance(operation, Leaf) and operation.lowering.module is not None:
        yield path, operation
    for key, node in operation.inner():
        yield from _inside(node.operation, dotted(path, key))


@dataclass(slots=True, eq=False)
class _Frame:
    """A body that is being opened: where it is, what fills its inputs, and the frame that uses it."""

    place: str
    path: str
    inputs: Mapping[str, At]
    outer: _Frame | None
    body: Body | None = None
    values: dict[tuple[str, str], At] = field(default_factory=dict)

    def owner(self, name: str) -> str:
        """Return the path of the module of a node, by its name here or around here."""
        head, _, item = name.partition(".")
        frame: _Frame | None = self
        while frame is not None and (frame.body is None or head not in frame.body.by_name):
            frame = frame.outer
        assert frame is not None and frame.body is not None
        operation = frame.body.by_name[head].operation
        if isinstance(operation, Shared):
            return frame.owner(dotted(operation.owner, item))
        if item and (branch := operation.branch(item)) is not None:
            if operation.sole is not None:
                return dotted(frame.path, head)
            if isinstance(branch.operation, Shared):
                return frame.owner(branch.operation.owner)
        return dotted(frame.path, name)


class _Opener:
    """Opens bodies, and adds their steps."""

    def __init__(self, found: Steps, numbers: ValueNumbers) -> None:
        self.found, self.numbers = found, numbers
        self._number = count()

    def body(self, body: Body, frame: _Frame) -> dict[str, At]:
        """Add the steps of a body; return the values of its outputs."""
        frame.body = body
        for node in body.order:
            operands = {key: self._value(value, frame) for key, value in node.arguments.items()}
            place, path = dotted(frame.place, node.name), dotted(frame.path, node.name)
            for port, at in self.node(node, place, path, operands, frame).items():
                frame.values[node.name, port] = at
        return {name: self._value(value, frame) for name, value in body.outputs.items()}

    def _value(self, value: Value, frame: _Frame) -> At:
        """Return a value of a body: an input, a result, or a learned tensor."""
        if (value.name, value.port) in frame.values:
            return frame.values[value.name, value.port]
        if frame.body is not None and value.name in frame.body.inputs:
            return frame.inputs.get(value.name, At(INPUT, ""))
        return At(TENSOR, dotted(frame.owner(value.name), value.port))

    def node(
        self, node: TypedNode, place: str, path: str, operands: Mapping[str, At], frame: _Frame
    ) -> dict[str, At]:
        """Add the steps of a node; return its results by port."""
        found = self._opened(node, place, path, operands, frame)
        self.found.results.update(((place, port), at) for port, at in found.items())
        return found

    def _opened(
        self, node: TypedNode, place: str, path: str, operands: Mapping[str, At], frame: _Frame
    ) -> dict[str, At]:
        operation = node.operation
        if isinstance(operation, Shared):
            path, operation = frame.owner(operation.owner), unwrap(operation)
        if _is_closed(node):
            return self._closed(node, place, path, operands)
        match operation:
            case Leaf():
                return self._leaf(node, operation, place, path, operands)
            case Sequence():
                return self._chain(operation, place, path, operands, frame)
            case Use():
                return self._use(node, operation, _Frame(place, path, operands, frame))
            case Repeated():
                return self._repeats(operation, _Frame(place, path, operands, frame))
            case Each():
                return self._branches(operation, place, path, operands, frame)
        raise AssertionError(operation)

    def _leaf(
        self, node: TypedNode, leaf: Leaf, place: str, path: str, operands: Mapping[str, At]
    ) -> dict[str, At]:
        function = leaf.lowering.function
        if function is not None and not leaf.has_state and len(operands) == 1:
            key = _function_key(function)
        else:
            alone = leaf if leaf.activation is None else replace(leaf, activation=None)
            key = leaf_key(alone)
        key, default = (key, node.presence), leaf.lowering.default
        number = next(self._number)
        step = Step(number, place, path, leaf.name, leaf, key, operands, default, node.presence)
        found = self._add(step, leaf.lowering.results)
        if leaf.activation is not None and default is not None:
            found |= self._activation(leaf.activation, leaf, node, place, found[default])
        return found

    def _activation(
        self, code: Code, operation: Leaf | Use, node: TypedNode, place: str, source: At
    ) -> dict[str, At]:
        """Add the activation of the default result as a step of its own, as if it were a layer."""
        port, name = node.default or "", operation.activation_name
        key = _function_key(code), node.presence
        number = next(self._number)
        operands = {"input": source}
        self._add(
            Step(number, f"{name} of {place}", "", name, None, key, operands, "", node.presence),
            {"": self.found.types[source]},
        )
        return {port: At(number, "")}

    def _add(self, step: Step, results: Mapping[str, TensorType]) -> dict[str, At]:
        self.found.steps.append(replace(step, ports=tuple(results)))
        found = {port: At(step.number, port) for port in results}
        self.found.types.update((at, results[port]) for port, at in found.items())
        return found

    def _closed(
        self, node: TypedNode, place: str, path: str, operands: Mapping[str, At]
    ) -> dict[str, At]:
        """Add a node that is not opened as one step."""
        borrows = any(body.borrowed for body in unwrap(node.operation).bodies)
        over = node.over and (node.over.axis, str(node.over.size))
        # a body that uses modules from outside equals no other
        own = object() if borrows else None
        key = self.numbers.operation(node), over, node.presence, own
        number = next(self._number)
        step = Step(
            number, place, path, node.op_name, None, key, operands, node.default, node.presence
        )
        return self._add(step, node.results)

    def _chain(
        self, chain: Sequence, place: str, path: str, operands: Mapping[str, At], frame: _Frame
    ) -> dict[str, At]:
        (value,) = operands.values()
        found = {"": value}
        for item in chain.items:
            names = dotted(place, item.name), dotted(path, item.name)
            found = self.node(item, *names, dict.fromkeys(item.arguments, value), frame)
            value = found.get(item.default or "", value)
        return found

    def _use(self, node: TypedNode, use: Use, inside: _Frame) -> dict[str, At]:
        found = _by_port(self.body(use.body, inside))
        if use.activation is not None and node.default is not None:
            found |= self._activation(use.activation, use, node, inside.place, found[node.default])
        return found

    def _repeats(self, repeated: Repeated, outer: _Frame) -> dict[str, At]:
        inputs = dict(outer.inputs)
        found = {port: inputs[name] for name, port in repeated.carried.items() if name in inputs}
        for index, body in enumerate(repeated.bodies):
            if repeated.counter:
                inputs[repeated.counter] = At(COUNTER, str(index))
            key = str(repeated.first + index)
            places = dotted(outer.place, key), dotted(outer.path, repeated.key(index))
            found = _by_port(self.body(body, _Frame(*places, dict(inputs), outer.outer)))
            inputs |= {name: found[port] for name, port in repeated.carried.items()}
        return found

    def _branches(
        self, each: Each, place: str, path: str, operands: Mapping[str, At], frame: _Frame
    ) -> dict[str, At]:
        found = {}
        for item in each.items:
            inner = path if each.sole is not None else dotted(path, item.name)
            if each.sole is not None:
                item = replace(item, operation=unwrap(item.operation))
            sources = dict.fromkeys(item.arguments, operands[item.name])
            made = self.node(item, dotted(place, item.name), inner, sources, frame)
            found[item.name] = made[item.default or ""]
        return found


def _is_closed(node: TypedNode) -> bool:
    """Return whether a node is one step: a loop whose steps are not told apart, or one over an axis."""
    operation = unwrap(node.operation)
    if isinstance(operation, Repeated):
        is_loop = isinstance(operation.times, Dim) or operation.collected is not None
        return is_loop or node.over is not None
    return isinstance(operation, Scan) or node.over is not None


def _by_port(outputs: dict[str, At]) -> dict[str, At]:
    """Return the outputs of a block as its results: a single one is the port ""."""
    return {"": next(iter(outputs.values()))} if len(outputs) == 1 else outputs


def _function_key(code: Code) -> Hashable:
    return "function", comparable(code)
