"""What a typed node says of itself: its sources, edges, options and words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Reversible, Sequence, Sized
from typing import Any, Final, Literal, NamedTuple, TypeAlias, overload

from mimgraph.ir.code import Code, Constant, walk
from mimgraph.ir.grammar import TRAINING
from mimgraph.ir.typed_graph import Body, TypedNode, Value
from mimgraph.ir.typed_operations import Leaf, Repeated, Scan, Shared, TypedOperation, Use, unwrap
from mimgraph.ir.typed_operations import Sequence as Chain
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


# The edges of a graph: which input or node feeds which argument of a node.


class Edge(NamedTuple):
    """An edge from an input or node to an argument of a node; `port` is the result that it reads, ""
    if the source has only one."""

    source: str
    target: str
    argument: str
    port: str


class Edges(Reversible[Edge], Sized):
    """The edges of a graph in order, a sequence; a pair of names is in it if an edge leads from one to the
    other: `("image", "conv") in graph.edges`."""

    __slots__ = ("_edges", "_known")

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._edges = tuple(edges)
        self._known = frozenset((*self._edges, *(edge[:2] for edge in self._edges)))

    @overload
    def __getitem__(self, index: int) -> Edge: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Edge, ...]: ...
    def __getitem__(self, index: int | slice) -> Edge | tuple[Edge, ...]:
        return self._edges[index]

    def __iter__(self) -> Iterator[Edge]:
        return iter(self._edges)

    def __reversed__(self) -> Iterator[Edge]:
        return reversed(self._edges)

    def __len__(self) -> int:
        return len(self._edges)

    def __contains__(self, item: object) -> bool:
        return isinstance(item, tuple) and item in self._known

    def __eq__(self, other: object) -> bool:
        return self._edges == other._edges if isinstance(other, Edges) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._edges)

    def __repr__(self) -> str:
        shown = ", ".join(f"{edge.source} -> {edge.target}" for edge in self)
        return f"<Edges {shown}>" if shown else "<Edges>"


Sequence.register(Edges)  # as a base class, it would let type checkers refuse a pair in `in`


def edges(body: Body) -> Edges:
    """Return the edges of a body, in the order of the nodes that they lead to."""
    return Edges(edge for node in body.nodes for edge in _edges_to(node))


def _edges_to(node: TypedNode) -> Iterator[Edge]:
    arguments = argument_names(node)
    for key, value in node.arguments.items():
        name, _, item = value.name.partition(".")  # an item of an `each` is one of its ports
        port = ".".join(filter(None, (item, value.port)))
        yield Edge(name, node.name, arguments[key], port)


# Resolve the options of an operation: given values, defaults, and values inferred from the
# sources.


Giver: TypeAlias = Literal["given", "default", "inferred"]


class ResolvedOption(NamedTuple):
    """An option with its value; `inferred` if the shapes of the inputs decide it."""

    name: str
    value: Any
    origin: Giver = "given"


def op_options(operation: Leaf | Use) -> Iterator[ResolvedOption]:
    """Yield every option of a registered op in order; inferred ones without a value are left out."""
    op = registry.find(*operation.op) if operation.op else None
    assert op is not None
    (given,) = operation.settings
    module = operation.lowering.module if isinstance(operation, Leaf) else None
    infer = given.get if module is None else module.argument
    for option in op.options.values():
        value = given.get(option.name, option.default)
        if option.inferred:
            value = infer(option.name) if value is None else value
            if value is not None:
                yield ResolvedOption(option.name, value, "inferred")
        elif is_default(value, option.default):
            yield ResolvedOption(option.name, value, "default")
        else:
            yield ResolvedOption(option.name, value, "given")


def block_params(body: Body, given: Mapping[str, Any]) -> Iterator[ResolvedOption]:
    """Yield the params of one use of a block, and the sizes that its inputs bind."""
    for name, value in body.params.items():
        is_unchanged = name not in given and is_default(value, body.defaults.get(name))
        yield ResolvedOption(name, value, "default" if is_unchanged else "given")
    yield from (ResolvedOption(name, size, "inferred") for name, size in body.dims.items())


def is_default(value: Any, default: Any) -> bool:
    """Return whether an option has its default value, be that a list or a tuple."""
    one, other = (list(v) if isinstance(v, tuple) else v for v in (value, default))
    return bool(one == other)


# Collect what a spec says of a node beside the options of its op: `activation`, `repeat`, `lr`.


# what a word is where a spec does not have it; other words are then left out
WORD_DEFAULTS: Final[Mapping[str, Any]] = {
    "shared": False,
    "index": None,
    "collect": None,
    "carry": [],
    "freeze": False,
    **dict.fromkeys(TRAINING),
}


def words(node: TypedNode) -> dict[str, Any]:
    """Return the words of a node with their values, also those with the value of WORD_DEFAULTS."""
    found: dict[str, Any] = {}
    operation = node.operation
    match operation:
        case Repeated():
            found["repeat"], found["shared"] = operation.times, operation.shared
            found["index"] = operation.counter or None
            found["collect"] = _collected(operation)
        case Scan():
            found["over"], found["carry"] = dict(operation.axes), list(operation.carried)
        case Shared():
            found["share"] = operation.owner
    if operation.branches:
        found["shared"] = operation.sole is not None
        if operation.copies:
            found["each"] = operation.copies
    if taken := taken_port(node):
        found["take"] = taken
    if node.over is not None:
        found["over"] = node.over.axis
    found["freeze"] = node.is_frozen
    if node.training is not None:
        found |= node.training.words
    return found


def taken_port(node: TypedNode) -> str | None:
    """Return the port that `take` made the default result, if that is not the default without it."""
    operation = node.operation
    if isinstance(operation, Shared) or not node.default:
        return None
    return node.default if node.default != own_default(operation) else None


def own_default(operation: TypedOperation) -> str | None:
    """Return the default port of an operation without `take`; None if a port must be named."""
    if isinstance(operation, Leaf):
        return operation.lowering.default
    return operation.default if isinstance(operation, Scan | Chain) else None


def _collected(repeated: Repeated) -> str | None:
    """Return the output whose results of all steps are collected, if there is one."""
    if repeated.collected is None:
        return None
    return repeated.collected or next(iter(repeated.bodies[0].outputs))


def activation_options(activation: Code) -> dict[str, Any]:
    """Return the options with which an activation is called, `{"approximate": "tanh"}`."""
    constants = (part for part in walk(activation) if isinstance(part, Constant))
    return {constant.name: constant.value for constant in constants if constant.name}
