"""The nodes of a graph as small frozen records: by name, with all that was inferred about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import PurePath
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.cost.cost import Costs
from mimgraph.diagnostics.nearest import no_such_name
from mimgraph.diagnostics.text import unmarked
from mimgraph.inspection.facts import (
    WORD_DEFAULTS,
    activation_options,
    argument_names,
    is_default,
    op_options,
    source_text,
    words,
)
from mimgraph.ir.expression import plain
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
from mimgraph.ops import registry
from mimgraph.source import Span
from mimgraph.support.entry_point import entry_points
from mimgraph.support.objects import FrozenDict


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in a spec or a Python file; prints as `model.yaml:7` or `train.py:12`."""

    span: Span

    @property
    def file(self) -> str:
        """The name of the file, as it was given to `mg.load` or as Python knows it."""
        return self.span.file.name

    @property
    def line(self) -> int:
        """The line, counted from 1."""
        return self.span.line

    def __str__(self) -> str:
        return f"{PurePath(self.file).name}:{self.line}"

    def __repr__(self) -> str:
        return f"<Origin {self}>"


class UnknownName(KeyError):
    """Raised for a name that no node, input or output has; its text is not quoted as a key is."""

    def __str__(self) -> str:
        return str(self.args[0])


def unknown(what: str, name: object, known: Iterable[str]) -> UnknownName:
    """Return the error for a name that nothing of a kind, a node or an input, has."""
    if not isinstance(name, str):
        return UnknownName(f"no {what} is called {name!r}")
    found = no_such_name(what, name, known, listed_as="")
    return UnknownName(unmarked(": ".join(filter(None, found))))


Kind: TypeAlias = Literal["layer", "merge", "tensor", "seq", "block", "scan", "share", "each"]
OPS: tuple[Kind, ...] = ("layer", "merge", "tensor")  # the kinds of the ops in the registry


