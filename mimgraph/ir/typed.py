"""The graph as inferred: every node with the types of its results, blocks kept as bodies. Frozen.

Nodes and bodies (`eq=False`) are compared by identity, so that they can be keys; whether two graphs
are the same is asked of `compare.equality`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cache, cached_property
from itertools import chain
from typing import Any, NamedTuple

from mimgraph.ir.code import Code
from mimgraph.ir.graph import Call, Node
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.presence import ALWAYS, Presence, given
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.support.frozen_data import data

_NOTHING: Mapping[Any, Any] = {}


def _nothing() -> Mapping[Any, Any]:
    """What most nodes have, one for all."""
    return _NOTHING


class Value(NamedTuple):
    """A result in a body: an input (port "") or a port of a node."""

    name: str
    port: str


@data
class Leaf:
    """A layer or merge. `options` are all of them, defaults included; `activation` has INPUT as operand."""

    kind: str
    name: str
    options: Mapping[str, Any]
    lowering: Lowering
    activation: Code | None = None
    activation_name: str = ""


@data
class Sequence:
    """A chain of unary nodes."""

    items: tuple[TypedNode, ...]


@data
class Use:
    """One use of a block; `arguments` are its params as the user of it gave them.

    `merge` is the op of the catalogue that the block stands for, its options the arguments;
    `activation` is that of its default result, as of a `Leaf`.
    """

    body: Body
    arguments: Mapping[str, Any]
    merge: str = ""
    activation: Code | None = None
    activation_name: str = ""


@data
class Repeated:
    """A block several times in a row; one body for each time. `carried` names the inputs that
    each hands to the next, in the order of the outputs; `times` remembers how it was written;
    `first` is the number of the first, of which a stage may have left those before to another."""

    bodies: tuple[Body, ...]
    arguments: tuple[Mapping[str, Any], ...]
    shared: bool
    carried: tuple[str, ...]
    times: int
    first: int = 0


@data(slots=False)
class Each:
    """One operation on every source; each item is named by its port, and gives its default result."""

    items: tuple[TypedNode, ...]

    def item(self, port: str) -> TypedNode | None:
        """The item of that port."""
        return self._by_port.get(port)

    @cached_property
    def _by_port(self) -> Mapping[str, TypedNode]:
        return {item.name: item for item in self.items}


@data
class Shared:
    """The module of the node `target`, or of an `item` of its `each`, used again as `operation`."""

    target: str
    operation: TypedOperation
    item: str | None = None

    @property
    def owner(self) -> str:
        """What has the module, as a source would name it."""
        return self.target if self.item is None else f"{self.target}.{self.item}"


TypedOperation = Leaf | Sequence | Use | Repeated | Each | Shared


@data(eq=False)
class TypedNode:
    """A node with its sources resolved: `arguments` maps an operand's key to the value that fills it.

    `presence` is when it runs, of a block `presences` when its results are there. `is_own` tells
    what depends on no input. `without` is the node with arguments left out, by their keys, for
    when those are missing.
    """

    name: str
    operation: TypedOperation
    arguments: Mapping[str, Value]
    results: Mapping[str, TensorType]
    default: str | None
    declared: Node
    presence: Presence = ALWAYS
    presences: Mapping[str, Presence] = field(default_factory=_nothing)
    is_own: bool = False
    without: Mapping[frozenset[str], TypedNode] = field(default_factory=_nothing)

    def presence_of(self, port: str) -> Presence:
        """When a result is there."""
        return self.presences.get(port, self.presence)

    @property
    def type(self) -> TensorType | None:
        """The type of the default result, if there is one."""
        return None if self.default is None else self.results[self.default]

    @property
    def is_frozen(self) -> bool:
        """Whether it has weights or buffers of its own that stay as they are."""
        return self.declared.freeze and has_state(self.operation)


@data(eq=False, slots=False)
class Body:
    """The inside of the graph or of one distinct use of a block.

    `nodes` stand in the order in which their modules are made, `order` in the order they run.
    `results` are the types of the outputs by port, of a single one by "". `optional` are the inputs
    that may be left out, `training` the outputs given in training only.
    """

    family: str
    params: Mapping[str, Any]
    defaults: Mapping[str, Any]
    dims: Mapping[str, Any]
    inputs: Mapping[str, TensorType]
    nodes: tuple[TypedNode, ...]
    order: tuple[TypedNode, ...]
    outputs: Mapping[str, Value]
    results: Mapping[str, TensorType]
    is_chain: bool = False
    doc: str = ""
    optional: frozenset[str] = frozenset()
    training: frozenset[str] = frozenset()

    def presence_of(self, value: Value) -> Presence:
        """When an input or result of this body is there."""
        if value.name in self.inputs:
            return given(value.name) if value.name in self.optional else ALWAYS
        name, _, item = value.name.partition(".")
        return self.by_name[name].presence_of(item or value.port)

    def type_of(self, value: Value) -> TensorType:
        """The type of an input, a result or a learned tensor of this body."""
        if value.name in self.inputs:
            return self.inputs[value.name]
        name, _, item = value.name.partition(".")
        node = self.by_name[name]
        if item:
            (node,) = (one for one in single_nodes(node) if one.name == value.name)
        return port_type(node, value.port)

    @cached_property
    def by_name(self) -> Mapping[str, TypedNode]:
        """The nodes by name."""
        return {node.name: node for node in self.nodes}


def results_of(outputs: Mapping[str, TensorType]) -> Mapping[str, TensorType]:
    """The types of a body's outputs by port; a single one is the port ""."""
    return {"": next(iter(outputs.values()))} if len(outputs) == 1 else outputs


