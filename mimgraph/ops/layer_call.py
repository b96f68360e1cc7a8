"""Define what `layers.Linear(...)` is: an op that Python calls, and the calls that record nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import (
    Any,
    ClassVar,
    Final,
    NoReturn,
    Protocol,
    Self,
    TypeAlias,
    TypeGuard,
    TypeVar,
    cast,
)

from mimgraph.ir.declared_graph import BESIDE_FROM
from mimgraph.ir.grammar import BESIDE, TRAINING
from mimgraph.ir.names import snake_case
from mimgraph.ops import registry
from mimgraph.ops.deprecated import warn_of_op
from mimgraph.ops.op import Op, Release, Rule
from mimgraph.support.arguments import as_mapping, shown
from mimgraph.support.entry_point import entry_point, entry_points
from mimgraph.support.objects import Completed, LikeFunction


class _Described:
    """An attribute of an op that is computed when it is read; the class has its own value."""

    def __init__(self, compute: Callable[[Op], object], of_class: object = None) -> None:
        self.compute = compute
        self.of_class = of_class

    def __get__(self, op: Op | None, owner: object = None) -> object:
        return self.of_class if op is None else self.compute(op)


def _signature(op: Op) -> object:
    from mimgraph.ops.python_text import signature

    return signature(op)


def _docstring(op: Op) -> object:
    from mimgraph.ops.python_text import docstring

    return docstring(op)


class PythonOp(Completed, LikeFunction, Op):
    """An op that Python can call; `help` and `inspect.signature` show it as they show a function."""

    _completed = ("doc", "example", "family", "inputs", "name", "options", "ports", "summary")
    __signature__ = _Described(_signature)

    def __init_subclass__(cls) -> None:
        cls.__doc__ = _Described(_docstring, cls.__doc__)  # type: ignore[assignment]

    def without_nulls(self, keywords: Mapping[str, object]) -> dict[str, object]:
        """Return the keywords without those that are None, the default that signatures show for options
        that are inferred."""
        if not keywords:
            return {}
        optional = (*self.inferred, BESIDE_FROM.get(self.name))
        return {k: v for k, v in keywords.items() if v is not None or k not in optional}


# Call ops on handles in Python: `layers.Linear(64)(x)`, `merges.concat(a, b)`.


NODE_OPTIONS = ("activation", *BESIDE, *TRAINING)  # of every layer and merge in Python
EACH_OPTIONS = ("with_", "times", "shared")  # of `.each`
Activation: TypeAlias = "str | Mapping[str, object] | LayerCall | Callable[..., object]"


class InSequence(Enum):
    """Marks a layer in its uses as an item of a Sequential."""

    IN_SEQUENCE = "in sequence"


IN_SEQUENCE: Final = InSequence.IN_SEQUENCE


class Uses(dict[object, object]):
    """What the first call of a layer recorded, by body.

    Layers with one object of it share their weights. A pickle has it without the calls: a call that
    is unpickled enters itself.
    """

    def __reduce__(self) -> tuple[type[Uses], tuple[()]]:
        return Uses, ()


class Handle(Protocol):
    """A source in Python, which records the calls of layers.

    The builder implements it, so that `ops` does not import the builder.
    """

    def apply_layer(
        self,
        layer: Any,
        sources: tuple[object, ...],
        named: Mapping[str, object],
        name: str | None,
    ) -> Self: ...


H = TypeVar("H", bound=Handle)


@entry_points
class Applicable(Completed):
    """A layer that can be called on handles; if it is called twice, its weights are shared."""

    _completed: ClassVar[tuple[str, ...]] = ("each",)
    uses: Uses
    argument_names: tuple[str, ...] = ()  # the keywords that sources may have; () for any
    optional: frozenset[str] = frozenset()  # the sources that a call may leave out
    takes_groups: bool = False  # whether a source with several ports is all of them

    @property
    def label(self) -> str:
        """Return the name for messages."""
        raise NotImplementedError

    @property
    def stem(self) -> str:
        """Return the beginning of the names of its nodes that the user does not name."""
        raise NotImplementedError

    @property
    def option_sources(self) -> Mapping[str, object]:
        """Return the sources among its options."""
        return {}

    @property
    def loop(self) -> tuple[object, ...] | None:
        """Return the axes and carried inputs of a scan; None for another layer."""
        return None

    def __call__(self, *sources: H | None, name: str | None = None, **named: H | None) -> H:
        """Apply the layer to sources; `name` is the name of the node."""
        return self.apply_to(sources, named, name)

    def apply_to(
        self, sources: Sequence[H | None], named: Mapping[str, H | None], name: str | None
    ) -> H:
        """Apply the layer, called by an entry point."""
        given = {**self.option_sources, **named}
        handle = cast("H", first_handle(self.label, *sources, *given.values()))
        return handle.apply_layer(self, tuple(sources), given, name)

    def each(
        self,
        *sources: H,
        name: str | None = None,
        with_: Mapping[str, Sequence[object]] | None = None,
        times: object = None,
        shared: object = False,
        **named: H,
    ) -> H:
        """Apply the layer to every source with separate weights; the ports have the names of the sources.

        `with_` gives each its own options: `{"embedding_dim": [8, 4]}`. `shared=True` applies one
        module to every source. `times=4` applies four copies, `0` to `3`, to one source.
        """
        for key, given in (("times", times), ("shared", shared)):
            if is_source(given):  # a source may have that name
                named[key] = cast("H", given)
        times = None if "times" in named else times
        shared = False if "shared" in named else shared
        options = as_mapping("with_", with_, '{"embedding_dim": [8, 4]}')
        each = EachCall(self, options, times, shared)
        handle = cast("H", first_handle(self.label, *sources, *named.values()))
        return handle.apply_layer(each, sources, named, name)

    def __getitem__(self, item: str) -> ItemCall:
        """Return the module that `each` made for one of its sources, to call it on another."""
        if not isinstance(item, str):
            raise TypeError(
                f"{self.label}[...] takes the name of a source that {self.label} was applied to by"
                f" .each(...), not {item!r:.40}"
            )
        return ItemCall(self, item)

    # without these two Python would try [0], [1], ... forever

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self.label}(...) is a layer and cannot be unpacked: {self._how()}")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(f"{self.label}(...) is a layer and contains nothing: {self._how()}")

    def _how(self) -> str:
        return f"call it on a handle first, {self.label}(...)(x)"

    def __deepcopy__(self, memo: object) -> Self:
        """Return a layer with separate weights, as `copy.deepcopy` of a torch module."""
        made = copy(self)
        made.uses = Uses()
        return made


@dataclass(frozen=True, slots=True)
class EachCall:
    """A layer to apply to every source, and the options that differ between sources; or a layer to
    apply so many `times` to one source. If it is `shared`, it has one module."""

    layer: Applicable
    options: Mapping[str, object]
    times: object = None
    shared: object = False
    argument_names: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[frozenset[str]] = frozenset()
    takes_groups: ClassVar[bool] = False
    loop: ClassVar[None] = None

    def __repr__(self) -> str:
        return f"{self.layer!r}.each"

    @property
    def stem(self) -> str:
        return self.layer.stem

    @property
    def uses(self) -> Uses:
        return self.layer.uses


class ItemCall(Applicable):
    """One of the modules that `each` made, to be called on another source."""

    def __init__(self, layer: Applicable, item: str) -> None:
        self.layer = layer
        self.item = item
        self.uses = layer.uses

    def __repr__(self) -> str:
        return f"{self.layer!r}[{self.item!r}]"

    @property
    def label(self) -> str:
        return self.layer.label

    @property
    def stem(self) -> str:
        return self.layer.stem


class LayerCall(Applicable):
    """A layer with options, not yet called on sources."""

    _completed = ("args", "each", "keywords", "op")

    def __init__(self, op: Op, args: tuple[object, ...], keywords: dict[str, object]) -> None:
        self.op = op
        self.args = args
        self.keywords = keywords
        self.uses = Uses()
        self.argument_names = op.inputs.names

    def __repr__(self) -> str:
        shown = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.keywords.items())]
        return f"{self.op.name}({', '.join(shown)})"

    @entry_point
    def __call__(
        self, *sources: H | tuple[H, ...] | None, name: str | None = None, **named: H | None
    ) -> H:
        """Apply the layer to sources; an LSTM takes its state as a tuple, `lstm(x, (hidden, cell))`."""
        alone, by_name = _with_state(self.op, sources)
        return cast("H", self.apply_to(alone, {**by_name, **named}, name))

    @property
    def label(self) -> str:
        return self.op.name

    @property
    def stem(self) -> str:
        return snake_case(self.op.__name__)

    @property
    def option_sources(self) -> Mapping[str, object]:
        """Return the source among the options: `Cast(like=x)`."""
        key = BESIDE_FROM.get(self.op.name)
        if key not in self.keywords or not is_source(self.keywords[key]):
            return {}
        return {key: self.keywords[key]}

    def without_sources(self) -> LayerCall:
        """Return the call without the sources among its options."""
        if not self.option_sources:
            return self
        options = {k: v for k, v in self.keywords.items() if k not in self.option_sources}
        return LayerCall(self.op, self.args, options)


class MergeCall(LayerCall):
    """A merge with options, not yet called on sources."""

    @entry_point
    def __call__(
        self,
        *sources: H | Iterable[H] | Mapping[str, H] | None,
        name: str | None = None,
        **named: H | None,
    ) -> H:
        """Apply the merge to sources, lists of them, or a dict of sources by name."""
        alone, by_name = _gathered(self.op, sources)
        return cast("H", self.apply_to(alone, {**by_name, **named}, name))


@entry_points
class LayerOp(PythonOp):
    """A layer that Python can call with its options."""

    def __call__(self, *args: object, **options: object) -> LayerCall:
        """Return the layer with its options, to be called on sources."""
        warn_of_op("layer", self.name)
        call = LayerCall(self, args, self.without_nulls(options))
        if any(map(is_source, (*args, *options.values()))):
            _check_no_sources(call)
        return call


@entry_points
class MergeOp(PythonOp):
    """A merge that Python can call on its sources and options."""

    def __call__(
        self, *sources: object, name: str | None = None, **keywords: object
    ) -> Handle | MergeCall:
        """Apply the merge; keywords that are not its options are sources.

        Without sources, return the merge with its options, to be called on sources later.
        """
        warn_of_op("merge", self.name)
        options = {*self.options, *NODE_OPTIONS} - {*TRAINING}  # which may name sources
        named = {k: v for k, v in keywords.items() if k not in options and self._is_source(k, v)}
        given = self.without_nulls({k: v for k, v in keywords.items() if k not in named})
        args: tuple[object, ...] = ()
        if self.inputs.kind == "named" and sources and isinstance(sources[0], str):
            args, sources = sources[:1], sources[1:]
        merge = MergeCall(self, args, given)
        if not sources and not named and name is None:
            return merge
        alone, by_name = _gathered(self, sources)
        return cast("Handle", merge.apply_to(alone, {**by_name, **named}, name))

    def _is_source(self, key: str, value: object) -> bool:
        """Return whether a keyword is a source, or says that an argument has none."""
        return is_source(value) or (value is None and key in self.inputs.names)


def layer(
    *sizes: str,
    family: str,
    inferred: tuple[str, ...] = (),
    ports: tuple[str, ...] = (),
    since: Mapping[str, Release] | None = None,
    package: str = "torch",
    unpacks: Mapping[str, tuple[str, ...]] | None = None,
) -> Callable[[Rule], LayerOp]:
    """Register a rule as a layer.

    `sizes` are the options that torch's class takes first and are inferred here, `inferred` the later
    ones; `family` is the heading under which `mimgraph layers` lists it. `ports` are the names of its results if it has several, unless
    they depend on the use (`Split`). Where torch's class returns others, or a tuple inside a tuple,
    `unpacks` has the ports that Python unpacks from the result "", and from a port. `since` has the torch release that added an option, if it is
    later than torch 2.5. `package` must be installed where the layer runs.
    """
    return lambda rule: registry.add(
        LayerOp(
            *("layer", rule, sizes, ports, since),
            family=family,
            inferred=inferred,
            package=package,
            unpacks=unpacks,
        )
    )


def merge(
    *sizes: str, family: str, ports: tuple[str, ...] = (), alone: str = ""
) -> Callable[[Rule], MergeOp]:
    """Register a rule as a merge; it takes the arguments of `layer`.

    `alone` is the layer that does the same to a list of one source in Python, or to a group of one
    in YAML; without it a merge of two or more refuses these.
    """
    return lambda rule: registry.add(
        MergeOp("merge", rule, sizes, ports, family=family, alone=alone)
    )


def tensor(family: str) -> Callable[[Rule], Op]:
    """Register a rule as a tensor of the model itself, which has no sources."""
    return lambda rule: registry.add(Op("tensor", rule, family=family))


def part() -> Callable[[Rule], Op]:
    """Register a rule as a part of merges that are blocks, which no spec can name."""
    return lambda rule: registry.add(Op("part", rule, family=""))


def _with_state(op: Op, sources: tuple[Any, ...]) -> tuple[Sequence[Any], dict[str, Any]]:
    """Return the sources of a layer, and by name those in a tuple that the layer itself unpacks into."""
    if len(sources) < 2 or not isinstance(sources[-1], tuple):
        return sources, {}
    *alone, state = sources
    for names in op.unpacks.values():
        if len(names) == len(state) and op.inputs.names and {*names} <= {*op.inputs.names}:
            return alone, dict(zip(names, state, strict=True))
    return sources, {}


def _gathered(op: Op, sources: tuple[Any, ...]) -> tuple[Sequence[Any], dict[str, Any]]:
    """Return the sources of a merge: from lists one by one, and from a dict by name."""
    by_name: dict[str, Any] = {}
    if op.inputs.kind in ("tuple", "named") and sources and isinstance(sources[0], Mapping):
        by_name = as_mapping("the sources", sources[0], '{"a": x}')
        sources = sources[1:]
    return sources if op.inputs.kind == "tuple" else _one_by_one(op, sources), by_name


def _one_by_one(op: Op, sources: Sequence[object]) -> Sequence[object]:
    """Return the sources of a merge of any number, those in lists and generators one by one."""
    if op.inputs.kind not in ("many", "named"):
        return sources
    found: list[object] = []
    for one in sources:
        found += one if not is_source(one) and _is_list(one) else [one]
    if sources and not found:
        raise TypeError(f"{op.name} takes at least 1 source, and this list of sources is empty")
    return found


def _is_list(value: object) -> TypeGuard[Iterable[object]]:
    """Return whether a value is a list or generator of sources, or other objects in order."""
    has_order = isinstance(value, Iterable) and not isinstance(value, str | Mapping | AbstractSet)
    is_other = isinstance(value, Applicable) or hasattr(value, "tolist")
    return has_order and not is_other


def _check_no_sources(call: LayerCall) -> None:
    """Raise a `TypeError` for sources among the options: `layers.ReLU(x)` for `layers.ReLU()(x)`."""
    given = call.without_sources()
    options = [repr(one) for one in given.args if not is_source(one)]
    positional = call.op.python_positional
    named = {*positional[: len(options)], *given.keywords}
    if len(options) > len(positional):  # an error of its own
        options = ["..."]
    elif any(option.name not in named for option in call.op.required):
        options.append("...")
    options += [f"{k}={one!r}" for k, one in given.keywords.items() if not is_source(one)]
    sources = [_source_name(one) for one in given.args if is_source(one)]
    sources += [f"{k}={_source_name(one)}" for k, one in given.keywords.items() if is_source(one)]
    if sources:
        written = f"layers.{call.label}({', '.join(options)})({', '.join(sources)})"
        raise TypeError(f"{call.label} takes its options first, then its sources: write {written}")


def _source_name(handle: object) -> str:
    return getattr(handle, "name", None) or "x"


def is_source(value: object) -> TypeGuard[Handle]:
    """Return whether a value is a source of layers."""
    return hasattr(value, "apply_layer")


def first_handle(name: str, *given: object) -> Handle:
    """Return the first handle among the arguments of a call; raise a `TypeError` if there is none."""
    for source in given:
        if is_source(source):
            return source
    raise no_handle(name, *given)


def items_of(value: Any) -> Sequence[Any]:
    """Return what a list or dict holds, or the value alone."""
    kind = type(value)  # `isinstance` would note that a block's function looked at a param
    if issubclass(kind, Mapping):
        return [*value.values()]
    return value if issubclass(kind, list | tuple) else [value]


def no_handle(name: str, *given: object) -> TypeError:
    """Return the error for a layer or block that is called on something other than handles."""
    odd = f", not on {shown(given[0])}" if given else ""
    if given and any(map(is_source, items_of(given[0]))):
        star = "*sources.values()" if isinstance(given[0], Mapping) else "*sources"
        odd += f": give them one by one, {star}, or by name"
    return TypeError(
        f"{name} is called on tensors of a graph, mg.Input(...) or what a layer returned{odd}"
    )
