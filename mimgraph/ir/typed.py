"""The graph as inferred: every node with the types of its results, blocks kept as bodies. Frozen.

Nodes and bodies (`eq=False`) are compared by identity, so that they can be keys; `compare.equality`
tells whether two graphs are the same.

The operation of a node is a leaf, or is made of other nodes. Passes read
`items`, `bodies` and the other properties of `TypedKind`, so that a new kind needs a change only
where it is read, typed, emitted and drawn.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any, Final, NamedTuple, Self, TypeAlias

from mimgraph.ir.code import Code
from mimgraph.ir.dim import Size
from mimgraph.ir.fold import Fold
from mimgraph.ir.graph import Node
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import OptionValue
from mimgraph.ir.presence import ALWAYS, Presence, given
from mimgraph.ir.typed_kind import TypedKind
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.support.frozen_data import data

_NOTHING: Mapping[Any, Any] = {}


def _nothing() -> Mapping[Any, Any]:
    """Return the one empty mapping that nodes have by default."""
    return _NOTHING


STEPS: Final = "steps"  # the port with the results of all steps of a loop


class Value(NamedTuple):
    """A result in a body: an input (port "") or a port of a node."""

    name: str
    port: str


@data
class Leaf(TypedKind):
    """A layer or merge. `options` are all of them, defaults included; `activation` has INPUT as operand."""

    kind: str
    name: str
    options: Mapping[str, OptionValue]
    lowering: Lowering
    activation: Code | None = None
    activation_name: str = ""

    @property
    def op_name(self) -> str:
        return self.name

    @property
    def op(self) -> tuple[str, str]:
        return self.kind, self.name

    @property
    def settings(self) -> tuple[Mapping[str, Any], ...]:
        return (self.options,)

    @property
    def has_state(self) -> bool:
        module = self.lowering.module
        return module is not None and bool(module.weights or module.buffers)


@data
class Sequence(TypedKind):
    """A chain of unary nodes, each fed by the one before, with the ports of the last."""

    items: tuple[TypedNode, ...] = field()  # else the property of the base would be its default

    @property
    def default(self) -> str | None:
        """The default port without `take`; None if a port must be named."""
        return self.items[-1].default if self.items else ""

    @property
    def op_name(self) -> str:
        return "seq"

    @property
    def steps(self) -> tuple[TypedNode, ...]:
        return self.items

    @property
    def is_list(self) -> bool:
        return True

    def part(self, key: str) -> TypedNode | None:
        return next((item for item in self.items if item.name == key), None)

    def with_items(self, items: tuple[TypedNode, ...]) -> Self:
        return replace(self, items=items)


@data
class Use(TypedKind):
    """One use of a block; `arguments` are its params as the user of it gave them.

    `merge` is the op of the registry that the block stands for, its options the arguments;
    `activation` is applied to its default result, as for a `Leaf`.
    """

    body: Body
    arguments: Mapping[str, Any]
    merge: str = ""
    activation: Code | None = None
    activation_name: str = ""

    @property
    def op_name(self) -> str:
        return self.merge or self.body.family

    @property
    def op(self) -> tuple[str, str] | None:
        return ("merge", self.merge) if self.merge else None

    @property
    def settings(self) -> tuple[Mapping[str, Any], ...]:
        return (self.arguments,)

    @property
    def is_block(self) -> bool:
        return True

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (self.body,)

    def part(self, key: str) -> TypedNode | Body | None:
        return self.body.part(key)


@data
class Repeated(TypedKind):
    """A block, `family`, several times in a row; one body for each time.

    There is one body for all if `times` is known only at run time. `carried` are the inputs that each
    hands to the next, each with the port that feeds it. The input `counter` is the number of the step;
    `collected` is the port of which the results of all steps are the port STEPS. `first` is the number
    of the first body: a pipeline stage may begin with a later one.
    """

    bodies: tuple[Body, ...] = field()
    arguments: tuple[Mapping[str, Any], ...]
    shared: bool = field()
    carried: Mapping[str, str]
    times: Size
    family: str
    counter: str = ""
    collected: str | None = None
    first: int = 0

    @property
    def op_name(self) -> str:
        return self.family

    @property
    def settings(self) -> tuple[Mapping[str, Any], ...]:
        return self.arguments

    @property
    def traits(self) -> tuple[Hashable, ...]:
        carried = tuple(self.carried)
        return self.shared, carried, self.first, self.times, self.counter, self.collected

    @property
    def loops(self) -> Size:
        return self.times if self.shared else 1

    @property
    def is_block(self) -> bool:
        return True

    def key(self, index: int) -> str:
        return "" if self.shared else str(self.first + index)

    @property
    def is_list(self) -> bool:
        return not self.shared and not self.first

    def part(self, key: str) -> TypedNode | Body | None:
        if self.shared:
            return self.bodies[0].part(key) if self.bodies else None
        is_number = key.isdecimal() and len(key) < 9  # Python refuses to read very long ones
        index = int(key) - self.first if is_number else -1
        is_key = 0 <= index < len(self.bodies) and key == self.key(index)
        return self.bodies[index] if is_key else None


@data
class Scan(TypedKind):
    """A block that runs once for each of `length` steps along an axis, always with the same weights.

    `axes` has the axis of each scanned input, as torch counts it; the results of the steps are
    stacked along `axis`, which does not count the batch. Each step hands the `carried` inputs on.
    """

    body: Body
    arguments: Mapping[str, Any]
    axes: Mapping[str, int]
    axis: int
    length: Size
    carried: tuple[str, ...]

    @property
    def op_name(self) -> str:
        return self.body.family

    @property
    def settings(self) -> tuple[Mapping[str, Any], ...]:
        return (self.arguments,)

    @property
    def traits(self) -> tuple[Hashable, ...]:
        return tuple(self.axes.items()), self.axis, self.carried

    @property
    def loops(self) -> Size:
        return self.length

    @property
    def is_block(self) -> bool:
        return True

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (self.body,)

    def part(self, key: str) -> TypedNode | Body | None:
        return self.body.part(key)

    @property
    def stacked(self) -> Mapping[str, str]:
        """The output of the block whose steps each port has; a port that is not here has the last
        value of a carried output."""
        found = {name: name for name in self.body.outputs if name not in self.carried}
        if len(self.body.outputs) == 1 and found:
            return {"": next(iter(found))}
        return found or {STEPS: next(iter(self.body.outputs))}

    @property
    def default(self) -> str | None:
        """The default port: the stacked result, if there is only one."""
        ports = tuple(self.stacked)
        return ports[0] if len(ports) == 1 else None

    def output_type(self, name: str) -> TensorType:
        """Return the type of an output of the block."""
        return self.body.results["" if len(self.body.outputs) == 1 else name]

    def results(self) -> dict[str, TensorType]:
        """Return the type of each port: the stacked steps of an output, or its last value."""
        found: dict[str, TensorType] = {}
        for port, name in self.stacked.items():
            type_ = self.output_type(name)
            dims = (*type_.dims[: self.axis], self.length, *type_.dims[self.axis :])
            found[port] = replace(type_, dims=dims)
        return found | {name: self.output_type(name) for name in self.carried}


@data
class Each(TypedKind):
    """One operation on every source; each item is named by its port, and gives its default result.

    Items that are `counted` are copies on one source, named by their numbers. If there is
    `one_module`, it is the first item's, and the other items share that.
    """

    items: tuple[TypedNode, ...] = field()
    counted: bool = False
    one_module: bool = False
    _by_port: dict[str, TypedNode] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def op_name(self) -> str:
        return self.items[0].operation.op_name

    @property
    def traits(self) -> tuple[Hashable, ...]:
        return self.counted, self.one_module

    @property
    def sole(self) -> TypedNode | None:
        return self.items[0] if self.one_module else None

    @property
    def branches(self) -> tuple[TypedNode, ...]:
        return self.items

    @property
    def copies(self) -> int:
        return len(self.items) if self.counted else 0

    @property
    def is_list(self) -> bool:
        return self.counted

    def branch(self, port: str) -> TypedNode | None:
        if not self._by_port:
            self._by_port.update((item.name, item) for item in self.items)
        return self._by_port.get(port)

    def part(self, key: str) -> TypedNode | None:
        return self.branch(key)

    def with_items(self, items: tuple[TypedNode, ...]) -> Self:
        return replace(self, items=items)


@data
class Shared(TypedKind):
    """The module of the node `target`, or of an `item` of its `each`, used again as `operation`.

    It has no module of its own; `unwrap` returns the operation that it runs.
    """

    target: str
    operation: TypedOperation
    item: str | None = None

    @property
    def owner(self) -> str:
        """The name of the node or item that has the module, as a source names it: `emb.city`."""
        return self.target if self.item is None else f"{self.target}.{self.item}"

    @property
    def op_name(self) -> str:
        return self.operation.op_name

    @property
    def traits(self) -> tuple[Hashable, ...]:
        return self.target, self.item


TypedOperation: TypeAlias = Leaf | Sequence | Use | Repeated | Scan | Each | Shared


@data(eq=False)
class TypedNode:
    """A node with its sources resolved: `arguments` maps an operand's key to the value that fills it.

    `presence` tells when it runs, `presences` when each result of a block exists. `is_own` says that
    it depends on no input. `without` has the node for each set of arguments that may be missing.
    `freeze` says that its weights do not learn. A node that runs `over` an axis has an operation on
    tensors without it, and results with it.
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
    freeze: bool = False
    over: Fold | None = None

    def presence_of(self, port: str) -> Presence:
        """Return when a result exists."""
        return self.presences.get(port, self.presence)

    @property
    def op_name(self) -> str:
        """The name of its operation: `Conv2d`, `concat`, `seq`, or the name of a block."""
        return self.operation.op_name

    @property
    def type(self) -> TensorType | None:
        """The type of the default result, if there is one."""
        return None if self.default is None else self.results[self.default]

    @property
    def fold(self) -> Fold | None:
        """The axis that it folds where it runs; a block repeated zero times hands on what it is given."""
        if self.over is None:
            return None
        operation = unwrap(self.operation)
        return None if operation.is_block and not operation.bodies else self.over

    @property
    def is_frozen(self) -> bool:
        """Whether it is frozen and has weights or buffers of its own."""
        return self.freeze and self.operation.has_state


