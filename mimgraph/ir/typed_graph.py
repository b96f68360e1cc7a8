"""The graph as inferred: every node with the types of its results, blocks kept as bodies. Frozen.

Nodes and bodies (`eq=False`) are compared by identity, so that they can be keys; `compare.equality`
tells whether two graphs are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from mimgraph.ir.code import Code, Constant, Slice, Subscript, Tuple
from mimgraph.ir.declared_graph import Node
from mimgraph.ir.declared_values import Dimension
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import ShapesUnknown
from mimgraph.ir.typed_operations import Leaf, Shared, TypedOperation, Use, has_module, unwrap
from mimgraph.ir.types import BATCH, Constraint, TensorType

# A presence tells which optional inputs must be given for a value to exist: it is a set of
# alternatives, each a set of inputs that suffices; none contains another. A value without an
# alternative never exists: it needs an input that a use of its block leaves out.


Presence = frozenset[frozenset[str]]

ALWAYS: Presence = frozenset([frozenset()])
NEVER: Presence = frozenset()


def given(name: str) -> Presence:
    """Return the presence of a value that exists if this input is given."""
    return frozenset([frozenset([name])])


def either(presences: Iterable[Presence]) -> Presence:
    """Return the presence of a value that exists if any of these does."""
    return _minimal({clause for presence in presences for clause in presence})


def both(one: Presence, other: Presence) -> Presence:
    """Return the presence of a value that exists if both of these do."""
    if one == ALWAYS or other == ALWAYS:
        return other if one == ALWAYS else one
    return _minimal({left | right for left in one for right in other})


def implies(one: Presence, other: Presence) -> bool:
    """Return whether the other value exists whenever the first does."""
    return other == ALWAYS or all(any(clause <= left for clause in other) for left in one)


def inputs_of(presence: Presence) -> list[str]:
    """Return the optional inputs that a presence depends on."""
    return sorted({name for clause in presence for name in clause})


def renamed(presence: Presence, outer: Mapping[str, Presence]) -> Presence:
    """Return a presence inside a block in terms of the sources that fill the block's inputs; an input
    that none fills is never given."""
    if presence == ALWAYS:
        return ALWAYS
    found = []
    for clause in presence:
        whole = ALWAYS
        for name in clause:
            whole = both(whole, outer.get(name, NEVER))
        found.append(whole)
    return either(found)


def _minimal(clauses: set[frozenset[str]]) -> Presence:
    shortest = min(map(len, clauses), default=0)
    longer = [clause for clause in clauses if len(clause) > shortest]
    return frozenset(clauses.difference(c for c in longer if any(other < c for other in clauses)))


# An axis that is folded into the batch, and taken out again.


class Fold(NamedTuple):
    """An axis, counted from the batch as 0, that an operation runs over: `over: 1`.

    All sources with a batch have it in the same `size`. The operation runs on tensors without it, whose
    batch is `N * size`; its results get the axis back.
    """

    axis: int
    size: Size

    def __str__(self) -> str:
        """Return the words of tables and pictures: `over T`, or `over axis 1`."""
        name = str(self.size)
        return f"over {name}" if name.isidentifier() else f"over axis {self.axis}"

    @property
    def batch(self) -> Size:
        """The batch of the tensors that the operation sees."""
        return BATCH * self.size

    def fold(self, type_: TensorType) -> TensorType:
        """Return the type of a source without the axis; one without a batch stays as it is."""
        return type_.without_axis(self.axis - 1) if type_.batched else type_

    def unfold(self, type_: TensorType) -> TensorType:
        """Return the type of a result with the axis; one without a batch stays as it is."""
        if not type_.batched:
            return type_
        return type_.with_axis(self._place(type_.rank + 1) - 1, self.size)

    def _place(self, rank: int) -> int:
        """Return the index of the axis in a result of this rank: its own, or 1 in one that is too
        short."""
        return self.axis if self.axis < rank else 1

    def fold_code(self, source: Code) -> Code:
        """Return the code that folds the axis of a source: `x.flatten(0, 1)`."""
        return _moved(source, self.axis, 1).method("flatten", 0, 1)

    def unfold_code(self, result: Code, shape: Code, rank: int) -> Code:
        """Return the code that gives the axis back to a result, which has `rank` axes then:
        `y.unflatten(0, x.shape[:2])`; `shape` is that of a source."""
        sizes: Code = Subscript(shape, Slice(None, Constant(2)))
        if self.axis > 1:
            sizes = Tuple((shape.at(0), shape.at(self.axis)))
        return _moved(result.method("unflatten", 0, sizes), 1, self._place(rank))


def _moved(tensor: Code, axis: int, to: int) -> Code:
    """Return the code that moves an axis; of neighbours, `transpose` says it plainer."""
    if axis == to:
        return tensor
    if abs(axis - to) == 1:
        return tensor.method("transpose", min(axis, to), max(axis, to))
    return tensor.method("movedim", axis, to)


# How the weights of a typed node are trained: the values of its words, computed and checked.


class Rate(NamedTuple):
    """A learning rate, or a multiple of the optimizer's rate."""

    value: float
    is_multiple: bool = False

    def __str__(self) -> str:
        return f"{self.value:g}x" if self.is_multiple else f"{self.value:g}"

    @property
    def written(self) -> str | float:
        """The rate as a spec writes it: `0.1x`, 0.001."""
        return str(self) if self.is_multiple else self.value