@data
class TypedGraph:
    """A checked graph: its body, what the inputs say of themselves, and what must hold at run time.

    A stage of a larger graph takes its inputs by position too, and gives its outputs as a tuple.
    """

    name: str
    body: Body
    input_docs: Mapping[str, str] = field(default_factory=dict)
    output_docs: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    is_stage: bool = False


def unwrap(operation: TypedOperation) -> Leaf | Sequence | Use | Repeated | Each:
    """What a node does, seen through `share`."""
    while isinstance(operation, Shared):
        operation = operation.operation
    return operation


def op_name(node: TypedNode) -> str:
    """`Conv2d`, `concat`, `seq`, or the name of the block; a share does what its target does."""
    match unwrap(node.operation):
        case Each(items):
            return op_name(items[0])
        case Leaf(name=name):
            return name
        case Sequence():
            return "seq"
        case Use(body, merge=merge):
            return merge or body.family
        case Repeated((body, *_)):
            return body.family
    declared = node.declared.operation
    return declared.block if isinstance(declared, Call) else "block"  # no repeats, so no body


def has_state(operation: TypedOperation) -> bool:
    """Whether there are weights or buffers that only this node keeps; those of inner nodes count."""
    match operation:
        case Leaf(lowering=lowering):
            module = lowering.module
            return module is not None and bool(module.weights or module.buffers)
        case Sequence(items) | Each(items):
            return any(has_state(item.operation) for item in items)
        case Shared():
            return False
    return any(has_state(node.operation) for body in used_bodies(operation) for node in body.nodes)


def single_nodes(node: TypedNode) -> tuple[TypedNode, ...]:
    """The node; of an `each` its items, as nodes of their own called `emb.city`."""
    if not isinstance(node.operation, Each):
        return (node,)
    return tuple(replace(i, name=f"{node.name}.{i.name}") for i in node.operation.items)


def port_type(node: TypedNode, port: str) -> TensorType:
    """The type of a result of a node, or of a learned tensor of its module."""
    found = node.results.get(port) or weight_type(node.operation, port)
    assert found is not None
    return found


def weight_type(operation: TypedOperation, path: str) -> TensorType | None:
    """The learned tensor that a node's module keeps under a dotted name: `weight`, `0.weight`."""
    found: TypedOperation | None = unwrap(operation)
    if isinstance(found, Each):  # whose modules may be another's
        name, _, path = path.partition(".")
        item = found.item(name)
        found = None if item is None else unwrap(item.operation)
    while found is not None and not isinstance(found, Leaf):
        name, _, path = path.partition(".")
        found = inside(found, name)
    if found is None or found.lowering.module is None or not path:
        return None
    shape = found.lowering.module.weights.get(path)
    return None if shape is None else TensorType(shape, batched=False)