@data(eq=False, slots=False)
class Body:
    """The inside of the graph or of one distinct use of a block.

    `nodes` stand in the order in which their modules are made, `order` in the order they run.
    `results` are the types of the outputs by port; a single output is the port "". `optional` are the
    inputs that may be left out, `training` the outputs that exist in training only,
    `batch_dims` the axes to which the graph moves the batch of outputs.
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
    batch_dims: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def output_types(self) -> Mapping[str, TensorType]:
        """The types of the outputs as they are given, by public name."""
        moved = self.batch_dims
        types = {name: self.type_of(value) for name, value in self.outputs.items()}
        return {n: t.with_batch_at(moved[n]) if n in moved else t for n, t in types.items()}

    def presence_of(self, value: Value) -> Presence:
        """Return when an input or result of this body exists."""
        if value.name in self.inputs:
            return given(value.name) if value.name in self.optional else ALWAYS
        name, _, item = value.name.partition(".")
        return self.by_name[name].presence_of(item or value.port)

    def type_of(self, value: Value) -> TensorType:
        """Return the type of an input, a result or a learned tensor of this body."""
        if value.name in self.inputs:
            return self.inputs[value.name]
        name, _, item = value.name.partition(".")
        node = self.by_name[name]
        if item:
            branch = node.operation.branch(item)
            assert branch is not None
            node = branch
        return port_type(node, value.port)

    @cached_property
    def borrowed(self) -> tuple[str, ...]:
        """The nodes around the block whose modules its nodes share, itself or in blocks inside; an
        item of an `each` as `emb.city`."""
        found: dict[str, None] = {}
        for node in self.single_nodes:
            found |= dict.fromkeys(borrowed_by(node.operation))
        return tuple(owner for owner in found if owner.partition(".")[0] not in self.by_name)

    @property
    def required_inputs(self) -> Mapping[str, TensorType]:
        """The inputs that a caller may not leave out."""
        return {name: type_ for name, type_ in self.inputs.items() if name not in self.optional}

    @cached_property
    def single_nodes(self) -> tuple[TypedNode, ...]:
        """The nodes, with the branches of each `each` as nodes of their own."""
        if not any(node.operation.branches for node in self.nodes):
            return self.nodes
        return tuple(one for node in self.nodes for one in single_nodes(node))

    @cached_property
    def by_name(self) -> Mapping[str, TypedNode]:
        """The nodes by name."""
        return {node.name: node for node in self.nodes}

    def part(self, key: str) -> TypedNode | Body | None:
        """Return the node whose module is kept under a key; in a chain block, a node of the
        chain."""
        return self.nodes[0].operation.part(key) if self.is_chain else self.by_name.get(key)


def results_of(outputs: Mapping[str, TensorType]) -> Mapping[str, TensorType]:
    """Return the types of a body's outputs by port; a single output is the port ""."""
    return {"": next(iter(outputs.values()))} if len(outputs) == 1 else outputs