@dataclass(frozen=True, slots=True, repr=False)
class Adapter:
    """Low-rank adapters (LoRA) of inner layers, as the library peft makes them.

    `on` are the ends of the paths of these layers, as they are written, and `targets` has each layer by
    its path in the node's module, with the class of torch that it is of.
    """

    rank: int
    on: tuple[str, ...]
    alpha: float | None = None
    dropout: float | None = None
    targets: tuple[tuple[str, str], ...] = ()

    @property
    def written(self) -> dict[str, Any]:
        """The options as a spec writes them."""
        given = {"rank": self.rank, "on": [*self.on], "alpha": self.alpha, "dropout": self.dropout}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True, repr=False)
class Training:
    """The settings of a node for its weights and for all inside it that say nothing else.

    `until` is the child up to which its weights are frozen, and `frozen_parts` are the modules and
    tensors that this freezes, by their paths in the node's module.
    """

    until: str = ""
    frozen_parts: tuple[str, ...] = ()
    lr: Rate | None = None
    weight_decay: float | None = None
    lora: Adapter | None = None

    @property
    def changes_weights(self) -> bool:
        """Whether a part of the weights is frozen, or some have adapters."""
        return bool(self.frozen_parts) or self.lora is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """The settings as short texts: `frozen until layer3`, `lr 0.1x`."""
        words = {**self.words}
        if self.lora is not None:
            words["lora"] = f"{self.lora.rank} on {', '.join(self.lora.on)}"
        until = [f"frozen {words.pop('freeze')}"] if self.until else []
        values = {k: f"{v:g}" if isinstance(v, float) else v for k, v in words.items()}
        return (*until, *(f"{name} {value}" for name, value in values.items()))

    @property
    def words(self) -> Mapping[str, Any]:
        """The settings as a spec writes them, by name; `freeze` for `until`."""
        found: dict[str, Any] = {}
        if self.until:
            found["freeze"] = f"until {self.until}"
        if self.lr is not None:
            found["lr"] = self.lr.written
        if self.weight_decay is not None:
            found["weight_decay"] = self.weight_decay
        if self.lora is not None:
            found["lora"] = self.lora.written
        return found


# The nodes, their bodies, and the graph.


SUFFIXES = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_NUMBER = re.compile(r"(\d{1,18})(?:\.(\d{1,12}))?([KMGT]?)", re.ASCII)


class Limits(NamedTuple):
    """The limit of each amount, and the named sizes at which it is computed; `N`, the batch, is 1
    unless it is among them."""

    amounts: Mapping[str, int]
    sizes: Mapping[str, int]