def inside(operation: TypedOperation | None, name: str) -> TypedOperation | None:
    """What the module of an operation keeps under a name; a share keeps nothing."""
    match operation:
        case Sequence(items) | Each(items):
            return next((item.operation for item in items if item.name == name), None)
        case Use(body) | Repeated((body, *_), shared=True):
            if body.is_chain:
                return inside(body.nodes[0].operation, name)
            node = body.by_name.get(name)
            return None if node is None else node.operation
        case Repeated(bodies, shared=False, first=first) if name in map(
            str, range(first, first + len(bodies))
        ):
            return Use(bodies[int(name) - first], {})
    return None


def weight_names(operation: TypedOperation, before: str = "") -> Iterator[str]:
    """The dotted name of every learned tensor of a node's module."""
    match unwrap(operation):
        case Leaf(lowering=lowering) if lowering.module is not None:
            yield from (before + name for name in lowering.module.weights if name)
        case Sequence(items) | Each(items):
            for item in items:
                if not (before and isinstance(item.operation, Shared)):
                    yield from weight_names(item.operation, f"{before}{item.name}.")
        case Use(body):
            yield from _names_in(body, before)
        case Repeated(bodies, shared=shared, first=first):
            for index, body in enumerate(bodies[:1] if shared else bodies, first):
                yield from _names_in(body, before if shared else f"{before}{index}.")


def _names_in(body: Body, before: str) -> Iterator[str]:
    for node in body.nodes:
        if not isinstance(node.operation, Shared):
            yield from weight_names(
                node.operation, f"{before}{node.name}." if node.name else before
            )


def used_bodies(operation: TypedOperation) -> Iterator[Body]:
    """The bodies that an operation uses itself, those of the items of a chain too."""
    match operation:
        case Use(body):
            yield body
        case Repeated(repeated):
            yield from repeated
        case Sequence(items) | Each(items):
            for item in items:
                yield from used_bodies(item.operation)
        case _:
            return


def bodies(body: Body) -> list[Body]:
    """`body` and every distinct body below it, each once, inner ones first."""
    found: dict[Body, None] = {}

    def walk(current: Body) -> None:
        for node in current.nodes:
            for inner in used_bodies(node.operation):
                if inner not in found:
                    walk(inner)
        found[current] = None

    walk(body)
    return list(found)


def twins(body: Body) -> Mapping[Body, Mapping[Body, None]]:
    """Of bodies at and below `body`, as they are made, those that shares run in their place."""
    found: dict[Body, dict[Body, None]] = {}

    @cache
    def opened(body: Body) -> dict[str, TypedOperation]:
        """What may use a body, by name."""
        ones = chain.from_iterable(map(single_nodes, body.nodes))
        operations = {one.name: one.operation for one in ones}
        return {n: o for n, o in operations.items() if not isinstance(unwrap(o), Leaf)}

    def pair(made: Body, run: Body) -> None:
        owners = opened(made)
        for name, operation in opened(run).items():
            owner = owners[operation.owner if isinstance(operation, Shared) else name]
            for one, other in zip(used_bodies(owner), used_bodies(unwrap(operation)), strict=True):
                if one is not other and other not in found.setdefault(one, {}):
                    found[one][other] = None
                    pair(one, other)

    for made in bodies(body):
        pair(made, made)
    return found


def needed_in_eval(body: Body) -> set[str]:
    """The nodes that run always; the others, if any, only for outputs that training has."""
    if not body.training:
        return set(body.by_name)
    return running(body, (name for name in body.outputs if name not in body.training))


def running(body: Body, outputs: Iterable[str]) -> set[str]:
    """The nodes that run for these outputs."""
    stack = [body.outputs[name] for name in outputs]
    found: set[str] = set()
    while stack:
        value = stack.pop()
        node = body.by_name.get(value.name.partition(".")[0])
        if node is None or node.name in found:
            continue
        if value.port in node.results:  # else a learned tensor, for which it need not run
            found.add(node.name)
            stack.extend(node.arguments.values())
    return found
