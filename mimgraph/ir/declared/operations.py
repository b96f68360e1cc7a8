"""The operations of declared nodes: a layer or merge, a chain, the use of a block, a share, an `each`.

Classes with `eq=False` are compared by identity, so that each use in a spec can be a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeAlias

from mimgraph.ir.declared.values import Option, part_of
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.ir.declared.graph import Node


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


def _no_options() -> Mapping[str, Option]:
    return NO_OPTIONS


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


@dataclass(frozen=True, slots=True, eq=False)
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


@dataclass(frozen=True, slots=True, eq=False)
class Apply(DeclaredKind):
    """An op of the registry; `lone` is a value given without a key."""

    kind: str  # of the op: "layer", "merge", ...
    name: str
    span: Span
    options: Mapping[str, Option] = field(default_factory=_no_options)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True, eq=False)
class Call(DeclaredKind):
    """A use of a block: once, several times in a row, or once for each step along an axis."""

    block: str
    span: Span
    params: Mapping[str, Option] = field(default_factory=_no_options)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