@data
class TypedGraph:
    """A checked graph: its body, the docs of inputs and outputs, and the constraints at run time.

    A stage of a larger graph takes its inputs by position too, and gives its outputs as a tuple.
    """

    name: str
    body: Body
    input_docs: Mapping[str, str] = field(default_factory=dict)
    output_docs: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    is_stage: bool = False


def unwrap(operation: TypedOperation) -> Leaf | Sequence | Use | Repeated | Scan | Each:
    """Return the operation itself, or the operation that a share runs."""
    while isinstance(operation, Shared):
        operation = operation.operation
    return operation


def borrowed_by(operation: TypedOperation) -> Iterator[str]:
    """Yield the nodes whose modules an operation shares, and those that its blocks are handed."""
    if isinstance(operation, Shared) and has_module(operation.operation):
        yield operation.owner
    for body in unwrap(operation).bodies:
        yield from body.borrowed
    for item in unwrap(operation).items:
        yield from borrowed_by(item.operation)


def has_module(operation: TypedOperation) -> bool:
    """Return whether an operation has a module, which other nodes can share."""
    return not isinstance(operation, Leaf) or operation.lowering.module is not None


def single_nodes(node: TypedNode) -> tuple[TypedNode, ...]:
    """Return the node, or its branches as nodes of their own: of an `each` called `emb`, `emb.city`."""
    branches = node.operation.branches
    if not branches:
        return (node,)
    return tuple(replace(one, name=f"{node.name}.{one.name}") for one in branches)


def port_type(node: TypedNode, port: str) -> TensorType:
    """Return the type of a result of a node, or of a learned tensor of its module."""
    found = node.results.get(port) or weight_type(node.operation, port)
    assert found is not None
    return found


def weight_type(operation: TypedOperation, path: str) -> TensorType | None:
    """Return the type of a learned tensor by its dotted name in a node's module: `0.weight`.

    The module of a node that shares is the one that it shares, and so for each branch.
    """
    whole = unwrap(operation)
    if whole.sole is not None:
        whole = unwrap(whole.sole.operation)
    found: TypedOperation | None = whole
    while found is not None and not isinstance(found, Leaf):
        key, _, path = path.partition(".")
        branch = found is whole and bool(whole.branches)
        found = inside(found, key)
        found = unwrap(found) if branch and found is not None else found
    if found is None or found.lowering.module is None or not path:
        return None
    shape = found.lowering.module.weights.get(path)
    return None if shape is None else TensorType(shape, batched=False)


def inside(operation: TypedOperation | None, key: str) -> TypedOperation | None:
    """Return the operation whose module a module keeps under a key; a share keeps nothing."""
    found = None if operation is None else operation.part(key)
    if isinstance(found, Body):
        return Use(found, {})
    return None if found is None else found.operation