class Numbers(NamedTuple):
    """The cost of a node as numbers."""

    parameters: int
    macs: int | str | None


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph, with all that was inferred about it:

        fc = graph.nodes["fc"]
        fc.op, fc.options["in_features"], fc.sources["input"], fc.shape

    `name` is unique among the nodes around it, and `path` is the key of its module in the
    `state_dict`: `stage.0.conv`. `op` is a layer or merge, "seq", or the name of a block, and `kind`
    tells which. A share and an `each` have the op and options of the node that they run.

    `options` are all options by name: given ones, defaults, and those that follow from the sources
    (`in_features`). Words of the spec are among them where they are used: `activation`, `take`,
    `repeat`, `share`. A param that differs between repeats is a tuple of its values.

    `sources` has the source of each argument, `{"query": "words", "key": "lstm.last"}`; an op that
    takes any number of sources counts them, `{"0": "image", "1": "text"}`. `shape` and `dtype` are
    those of the default result, None if there is none; `ports` has the type of each named result.
    `nodes` are the nodes inside; those of a repeated block are its repeats, "0", "1" and so on.

    Equal nodes have the same fields, except `origin`, `parameters` and `macs`.
    """

    name: str
    path: str
    op: str
    kind: Kind
    options: Mapping[str, Any]
    sources: Mapping[str, str]
    shape: Shape | None
    dtype: str | None
    ports: Mapping[str, TensorType]
    nodes: Nodes
    origin: Origin = field(compare=False)
    _numbers: Callable[[], Numbers] = field(compare=False)

    @property
    def parameters(self) -> int:
        """The number of elements of its parameters; 0 if the module is that of another node."""
        return self._numbers().parameters

    @property
    def macs(self) -> int | str | None:
        """The multiply-accumulates of a forward of one sample: text such as "64*T" if they depend on
        named sizes, None if they are not known."""
        return self._numbers().macs

    def __repr__(self) -> str:
        """Return one line: `<Node fc: Linear(out_features=10) of flat -> (N, 10)>`."""
        options = ", ".join(f"{name}={value!r}" for name, value in self._notable())
        of = f" of {', '.join(self.sources.values())}" if self.sources else ""
        shown = self.shape or ", ".join(f"{p} {type_.shape}" for p, type_ in self.ports.items())
        return f"<Node {self.name}: {self.op}({options}){of} -> {shown}>"

    def _notable(self) -> Iterator[tuple[str, Any]]:
        """Yield the options that are neither inferred nor have their default value."""
        found = (registry.find(kind, self.op) for kind in OPS)
        op = next(filter(None, found), None) if self.kind in (*OPS, "share", "each") else None
        known = op.options if op is not None else {}
        for name, value in self.options.items():
            spec = known.get(name)
            if spec is None or not (spec.inferred or is_default(value, spec.default)):
                yield name, value

    def __reduce__(self) -> tuple[type[Node], tuple[Any, ...]]:
        known = partial(Numbers, *self._numbers())  # a pickle has no graph to compute them from
        before = self.name, self.path, self.op, self.kind, self.options, self.sources
        return Node, (*before, self.shape, self.dtype, self.ports, self.nodes, self.origin, known)


@entry_points
class Nodes(Mapping[str, Node]):
    """The nodes of a graph or block by name, in order; each is made when it is first asked for.

    A dotted name finds a node inside another: `nodes["stage.conv"]` is `nodes["stage"].nodes["conv"]`.
    If `stage` is repeated, that is the `conv` of its first repeat, and `stage.2.conv` one of another.
    """

    __slots__ = ("_first", "_inputs", "_made", "_make", "_names")

    def __init__(
        self,
        names: Iterable[str],
        make: Callable[[str], Node],
        first: str = "",
        inputs: Iterable[str] = (),
    ) -> None:
        """Hold the nodes that `make` returns for these names; `first` is the first repeat, if they are
        repeats, and `inputs` are the names that only messages know."""
        self._names = dict.fromkeys(names)
        self._make = make
        self._first = first
        self._inputs = frozenset(inputs)
        self._made: dict[str, Node] = {}

    def __getitem__(self, name: str) -> Node:
        found = self._find(name)
        if found is None:
            raise self._unknown(name)
        return found

    def _find(self, name: object) -> Node | None:
        if not isinstance(name, str):
            return None
        if name in self._made:
            return self._made[name]
        if name in self._names:
            return self._made.setdefault(name, self._make(name))
        outer, dot, rest = name.partition(".")
        if dot and outer in self._names:
            return self[outer].nodes._find(rest)
        return self[self._first].nodes._find(name) if self._first else None

    def _unknown(self, name: object) -> UnknownName:
        """Return the error for a name that no node has."""
        if name in self._inputs:
            return UnknownName(f"{name} is an input and no node: graph.inputs[{name!r}]")
        return unknown("node", name, self._names)

    def __contains__(self, name: object) -> bool:
        return self._find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __hash__(self) -> int:
        return hash(frozenset(self._names))

    def __repr__(self) -> str:
        return f"<Nodes {', '.join(self._names)}>" if self._names else "<Nodes>"

    def __reduce__(self) -> tuple[type[Nodes], tuple[Any, ...]]:
        made = dict(self)
        return Nodes, (made, made.__getitem__, self._first)


# Make the records of the nodes of a typed graph, each when it is first asked for.


_NO_NODES = Nodes((), dict[str, Node]().__getitem__)


def nodes(graph: TypedGraph) -> Nodes:
    """Return the nodes of a graph by name."""
    costs = cache(partial(Costs, graph))  # computed for all of its nodes at once

    @cache
    def numbers(path: str) -> Numbers:
        """Return the cost of the node at a path, or of one repeat of it, for one sample of the graph."""
        cost = costs().of(path).at({"N": 1})
        return Numbers(cost.params, None if cost.uncounted else cost.macs.value)

    return _Level(numbers).body(graph.body)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Makes the nodes inside one module: the graph itself, a block, a chain, an `each`.

    `path` is the key of the module with a dot behind it. `numbers` computes the cost of a node by its path.
    """

    numbers: Callable[[str], Numbers]
    path: str = ""

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
        path = f"{self.path}{node.name}"
        return Node(
            node.name,
            path,
            node.op_name,
            kind(node.operation),
            _frozen(dict(_options(node))),
            FrozenDict(sources),
            None if node.type is None else Shape(map(plain, node.type.shape)),
            None if node.type is None else node.type.dtype,
            FrozenDict({port: type_ for port, type_ in node.results.items() if port}),
            self.inside(node),
            Origin(node.declared.span),
            partial(self.numbers, path),
        )

    def inside(self, node: TypedNode) -> Nodes:
        """Return the nodes inside a node; a node that shares a module has none."""
        operation = node.operation
        level = _Level(self.numbers, f"{self.path}{node.name}.")
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

        def repeat(key: str) -> Node:
            body = bodies[key]
            default = "" if "" in body.results else None
            return self.node(
                TypedNode(key, Use(body, {}), {}, body.results, default, node.declared), {}
            )

        return Nodes(bodies, repeat, first=repeated.key(0))


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
    return plain(value)
