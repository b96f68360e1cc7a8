"""The graph as the user declared it: inputs, nodes, blocks and outputs, with a span for each. Frozen.

Classes with `eq=False` are compared by identity, so that each use in a spec can be a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, fields, replace
from enum import Enum
from typing import Any, Final, NamedTuple, Self, TypeAlias

from mimgraph.ir.expression import Expression
from mimgraph.source import Span
from mimgraph.support.frozen_data import data


class Faulty(Enum):
    """The value of a part that could not be read or computed, and whose fault is reported already."""

    FAULTY = "faulty"


FAULTY: Final = Faulty.FAULTY

# The layers whose second source has a key of its own: {layer: Cast, from: mask, like: x}.
BESIDE_FROM: Final = {"Cast": "like"}

# The option of each tensor of the model that its key gives: {buffer: [8]}, {random: normal, like: x}.
VALUE_OPTION: Final = {
    **dict.fromkeys(("parameter", "buffer", "zeros", "ones"), "shape"),
    "arange": "end",
    "random": "distribution",
}

# OTHERS stands for any number of names, keys or options that could not be read, ANOTHER for exactly one.
# They are halves of characters, so no text of a spec is equal to them.
OTHERS: Final = "\ud800"
ANOTHER: Final = "\ud801"


class Written(NamedTuple):
    """An expression not yet computed; `part` returns the span of characters in its text."""

    expression: Expression
    span: Span
    part: Callable[[int, int], Span]

    def at(self, start: int, end: int) -> Span:
        """Return the span of characters `start` to `end`; (0, -1) is the whole."""
        return self.span if end < start else self.part(start, end)


class Chosen(str):
    """The name of a layer, merge or block that a param gives, as it is written: `$fusion`."""

    __slots__ = ("written",)
    written: Written

    def __new__(cls, text: str, written: Written) -> Self:
        self = super().__new__(cls, text)
        self.written = written
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str, Written]]:
        return type(self), (str(self), self.written)


class Template(NamedTuple):
    """Holds a text in which `$name` stands for a param's value.

    In a `formula`, `$(...)` stands for arithmetic of params, and sizes known only at run time may too.
    """

    text: str
    part: Callable[[int, int], Span]
    formula: bool = False

    def names(self) -> Iterator[re.Match[str]]:
        """Yield where a name stands for a value: the whole match, of which group 1 is the name."""
        behind = 0  # the last `$(...)`
        for match in _PARAM.finditer(self.text):
            if match.start() < behind:
                continue
            if match[1] is not None:
                yield match
            elif self.formula:
                behind = _closing(self.text, match.end())
                if behind == match.end():  # the formula cannot be parsed
                    return
                yield from _NAME.finditer(self.text, match.end(), behind)

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text with the value of each of these names in its place."""
        parts, end = list[str](), 0
        for match in self.names():
            if match[1] in values:
                parts += self.text[end : match.start()], values[match[1]]
                end = match.end()
        return "".join((*parts, self.text[end:]))


_PARAM = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\()", re.ASCII)
_NAME = re.compile(r"(?<![\w.$])([A-Za-z_]\w*)(?![\w(])", re.ASCII)  # no function


def _closing(text: str, start: int) -> int:
    """Return where the parenthesis closes that opens before `start`; if none does, `start`."""
    depth = 1
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if not depth:
            return index
    return start


class Option(NamedTuple):
    """An option as given: plain data in which `Written` stands for values that are computed later.

    `part` returns the span of characters in a text, `items` are the spans of a list's values. `in_with`
    says that the value comes from a list in `with`, where its faults are reported.
    """

    value: Any
    span: Span
    key: Span
    part: Callable[[int, int], Span] | None = None
    items: tuple[Span, ...] = ()
    in_with: bool = False

    def item(self, index: int) -> Span:
        """Return the span of a value of the list, if the list is written out."""
        return self.items[index] if self.items else self.span

    def at(self, within: tuple[int, int] | None) -> Span:
        """Return the span of characters in the value, or of the whole if the user wrote it otherwise."""
        if within is None or within[1] < within[0] or self.part is None:
            return self.span
        return self.part(*within) if isinstance(self.value, str | Template) else self.span


def part_of(span: Span, text: str, start: int, end: int) -> Span:
    """Return the span of characters in a text, if the whole span is just that text."""
    width = span.end_column - span.column
    if span.line != span.end_line or width not in (len(text), len(text) + 2):
        return span
    quote = (width - len(text)) // 2
    return span.part(quote + start, quote + end)


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


@data(eq=False)
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


def carried(inputs: Iterable[str], outputs: Sequence[str], counter: str = "") -> dict[str, str]:
    """Return the inputs of a block that its outputs feed at the next time of a repeat, each with the
    port: a single output, the port "", feeds the first input; several feed the inputs of their names.

    The input `counter` is the number of the step, so no output feeds it.
    """
    names = [name for name in inputs if name != counter]
    if len(outputs) == 1:
        return dict.fromkeys(names[:1], "")
    return {name: name for name in outputs if name in names}


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


class DeclaredKind:
    """The base of every kind of declared operation, with the properties that passes read."""

    __slots__ = ()

    @property
    def named(self) -> Mapping[str, Option]:
        """The options of a layer or merge, or the params of a block, by name."""
        return {}

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


@data(eq=False)
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


@data
class Chain(DeclaredKind):
    """`seq`: items in a row, each fed by the one before."""

    items: tuple[Node, ...] = field()  # else the property of the base would be its default
    span: Span


@data(eq=False)
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


@data
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


@data
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


class Take(NamedTuple):
    """`take:` makes another port the default."""

    port: str
    span: Span


@data
class Node:
    """A named operation on sources; `operation` is None where the text could not be read.

    `sources` is None where none are given; an item of a chain needs none. A node that is to
    `freeze` learns nothing: its weights get no gradients, and it stays in evaluation mode; a param
    may decide it. `over` is an axis of its sources that is folded into the batch while it runs.
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
    """Sizes, names of sizes, and `Written` sizes, each with its span."""

    dims: tuple[Any, ...]
    spans: tuple[Span, ...]

    @property
    def names(self) -> list[str]:
        """The names among the sizes."""
        return [dim for dim in self.dims if isinstance(dim, str)]


@data
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


@data
class BlockInput:
    """An input of a block; a pattern binds names to the sizes at each use.

    `declared` is the input that it was in a graph of its own: a source must have its dtype and vocab.
    """

    name: str
    span: Span
    pattern: InputShape | None = None
    declared: Input | None = None


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


@data
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

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Return all but the function, which can seldom be pickled."""
        return None, {one.name: getattr(self, one.name) for one in fields(self)} | {
            "function": None
        }

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


@data
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
