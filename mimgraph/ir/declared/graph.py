"""The graph as the user declared it: inputs, nodes, blocks and outputs, with a span for each. Frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from mimgraph.diagnostics import Diagnostic
from mimgraph.ir.declared.operations import AppliedOperation, Each, Operation
from mimgraph.ir.declared.sizes import LinearSize
from mimgraph.ir.declared.space import Dimension
from mimgraph.ir.declared.training import Training
from mimgraph.ir.declared.values import Option, Written, part_of
from mimgraph.source import Span


class Source(NamedTuple):
    """A reference to an input, a node, or a port of a node; `argument` is the argument that it
    fills."""

    name: str
    port: str | None
    span: Span
    argument: str | None = None
    argument_span: Span | None = None

    @property
    def name_span(self) -> Span:
        return self.part(0, len(self.name))

    @property
    def port_span(self) -> Span:
        start = len(self.name) + 1
        return self.part(start, start + len(self.port or ""))

    @property
    def text(self) -> str:
        """The source as it is written: `lstm.last`."""
        return self.name if self.port is None else f"{self.name}.{self.port}"

    def part(self, start: int, end: int) -> Span:
        """Return the span of characters in its text, if the whole span is just that text."""
        return part_of(self.span, self.text, start, end)


class Take(NamedTuple):
    """`take:` makes another port the default."""

    port: str
    span: Span


@dataclass(frozen=True, slots=True)
class Node:
    """A named operation on sources; `operation` is None where the text could not be read.

    `sources` is None where none are given; an item of a chain needs none. A node that is to
    `freeze` learns nothing: its weights get no gradients, and it stays in evaluation mode; a param
    may decide it. `training` has the other words on what learns how. `over` is an axis of its sources
    that is folded into the batch while it runs.
    `whole` is all of its text, of which `span` is the name.
    """

    name: str
    span: Span
    operation: Operation | None
    sources: tuple[Source, ...] | None = None
    take: Take | None = None
    freeze: bool | Written = False
    whole: Span | None = None
    over: Option | None = None
    training: Training | None = None

    @property
    def applied(self) -> AppliedOperation | None:
        """The operation, in an `each` the one that it applies to every source."""
        return self.operation.operation if isinstance(self.operation, Each) else self.operation

    def with_applied(self, applied: AppliedOperation) -> Node:
        """Return the node with another operation, in an `each` another one that it applies."""
        whole = self.operation
        return replace(
            self,
            operation=replace(whole, operation=applied) if isinstance(whole, Each) else applied,
        )

    @property
    def has_branches(self) -> bool:
        """Whether it applies one operation to each of its sources alone."""
        return isinstance(self.operation, Each)


def operations(nodes: Iterable[Node]) -> Iterator[Operation]:
    """Yield every operation of the nodes and their inner nodes, an `each` before the one that it
    applies."""
    for node in nodes:
        if node.has_branches and node.operation is not None:
            yield node.operation
        if node.applied is not None:
            yield node.applied
            yield from operations(node.applied.items)


def overs(nodes: Iterable[Node]) -> Iterator[Option]:
    """Yield the axis in `over` of every node and inner node that has one."""
    for node in nodes:
        if node.over is not None:
            yield node.over
        if node.applied is not None:
            yield from overs(node.applied.items)


class InputShape(NamedTuple):
    """Sizes, names of sizes, `LinearSize`s such as `8*H`, and `Written` sizes, each with its span."""

    dims: tuple[Any, ...]
    spans: tuple[Span, ...]

    @property
    def names(self) -> list[str]:
        """The names in the sizes."""
        kinds = (str, LinearSize)
        return [
            str(dim) if isinstance(dim, str) else dim.name
            for dim in self.dims
            if isinstance(dim, kinds)
        ]

    @property
    def written(self) -> list[Written]:
        """The expressions of params in the sizes."""
        parts = (dim[::2] if isinstance(dim, LinearSize) else (dim,) for dim in self.dims)
        return [part for dim in parts for part in dim if isinstance(part, Written)]

    @property
    def texts(self) -> list[Any]:
        """The sizes as a spec has them: `8*H` as a text, and the others as they are."""
        return [str(dim) if isinstance(dim, LinearSize) else dim for dim in self.dims]


@dataclass(frozen=True, slots=True)
class Input:
    """A named input of the graph; `shape` is None where it could not be read, `whole` is its text.

    A param may decide whether it is `optional`.
    """

    name: str
    span: Span
    shape: InputShape | None
    dtype: str = "float32"
    vocab: Option | None = None
    doc: str = ""
    optional: bool | Written = False
    whole: Span | None = None


@dataclass(frozen=True, slots=True)
class BlockInput:
    """An input of a block; a pattern binds names to the sizes at each use.

    `declared` is the input that it was in a graph of its own: a source must have its dtype and vocab.
    A use may leave out an `optional` input.
    """

    name: str
    span: Span
    pattern: InputShape | None = None
    declared: Input | None = None
    optional: bool | Written = False


class Output(NamedTuple):
    """A result of the graph or block under its public name; some are given `only` in training.

    `whole` is the span of its text, `batch_dim` the axis to which the batch of an output of the
    graph is moved.
    """

    name: str
    source: Source
    span: Span
    only_training: bool = False
    doc: str = ""
    whole: Span | None = None
    batch_dim: Option | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A sub-graph with params. The name of its class is made from `family`.

    A chain has one input and one node named "", and its items are the module's own positions.
    A block made in code may bring the blocks that it uses, in `inner`; one that a Python function
    declared has in `function` the object that calls it again. `lost` are the names of inputs and
    nodes that could not be read. A private one is inside a part, and only the part may name it.
    """

    family: str
    span: Span
    params: Mapping[str, Option]
    inputs: tuple[BlockInput, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]
    is_chain: bool = False
    doc: str = ""
    inner: Mapping[str, Block] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    is_private: bool = field(default=False, compare=False)
    function: Any = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> list[Any]:
        """Return all but the function, which can seldom be pickled."""
        return [None if one.name == "function" else getattr(self, one.name) for one in fields(self)]

    @property
    def sizes(self) -> list[str]:
        """The names that its inputs give to sizes."""
        return [name for one in self.inputs if one.pattern for name in one.pattern.names]

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple([one.name for one in self.inputs])

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple([one.name for one in self.outputs])

    @property
    def own_names(self) -> frozenset[str]:
        """Its params and the names of its sizes, which hide the spec's params inside it."""
        return frozenset({*self.params, *self.sizes})

    @property
    def is_whole(self) -> bool:
        """Whether it could be read; if not, its inputs or outputs are missing."""
        return bool(self.inputs and self.outputs)


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole spec. Missing keys are reported at `origin`; `lost` are the names of inputs and nodes
    that could not be read, `renamed` the warnings of old names of keys and options."""

    name: str
    origin: Span
    params: Mapping[str, Option] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    blocks: Mapping[str, Block] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    outputs: tuple[Output, ...] = ()
    doc: str = ""
    lost: frozenset[str] = frozenset()
    renamed: tuple[Diagnostic, ...] = ()
    limits: DeclaredLimits | None = None

    @property
    def spaces(self) -> dict[str, Dimension]:
        """The search space of each param that has one."""
        return {name: one.space for name, one in self.params.items() if one.space is not None}

    @property
    def part_files(self) -> list[str]:
        """The paths of the specs that its parts are read from."""
        outputs = (output for block in self.blocks.values() for output in block.outputs)
        return sorted({output.span.file.name for output in outputs} - {self.origin.file.name})


LIMITED = ("parameters", "trainable", "macs", "activations")  # amounts that may have a limit


@dataclass(frozen=True, slots=True)
class DeclaredLimits:
    """The limit of each amount, `20M` or `$budget`, and the named sizes at which it is computed.

    `span` is the key `limits`.
    """

    span: Span
    amounts: Mapping[str, Option]
    sizes: Mapping[str, Option]

    @property
    def options(self) -> tuple[Option, ...]:
        """Every limit and every size."""
        return (*self.amounts.values(), *self.sizes.values())
