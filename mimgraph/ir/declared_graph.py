"""The graph as the user declared it: inputs, nodes, their operations, blocks and outputs, with a span for each. Frozen.

Classes with `eq=False` are compared by identity, so that each use in a spec can be a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, NamedTuple, Self, TypeAlias

from mimgraph.ir.declared_values import Dimension, LinearSize, Option, Written, part_of
from mimgraph.source import Span

# The layers whose second source has a key of its own: {layer: Cast, from: mask, like: x}.
BESIDE_FROM: Final = {"Cast": "like"}

# The option of each tensor of the model that its key gives: {buffer: [8]}, {random: normal, like: x}.
VALUE_OPTION: Final = {
    **dict.fromkeys(("parameter", "buffer", "zeros", "ones"), "shape"),
    "arange": "end",
    "random": "distribution",
}


# what every operation without options has
NO_OPTIONS: Final[Mapping[str, Option]] = {}


class DeclaredKind:
    """The base of every kind of declared operation, with the properties that passes read."""

    __slots__ = ()

    @property
    def named(self) -> Mapping[str, Option]:
        """The options of a layer or merge, or the params of a block, by name."""
        return NO_OPTIONS

    @property
    def lone(self) -> Option | None:
        """The value that is given without a key."""
        return None

    @property
    def items(self) -> tuple[Node, ...]:
        """The nodes inside."""
        return ()

    def every_option(self) -> Iterator[Option]:
        """Yield every option that it gives, without the options of the nodes inside."""
        yield from _options(self.named, self.lone)

    def names(self) -> Iterator[str]:
        """Yield the names of the layer, merge, activation or block that it uses."""
        yield from ()

    def with_named(self, named: Mapping[str, Option]) -> Self:
        """Return the operation with these options or params in place of its own."""
        return self


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Activation:
    """`activation:` of a layer or merge: an activation by name, with its options."""

    name: str
    options: Mapping[str, Option]
    lone: Option | None
    span: Span

    def every_option(self) -> Iterator[Option]:
        yield from _options(self.options, self.lone)


def _options(named: Mapping[str, Option], lone: Option | None) -> Iterator[Option]:
    yield from named.values()
    if lone is not None:
        yield lone


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Apply(DeclaredKind):
    """An op of the registry; `lone` is a value given without a key."""

    kind: str  # of the op: "layer", "merge", ...
    name: str
    span: Span
    options: Mapping[str, Option] = field(default_factory=dict)
    lone: Option | None = None
    activation: Activation | None = None

    @property
    def named(self) -> Mapping[str, Option]:
        return self.options

    def every_option(self) -> Iterator[Option]:
        yield from _options(self.options, self.lone)
        if self.activation is not None:
            yield from self.activation.every_option()

    def names(self) -> Iterator[str]:
        yield self.name
        if self.activation is not None:
            yield self.activation.name

    def with_named(self, named: Mapping[str, Option]) -> Self:
        return replace(self, options=named)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Chain(DeclaredKind):
    """`seq`: items in a row, each fed by the one before."""

    items: tuple[Node, ...] = field()  # else the property of the base would be its default
    span: Span


class Word(NamedTuple):
    """A name that is the value of a key, such as `index: i`."""

    name: str
    span: Span


class Repeat(NamedTuple):
    """`repeat:` of a block: how many times, whether they share weights, and the params of each.

    `counter` names the input or param of the block that is the number of the step. `collect` names
    the output of which every step's result is kept, "" if there is only one.
    """

    times: Option | None
    shared: bool
    each: Mapping[str, Option]
    span: Span
    counter: Word | None = None
    collect: Word | None = None


class Scan(NamedTuple):
    """`scan:` of a block: the inputs that it reads step by step, and those that each step hands on.

    `axes` has the axis of each scanned input; with a lone `axis` every source that is not carried is
    scanned along it. The initial value of a carried input is its source.
    """

    axes: Mapping[str, Option]
    axis: Option | None
    carry: tuple[str, ...]
    span: Span

    def every_option(self) -> Iterator[Option]:
        """Yield the axes."""
        yield from _options(self.axes, self.axis)


def carried(inputs: Iterable[str], outputs: Sequence[str], counter: str = "") -> dict[str, str]:
    """Return the inputs of a block that its outputs feed at the next time of a repeat, each with the
    port: a single output, the port "", feeds the first input; several feed the inputs of their names.

    The input `counter` is the number of the step, so no output feeds it.
    """
    names = [name for name in inputs if name != counter]
    if len(outputs) == 1:
        return dict.fromkeys(names[:1], "")
    return {name: name for name in outputs if name in names}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call(DeclaredKind):
    """A use of a block: once, several times in a row, or once for each step along an axis."""

    block: str
    span: Span
    params: Mapping[str, Option] = field(default_factory=dict)
    lone: Option | None = None
    repeat: Repeat | None = None
    scan: Scan | None = None

    @property
    def named(self) -> Mapping[str, Option]:
        return self.params

    def every_option(self) -> Iterator[Option]:
        yield from _options(self.params, self.lone)
        if self.repeat is not None:
            yield from _options(self.repeat.each, self.repeat.times)
        if self.scan is not None:
            yield from self.scan.every_option()

    def names(self) -> Iterator[str]:
        yield self.block

    def with_named(self, named: Mapping[str, Option]) -> Self:
        return replace(self, params=named)


@dataclass(frozen=True, slots=True, repr=False)
class Share(DeclaredKind):
    """The module of another node, used again; `item` names a module of an `each`."""

    target: str
    span: Span
    item: str | None = None

    @property
    def target_span(self) -> Span:
        return part_of(self.span, self.text, 0, len(self.target))

    @property
    def item_span(self) -> Span:
        return part_of(self.span, self.text, len(self.target) + 1, len(self.text))

    @property
    def text(self) -> str:
        """The target as it is written."""
        return self.target if self.item is None else f"{self.target}.{self.item}"


AppliedOperation: TypeAlias = Apply | Chain | Call | Share


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Each(DeclaredKind):
    """`each`: one operation on every source, with a module of its own for each.

    `options` are given in `with`: each is a list of one value a source. With `times` there is one
    source, and that number of modules. If it is `shared`, one module runs on every source.
    """

    operation: AppliedOperation
    options: Mapping[str, Option]
    span: Span
    times: Option | None = None
    shared: bool = False

    def every_option(self) -> Iterator[Option]:
        yield from _options(self.options, self.times)


Operation: TypeAlias = AppliedOperation | Each


# How the weights of a node are trained, as it is written: words of a node beside `freeze`.


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Training:
    """The words of a node that say how its weights are trained, each None where it is not given.

    `freeze_until` is the text in `freeze: until layer3`. `lora` is the whole mapping, and `lora_parts`
    has its entries by name, if it is one. An operation that has an option of the name `lr`,
    `weight_decay` or `lora` keeps it: `with_words_as_options` moves the word there.
    """

    freeze_until: Option | None = None
    lr: Option | None = None
    weight_decay: Option | None = None
    lora: Option | None = None
    lora_parts: Mapping[str, Option] = field(default_factory=dict)

    @property
    def given(self) -> Mapping[str, Option]:
        """The words that are given, by the name that a spec gives them, `freeze` for `freeze_until`."""
        named = {one.name: getattr(self, one.name) for one in fields(self)}
        named = {"freeze": named.pop("freeze_until"), **named}
        return {name: one for name, one in named.items() if isinstance(one, Option)}

    def every_option(self) -> Iterator[Option]:
        """Yield the options, of `lora` each entry instead of the whole if it is a mapping."""
        yield from (
            one for name, one in self.given.items() if name != "lora" or not self.lora_parts
        )
        yield from self.lora_parts.values()

    def map(self, change: Callable[[Option], Option]) -> Training:
        """Return the words with every option changed."""
        parts = {name: change(one) for name, one in self.lora_parts.items()}
        changed = {
            one.name: change(value)
            for one in fields(self)
            if isinstance(value := getattr(self, one.name), Option)
        }
        return Training(**changed, lora_parts=parts)

    def replaced(self, words: Iterable[str], by: Training | None) -> Training | None:
        """Return the words with some of them as another has them, or without them; None if no word is
        left."""
        fields_of = {"freeze": ("freeze_until",), "lora": ("lora", "lora_parts")}
        names = [name for word in words for name in fields_of.get(word, (word,))]
        found = replace(self, **{name: getattr(by or Training(), name) for name in names})
        return found if found.given else None


# The graph: sources, nodes, inputs, outputs, blocks.


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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True, repr=False)
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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
    function: Any = field(default=None, compare=False)

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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Graph:
    """A whole spec. Missing keys are reported at `origin`; `lost` are the names of inputs and nodes
    that could not be read."""

    name: str
    origin: Span
    params: Mapping[str, Option] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    blocks: Mapping[str, Block] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    outputs: tuple[Output, ...] = ()
    doc: str = ""
    lost: frozenset[str] = frozenset()
    limits: DeclaredLimits | None = None

    @property
    def spaces(self) -> dict[str, Dimension]:
        """The search space of each param that has one."""
        return {name: one.space for name, one in self.params.items() if one.space is not None}

    @property
    def sizes(self) -> list[str]:
        """The names that its inputs give to sizes."""
        return [name for one in self.inputs if one.shape for name in one.shape.names]

    @property
    def part_files(self) -> list[str]:
        """The paths of the specs that its parts are read from."""
        outputs = (output for block in self.blocks.values() for output in block.outputs)
        return sorted({output.span.file.name for output in outputs} - {self.origin.file.name})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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
