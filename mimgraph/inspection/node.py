"""The record of one node of a graph, the place where it was declared, and the nodes by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.inspection.option_values import is_default
from mimgraph.ir.types import Shape, TensorType
from mimgraph.ops import registry
from mimgraph.source import Span
from mimgraph.support.entry_point import entry_points


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
    help_ = suggestion(name, known) if isinstance(name, str) else ""
    return UnknownName(f"no {what} is called {name!r}" + (f": {help_}" if help_ else ""))


Kind: TypeAlias = Literal["layer", "merge", "tensor", "seq", "block", "scan", "share", "each"]
OPS: tuple[Kind, ...] = ("layer", "merge", "tensor")  # the kinds of the ops in the registry


class Numbers(Protocol):
    """The cost of a node, which may be computed when it is first asked for."""

    @property
    def parameters(self) -> int: ...
    @property
    def macs(self) -> int | str | None: ...


class KnownNumbers(NamedTuple):
    """The cost of a node as numbers, as a pickle holds it."""

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
    _numbers: Numbers = field(compare=False)

    @property
    def parameters(self) -> int:
        """The number of elements of its parameters; 0 if the module is that of another node."""
        return self._numbers.parameters

    @property
    def macs(self) -> int | str | None:
        """The multiply-accumulates of a forward of one sample: text such as "64*T" if they depend on
        named sizes, None if they are not known."""
        return self._numbers.macs

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
        known = KnownNumbers(self.parameters, self.macs)
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

    def __reduce__(self) -> tuple[Callable[..., Nodes], tuple[Any, ...]]:
        return _known_nodes, (dict(self), self._first)


def _known_nodes(nodes: Mapping[str, Node], first: str) -> Nodes:
    """Return a mapping of nodes that are all made."""
    return Nodes(nodes, nodes.__getitem__, first)