def read_amount(text: str) -> int | None:
    """Return the number that a text such as `20M` or `1.5G` stands for; None if it is no whole number."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    whole, fraction, suffix = found.groups(default="")
    number, rest = divmod(int(whole + fraction) * SUFFIXES.get(suffix, 1), 10 ** len(fraction))
    return None if rest else number


def amount_text(number: int) -> str:
    """Return a number with the suffix that makes it short, if it stays exact: `20M`, `1.25M`, `1,234`."""
    for suffix, unit in reversed(SUFFIXES.items()):
        if number >= unit and number % (unit // 100) == 0:
            whole, rest = divmod(number, unit)
            fraction = f".{100 * rest // unit:02}".rstrip("0") if rest else ""
            return f"{whole}{fraction}{suffix}"
    return f"{number:,}"


class Value(NamedTuple):
    """A result in a body: an input (port "") or a port of a node."""

    name: str
    port: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TypedNode:
    """A node with its sources resolved: `arguments` maps an operand's key to the value that fills it.

    `presence` tells when it runs, `presences` when each result of a block exists. `is_own` says that
    it depends on no input. `without` has the node for each set of arguments that may be missing.
    `freeze` says that its weights do not learn, `training` how they learn. A node that runs `over` an axis has an operation on
    tensors without it, and results with it.
    """

    name: str
    operation: TypedOperation
    arguments: Mapping[str, Value]
    results: Mapping[str, TensorType]
    default: str | None
    declared: Node
    presence: Presence = ALWAYS
    presences: Mapping[str, Presence] = field(default_factory=dict)
    is_own: bool = False
    without: Mapping[frozenset[str], TypedNode] = field(default_factory=dict)
    freeze: bool = False
    over: Fold | None = None
    training: Training | None = None

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

    @property
    def training_notes(self) -> tuple[str, ...]:
        """How its weights are trained, in short texts: `frozen`, `lr 0.1x`."""
        frozen = ("frozen",) if self.is_frozen else ()
        return (*frozen, *(self.training.notes if self.training is not None else ()))


@dataclass(frozen=True, eq=False, repr=False)
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
        types = {}
        for name, value in self.outputs.items():
            type_, axis = self.type_of(value), self.batch_dims.get(name)
            types[name] = type_ if axis is None else type_.with_batch_at(axis)
        return types

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
    def lenders(self) -> tuple[str, ...]:
        """The nodes whose modules its nodes share, themselves or in blocks inside; an item of an `each`
        as `emb.city`."""
        found: dict[str, None] = {}
        for node in self.nodes:
            if not isinstance(node.operation, Leaf):
                found |= dict.fromkeys(borrowed_by(node.operation))
        return tuple(found)

    @cached_property
    def borrowed(self) -> tuple[str, ...]:
        """The lenders that are outside of the block."""
        lenders = self.lenders
        return lenders and tuple(n for n in lenders if n.partition(".")[0] not in self.by_name)

    @property
    def required_inputs(self) -> Mapping[str, TensorType]:
        """The inputs that a caller may not leave out."""
        return {name: type_ for name, type_ in self.inputs.items() if name not in self.optional}

    @cached_property
    def single_nodes(self) -> tuple[TypedNode, ...]:
        """The nodes, with the branches of each `each` as nodes of their own; `nodes` itself if there are none."""
        found: list[TypedNode] = []
        for node in self.nodes:
            found += single_nodes(node)
        single = tuple(found)
        return self.nodes if single == self.nodes else single

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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TypedGraph:
    """A checked graph: its body, the docs of inputs and outputs, the constraints at run time, the
    limits of its cost, and the search spaces of its params.

    A stage of a larger graph takes its inputs by position too, and gives its outputs as a tuple.
    """

    name: str
    body: Body
    input_docs: Mapping[str, str] = field(default_factory=dict)
    output_docs: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    is_stage: bool = False
    limits: Limits | None = None
    spaces: Mapping[str, Dimension] = field(default_factory=dict)


def borrowed_by(operation: TypedOperation) -> Iterator[str]:
    """Yield the nodes whose modules an operation shares, and those that its blocks are handed."""
    if isinstance(operation, Shared) and has_module(operation.operation):
        yield operation.owner
    whole = unwrap(operation)
    for body in whole.bodies:
        yield from body.borrowed
    for item in whole.items:
        yield from borrowed_by(item.operation)


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
    try:
        shape = found.lowering.module.weights.get(path)
    except ShapesUnknown:
        return None
    return None if shape is None else TensorType(shape, batched=False)


def inside(operation: TypedOperation | None, key: str) -> TypedOperation | None:
    """Return the operation whose module a module keeps under a key; a share keeps nothing."""
    found = None if operation is None else operation.part(key)
    if isinstance(found, Body):
        return Use(found, {})
    return None if found is None else found.operation
