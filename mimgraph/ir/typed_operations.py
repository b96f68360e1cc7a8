"""The operations of typed nodes: a leaf, or one that is made of other nodes or of bodies.

Passes read `items`, `bodies` and the other properties of `TypedKind`, so that a new kind needs a
change only where it is read, typed, emitted and drawn."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import is_
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from mimgraph.ir.code import Code
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import OptionValue
from mimgraph.ir.types import TensorType

if TYPE_CHECKING:
    from mimgraph.ir.typed_graph import Body, TypedNode


class TypedKind:
    """The base of every kind of operation, with the properties that passes read.

    An operation runs `items`, which are nodes, or `bodies`, which are graphs, or neither. Its
    `parts` are the items or bodies whose modules its own module keeps.
    """

    __slots__ = ()

    # identity

    @property
    def op_name(self) -> str:
        """The name of the operation: `Conv2d`, `concat`, `seq`, or the name of a block."""
        raise NotImplementedError

    @property
    def op(self) -> tuple[str, str] | None:
        """The kind and name of the op in the registry, `("layer", "Conv2d")`, if it is one."""
        return None

    @property
    def is_block(self) -> bool:
        """Whether it runs bodies, even if it runs them zero times."""
        return False

    @property
    def merge(self) -> str:
        """The merge of the registry whose implementation its body is, or ""."""
        return ""

    @property
    def activation(self) -> Code | None:
        """The activation of the default result, with INPUT as operand."""
        return None

    @property
    def activation_name(self) -> str:
        return ""

    @property
    def settings(self) -> tuple[Mapping[str, Any], ...]:
        """The options or params that each run is given."""
        return ()

    @property
    def traits(self) -> tuple[Hashable, ...]:
        """The values that distinguish it from others of its kind, besides items, bodies and settings."""
        return ()

    # items and bodies

    @property
    def items(self) -> tuple[TypedNode, ...]:
        """The nodes that it runs, named as in its module."""
        return ()

    @property
    def steps(self) -> tuple[TypedNode, ...]:
        """The items, if they run in a row, each fed by the one before."""
        return ()

    @property
    def branches(self) -> tuple[TypedNode, ...]:
        """The items, if they run side by side, each on a source and result of its name."""
        return ()

    @property
    def copies(self) -> int:
        """The number of branches if they are copies on one source, which a spec gives by their number;
        else 0."""
        return 0

    def branch(self, port: str) -> TypedNode | None:
        """Return the branch of that name."""
        return None

    @property
    def sole(self) -> TypedNode | None:
        """The branch whose module is that of all branches, if they have one module."""
        return None

    @property
    def bodies(self) -> tuple[Body, ...]:
        """The bodies that it runs one after the other."""
        return ()

    @property
    def shared(self) -> bool:
        """Whether all its bodies are one module."""
        return False

    @property
    def loops(self) -> Size:
        """The number of times that it runs one module: a named size is known only at run time."""
        return 1

    # modules

    def key(self, index: int) -> str:
        """Return the key of the body at an index, "" if that is the module itself."""
        return ""

    @property
    def is_list(self) -> bool:
        """Whether its module is a list, whose keys are numbers from 0."""
        return False

    def parts(self) -> Iterator[tuple[str, TypedNode | Body]]:
        """Yield the parts that the module keeps, each with its key; a part that is the module
        itself has ""."""
        yield from self._own_items()
        for index, body in enumerate(self.modules):
            yield self.key(index), body

    def _own_items(self) -> Iterator[tuple[str, TypedNode]]:
        if self.sole is not None:
            yield "", self.sole
        else:
            yield from ((item.name, item) for item in self.items)

    def part(self, key: str) -> TypedNode | Body | None:
        """Return the part under a key; a node of the body, if the body is the module itself."""
        return None

    @property
    def modules(self) -> tuple[Body, ...]:
        """The bodies with modules of their own: the first if all share one module, else all."""
        return self.bodies[:1] if self.shared else self.bodies

    def inner(self) -> Iterator[tuple[str, TypedNode]]:
        """Yield the nodes that the module keeps, each by its dotted key: `0`, `conv`, `2.conv`."""
        yield from self._own_items()
        for index, body in enumerate(self.modules):
            key = self.key(index)
            yield from ((f"{key}.{node.name}".strip("."), node) for node in body.nodes)

    @property
    def has_state(self) -> bool:
        """Whether its module has weights or buffers, in inner nodes too."""
        return any(node.operation.has_state for _, node in self.inner())

    # rebuilding

    def with_items(self, items: tuple[TypedNode, ...]) -> Self:
        """Return the operation with these items in place of its own."""
        return self

    def map_items(self, change: Callable[[TypedNode], TypedNode]) -> Self:
        """Return the operation with every item changed; itself if none is."""
        items = tuple(map(change, self.items))
        return self if all(map(is_, items, self.items)) else self.with_items(items)


STEPS: Final = "steps"  # the port with the results of all steps of a loop


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OneBody(TypedKind):
    """A block with one body, which is the module itself; `arguments` are its params as the user of it
    gave them."""

    body: Body
    arguments: Mapping[str, Any]

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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Use(OneBody):
    """One use of a block.

    `merge` is the op of the registry that the block stands for, its options the arguments;
    `activation` is applied to its default result, as for a `Leaf`.
    """

    merge: str = ""
    activation: Code | None = None
    activation_name: str = ""

    @property
    def op_name(self) -> str:
        return self.merge or self.body.family

    @property
    def op(self) -> tuple[str, str] | None:
        return ("merge", self.merge) if self.merge else None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scan(OneBody):
    """A block that runs once for each of `length` steps along an axis, always with the same weights.

    `axes` has the axis of each scanned input, as torch counts it; the results of the steps are
    stacked along `axis`, which does not count the batch. Each step hands the `carried` inputs on.
    """

    axes: Mapping[str, int]
    axis: int
    length: Size
    carried: tuple[str, ...]

    @property
    def op_name(self) -> str:
        return self.body.family

    @property
    def traits(self) -> tuple[Hashable, ...]:
        return tuple(self.axes.items()), self.axis, self.carried

    @property
    def loops(self) -> Size:
        return self.length

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
            found[port] = self.output_type(name).with_axis(self.axis, self.length)
        return found | {name: self.output_type(name) for name in self.carried}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


def unwrap(operation: TypedOperation) -> Leaf | Sequence | Use | Repeated | Scan | Each:
    """Return the operation itself, or the operation that a share runs."""
    while isinstance(operation, Shared):
        operation = operation.operation
    return operation


def has_module(operation: TypedOperation) -> bool:
    """Return whether an operation has a module, which other nodes can share."""
    return not isinstance(operation, Leaf) or operation.lowering.module is not None
