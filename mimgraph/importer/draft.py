"""The draft of a graph: nodes and bodies that passes change, and that refer to each other as objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from mimgraph.importer.trace.records import NOWHERE, Call, Place, Step, Value
from mimgraph.ir.dim import Size


class Port(NamedTuple):
    """What a node reads: an input, or a result of a node; the port "" is its only or default one."""

    node: Node | Input
    name: str = ""


class Source(NamedTuple):
    """A port, and the argument that it fills, None where the position decides."""

    port: Port
    argument: str | None = None


class Expression(NamedTuple):
    """An option that is computed from params and named sizes: `width // 2`."""

    text: str


@dataclass(eq=False)
class Input:
    """An input of a body: its name, and the value that is given at this use of the body."""

    name: str
    sizes: tuple[Size, ...] = ()
    dtype: str = "float32"
    vocab: int | None = None
    value: Value | None = None
    optional: bool = False
    pattern: tuple[Any, ...] | None = None  # of a block: the names of its sizes, without the batch


@dataclass
class Op:
    """A layer, merge or tensor of the registry with its options, as a spec writes them.

    Sizes among the options may be expressions of named sizes. The sources of a formula are called by
    their arguments in its `expr`.
    """

    kind: str  # "layer", "merge", "tensor"
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    activation: tuple[str, dict[str, Any]] | None = None


@dataclass
class Seq:
    """A chain of nodes without sources."""

    items: list[Node]


@dataclass
class Use:
    """A use of a body as a block, with arguments for its params; `repeat` uses it several times.

    `block` is the key of the block, once equal bodies are found.
    """

    body: Body
    arguments: dict[str, Any] = field(default_factory=dict)
    block: str = ""
    repeat: Repeat | None = None


@dataclass
class Repeat:
    """How often a body is repeated, and the arguments that differ, a list of one value for each time.

    `members` are the nodes that it replaces, with the paths of their modules.
    """

    times: int
    each: dict[str, list[Any]] = field(default_factory=dict)
    shared: bool = False
    members: list[Node] = field(default_factory=list)


@dataclass
class Share:
    """The module of another node, used again."""

    target: Node


Operation: TypeAlias = Op | Seq | Use | Share


@dataclass(eq=False)
class Node:
    """An operation on sources. `attribute` is the name that the module has in the user's module, which
    the node keeps so that the keys of its weights stay; `name` is a wish, and free.

    `path` is the module's path in the whole model, for the key map; `weights` are the keys in the model
    that each key of a layer joins which stands for several modules. `maker` is what it was lifted from.
    """

    name: str
    operation: Operation
    sources: list[Source] = field(default_factory=list)
    attribute: str = ""
    path: str = ""
    place: Place = NOWHERE
    comments: list[str] = field(default_factory=list)
    freeze: bool = False
    over: int | None = None
    take: str = ""
    maker: Step | Call | None = None
    weights: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def op(self) -> Op | None:
        """The operation if it is an op of the registry."""
        return self.operation if isinstance(self.operation, Op) else None

    def is_op(self, *names: str) -> bool:
        """Return whether it is one of these layers, merges or tensors."""
        return isinstance(self.operation, Op) and self.operation.name in names

    @property
    def reads(self) -> Iterator[Port]:
        """The ports that it reads, and the target of a share."""
        for source in self.sources:
            yield source.port
        if isinstance(self.operation, Share):
            yield Port(self.operation.target)


@dataclass(eq=False)
class Output:
    """A result of a body under a name."""

    name: str
    port: Port
    only_training: bool = False
    value: Value | None = None


@dataclass(eq=False)
class Body:
    """The inputs, nodes and outputs of the graph, or of one use of a block.

    `family` is the wished name of the block, `call` the call of the module that it is, None for a body
    that a pass made. A chain has one input, and one node whose operation is a `Seq`.
    """

    family: str
    inputs: list[Input] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    is_chain: bool = False
    call: Call | None = None
    doc: str = ""

    @property
    def call_path(self) -> str:
        """The path of its module in the model, "" for the model itself."""
        return "" if self.call is None else self.call.path

    @property
    def names(self) -> set[str]:
        """The names of its inputs and nodes."""
        return {one.name for one in self.inputs} | {one.name for one in self.nodes}

    def readers(self, node: Node | Input) -> list[Node | Output]:
        """Return the nodes that read a node, once for each time, and the outputs that are its result."""
        found: list[Node | Output] = [
            one for one in self.nodes for port in one.reads if port.node is node
        ]
        return found + [one for one in self.outputs if one.port.node is node]

    def replace(self, old: Node | Input, new: Port) -> None:
        """Replace a node for its readers: they read the port `new`, or the same port of the new node."""

        def moved(port: Port) -> Port:
            return port if port.node is not old else Port(new.node, port.name or new.name)

        for node in self.nodes:
            node.sources = [one._replace(port=moved(one.port)) for one in node.sources]
            if isinstance(node.operation, Share) and node.operation.target is old:
                assert isinstance(new.node, Node)
                node.operation.target = new.node
        for output in self.outputs:
            output.port = moved(output.port)

    def remove_unread(self) -> None:
        """Remove the nodes that no output needs."""
        needed, open_ = set[int](), [one.port.node for one in self.outputs]
        while open_:
            node = open_.pop()
            if id(node) not in needed:
                needed.add(id(node))
                if isinstance(node, Node):
                    open_ += [port.node for port in node.reads]
        self.nodes = [node for node in self.nodes if id(node) in needed]


def inner_nodes(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the nodes and those inside their chains, without those inside blocks."""
    for node in nodes:
        yield node
        if isinstance(node.operation, Seq):
            yield from inner_nodes(node.operation.items)


def used_bodies(body: Body) -> Iterator[Body]:
    """Yield the bodies that a body uses, those inside before those around them, itself last."""
    for node in inner_nodes(body.nodes):
        if isinstance(node.operation, Use):
            yield from used_bodies(node.operation.body)
    yield body
