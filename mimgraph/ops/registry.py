"""What an op is, and where ops are looked up: `@layer`, `@merge`, and the faults their rules raise.

A rule is a function. Its positional-only parameter is its input: one `TensorType`, a `NamedTuple`
of them, `Sources` (any number), or `NamedSources`. The other parameters are its options. It returns
a `Lowering`, or a `Block` of other ops, whose params are the options.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, NoReturn, Protocol, Self, TypeVar

from mimgraph.diagnostics import SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.graph import BESIDE_FROM, Block
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import Check, checker
from mimgraph.ir.types import DTYPES, TensorType
from mimgraph.ops import layers, merges
from mimgraph.support.arguments import as_mapping, shown
from mimgraph.support.frozen_data import data

Rule = Callable[..., Lowering | Block]
Sources = tuple[TensorType, ...]
NamedSources = dict[str, TensorType]
Release = tuple[int, int]  # of torch, (2, 12) for 2.12.1
REQUIRED = inspect.Parameter.empty
NODE_OPTIONS = ("activation", "take", "freeze")  # of every layer and merge in Python
Uses = dict[object, object]  # by body, what the first call of a layer recorded


@dataclass
class OpFault(Exception):
    """What a rule refuses: at an option, at a source (by operand key), or at the node.

    `within` are the characters of the option's text, `speaks_of` the operand keys whose shapes
    the message is about, `unknown` a name that no source has, and something else of the graph may;
    `at_node` is for what is not the fault of a sole source.
    """

    code: DiagnosticCode
    message: str
    option: str | None = None
    source: str | None = None
    note: str = ""
    help: str = ""
    speaks_of: tuple[str, ...] = ()
    within: tuple[int, int] | None = None
    unknown: str = ""
    at_node: bool = False


class OptionSpec(NamedTuple):
    """One option of an op: `takes_lone` if it may be given by position."""

    name: str
    default: Any
    annotation: Any
    check: Check
    takes_lone: bool
    inferred: bool


class InputSpec(NamedTuple):
    """The sources an op takes: argument names in order, those that may be left out, or any number."""

    names: tuple[str, ...]
    optional: frozenset[str]
    kind: str  # "none", "one", "tuple", "many" or "named"
    type: Any

    def argument(self, sources: Mapping[str, TensorType]) -> tuple[Any, ...]:
        """Sources by operand key as the rule's positional argument, if it has one."""
        match self.kind:
            case "none":
                return ()
            case "one":
                return (sources[self.names[0]],)
            case "many":
                return (tuple(sources.values()),)
            case "named":
                return (dict(sources),)
        return (self.type(**sources),)


class Op:
    """A layer or merge of the catalogue; called in Python it builds a node."""

    def __init__(
        self,
        kind: str,
        function: Rule,
        inferred: tuple[str, ...] = (),
        ports: tuple[str, ...] = (),
        since: Mapping[str, Release] | None = None,
        *,
        family: str,
    ) -> None:
        self.kind = kind
        self.name = function.__name__
        self.family = family
        self.function = function
        self.inferred = inferred
        self.ports = ports
        self.since = since or {}
        self.__name__ = self.name
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"

    @property
    def doc(self) -> str:
        """The docstring, without its example."""
        return (inspect.getdoc(self.function) or "").partition("\nExample:\n")[0].rstrip()

    @property
    def summary(self) -> str:
        """The first line of the docstring, which ends in the shape rule."""
        return self.doc.partition("\n")[0]

    @property
    def example(self) -> tuple[tuple[str, ...], str]:
        """Inputs as a spec declares them, a line each, and a node that uses the op."""
        text = (inspect.getdoc(self.function) or "").partition("\nExample:\n")[2]
        *inputs, node = [line.strip() for line in text.splitlines() if line.strip()] or [""]
        return tuple(inputs), node

    def shown(self, option: str) -> str:
        """Return the value that the example gives an option, `...` if it gives none."""
        value = re.search(rf'\b{option}: (\[.*?\]|".*?"|[^,}}]+)', self.example[1])
        return value[1] if value else "..."

    @cached_property
    def _parameters(self) -> tuple[list[inspect.Parameter], dict[str, Any]]:
        hints = typing.get_type_hints(self.function, include_extras=True)
        return list(inspect.signature(self.function).parameters.values()), hints

    @cached_property
    def options(self) -> Mapping[str, OptionSpec]:
        """Every option by name, in order; the inferred ones that have no default of their own last."""
        parameters, hints = self._parameters
        found = {}
        for parameter in parameters:
            if parameter.kind is parameter.POSITIONAL_ONLY:
                continue
            name, annotation = parameter.name, hints[parameter.name]
            lone = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            found[name] = OptionSpec(
                name,
                parameter.default,
                annotation,
                checker(annotation),
                lone,
                name in self.inferred,
            )
        for name in self.inferred:
            if name not in found:
                found[name] = OptionSpec(name, None, int, checker(int), False, True)
        return found

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """What each option is where it is not given."""
        return {name: option.default for name, option in self.options.items()}

    @cached_property
    def required(self) -> Sequence[OptionSpec]:
        """The options that must be given."""
        return [option for option in self.options.values() if option.default is REQUIRED]

    @cached_property
    def by_position(self) -> Sequence[str]:
        """The options that may be given by position, in order."""
        return [option.name for option in self.options.values() if option.takes_lone]

    @cached_property
    def lone_option(self) -> str | None:
        """The option that a lone value is for."""
        return self.by_position[0] if self.by_position else None

    @cached_property
    def inputs(self) -> InputSpec:
        """What the op takes as sources."""
        parameters, hints = self._parameters
        if not parameters or parameters[0].kind is not inspect.Parameter.POSITIONAL_ONLY:
            return InputSpec((), frozenset(), "none", None)
        name, annotation = parameters[0].name, hints[parameters[0].name]
        if annotation is TensorType:
            return InputSpec((name,), frozenset(), "one", annotation)
        if annotation == Sources:
            return InputSpec((), frozenset(), "many", annotation)
        if annotation == NamedSources:
            return InputSpec((), frozenset(), "named", annotation)
        return InputSpec(
            annotation._fields, frozenset(annotation._field_defaults), "tuple", annotation
        )

    def infer(
        self, sources: Mapping[str, TensorType], options: Mapping[str, Any]
    ) -> Lowering | Block:
        """The rule applied; `sources` by operand key, `options` checked and complete."""
        for key, type_ in sources.items():
            # what one recurrent layer hands to the `state` of another is no tensor
            if type_.dtype not in DTYPES and key != "state":
                raise OpFault("dtype-mismatch", f"{self.name} takes no state", source=key)
        return self.lower(sources, options)

    def lower(
        self, sources: Mapping[str, TensorType], options: Mapping[str, Any]
    ) -> Lowering | Block:
        """The rule's own answer."""
        if self._computed:
            options = {name: options[name] for name in options if name not in self._computed}
        return self.function(*self.inputs.argument(sources), **options)

    @cached_property
    def _computed(self) -> frozenset[str]:
        """The inferred options that the rule computes and does not take."""
        return frozenset(self.inferred).difference(p.name for p in self._parameters[0])

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """A layer with its options, to be called on sources; a merge of its sources at once."""
        if self.kind != "merge":
            return LayerCall(self, args, keywords)
        try:
            return LayerCall(self, (), {})._merge(args, keywords)
        except SpecError as error:
            raise error.shortened() from None


class Handle(Protocol):
    """A source in Python, which records the calls of layers: so `ops` need not know the builder."""

    def apply_layer(
        self,
        layer: Any,
        sources: tuple[object, ...],
        named: Mapping[str, object],
        name: str | None,
    ) -> Self: ...


H = TypeVar("H", bound=Handle)


class Applicable:
    """A layer that can be called on handles; if it is called twice, its weights are shared."""

    uses: Uses

    @property
    def label(self) -> str:
        """The name for messages."""
        raise NotImplementedError

    @property
    def beside(self) -> Mapping[str, Any]:
        """The sources among its options."""
        return {}

    def __call__(self, *sources: H, name: str | None = None, **named: H | None) -> H:
        """Return what the layer makes of the sources; `name` names the node."""
        given: dict[str, Any] = {**self.beside, **named}
        try:
            handle: H = first_handle(self.label, sources, given)
            return handle.apply_layer(self, sources, given, name)
        except SpecError as error:
            raise error.shortened() from None

    def each(
        self,
        *sources: H,
        name: str | None = None,
        with_: Mapping[str, Sequence[object]] | None = None,
        **named: H,
    ) -> H:
        """Apply the layer to every source, with weights of its own for each; ports have their names.

        `with_` gives each its own options, `{"embedding_dim": [8, 4]}`.
        """
        each = EachCall(self, as_mapping("with_", with_, '{"embedding_dim": [8, 4]}'))
        return first_handle(self.label, sources, named).apply_layer(each, sources, named, name)

    def __getitem__(self, item: str) -> ItemCall:
        """The module that `each` made for one of its sources, to be called on another."""
        if not isinstance(item, str):
            raise TypeError(
                f"{self.label}[...] takes the name of a source that {self.label} was applied to by"
                f" .each(...), not {item!r:.40}"
            )
        return ItemCall(self, item)

    # without these Python would try [0], [1], ... for ever

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self.label}(...) is a layer and cannot be unpacked: {self._how()}")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(f"{self.label}(...) is a layer and contains nothing: {self._how()}")

    def _how(self) -> str:
        return f"call it on a handle first, {self.label}(...)(x)"

    def __deepcopy__(self, memo: Any) -> Self:
        """Return a layer with weights of its own, as `copy.deepcopy` does in torch."""
        made = copy(self)
        made.uses = {}
        return made


@data
class EachCall:
    """What is called on every source, and the options that each has for itself."""

    layer: Applicable
    options: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"{self.layer!r}.each"

    @property
    def uses(self) -> Uses:
        return self.layer.uses


class ItemCall(Applicable):
    """One of the modules that `each` made."""

    def __init__(self, layer: Applicable, item: str) -> None:
        self.layer = layer
        self.item = item
        self.uses = layer.uses

    def __repr__(self) -> str:
        return f"{self.layer!r}[{self.item!r}]"

    @property
    def label(self) -> str:
        return self.layer.label


class LayerCall(Applicable):
    """A layer with options, not yet applied."""

    def __init__(self, op: Op, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        self.op = op
        self.args = args
        self.keywords = keywords
        self.uses: Uses = {}

    def __repr__(self) -> str:
        shown = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.keywords.items())]
        return f"{self.op.name}({', '.join(shown)})"

    @property
    def label(self) -> str:
        return self.op.name

    @property
    def beside(self) -> Mapping[str, Any]:
        """A source among the options: `Cast(like=x)`."""
        key = BESIDE_FROM.get(self.op.name)
        return {k: v for k, v in self.keywords.items() if k == key and is_source(v)}

    def without_sources(self) -> LayerCall:
        """Return the call with its options alone."""
        if not self.beside:
            return self
        options = {k: v for k, v in self.keywords.items() if k not in self.beside}
        return LayerCall(self.op, self.args, options)

    def _merge(self, sources: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Split a merge's keywords: its own words and options stay, the rest are sources."""
        name = keywords.pop("name", None)
        words = {*self.op.options, *NODE_OPTIONS}
        self.keywords = {k: v for k, v in keywords.items() if k in words or not is_source(v)}
        named = {k: v for k, v in keywords.items() if k not in self.keywords}
        if self.op.inputs.kind == "named" and sources and not is_source(sources[0]):
            self.args, sources = sources[:1], sources[1:]
            if sources and isinstance(sources[0], Mapping):
                by_name = as_mapping("the sources", sources[0], '{"a": x}')
                named, sources = {**by_name, **named}, sources[1:]
        handle: Handle = first_handle(self.op.name, sources, named)
        return handle.apply_layer(self, sources, named, name)


def dotted(release: Release) -> str:
    """Return a release of torch as one writes it: `2.12`."""
    return ".".join(map(str, release))


def is_source(value: Any) -> bool:
    """Whether a value can feed a layer."""
    return hasattr(value, "apply_layer")


def first_handle(name: str, sources: tuple[H, ...], named: Mapping[str, H]) -> H:
    """Return the first source that is a handle; raise a `TypeError` if there is none."""
    for source in (*sources, *named.values()):
        if is_source(source):
            return source
    raise no_handle(name, *sources, *named.values())


def no_handle(name: str, *given: Any) -> TypeError:
    """Return the error for a layer or block that is called on something other than handles."""
    odd = f", not on {shown(given[0])}" if given else ""
    return TypeError(
        f"{name} is called on tensors of a graph, mg.Input(...) or what a layer returned{odd}"
    )


_OPS: dict[str, dict[str, Op]] = {"layer": {}, "merge": {}, "tensor": {}, "part": {}}


def _homes(package: ModuleType, files: Mapping[str, str]) -> dict[str, str]:
    """Return the module that defines each op, by the op's name."""
    return {op: f"{package.__name__}.{file}" for file, ops in files.items() for op in ops.split()}


# by kind, the modules that define the ops, imported when one is first asked for
_HOMES: dict[str, dict[str, str]] = {
    "layer": _homes(layers, layers.FILES),
    "merge": _homes(merges, merges.FILES),
    "tensor": _homes(layers, layers.TENSORS),
    "part": {},
}


def layer(
    *inferred: str,
    family: str,
    ports: tuple[str, ...] = (),
    since: Mapping[str, Release] | None = None,
) -> Callable[[Rule], Op]:
    """Register a rule as a layer.

    `inferred` are the options of torch's class that the input decides, `family` the heading under
    which `mimgraph layers` lists it. `ports` are the names of its results where it has several;
    those that only a use can tell (`Split`) are left out. `since` has the torch release that added
    an option, where that is later than torch 2.5.
    """
    return lambda rule: add(Op("layer", rule, inferred, ports, since, family=family))


def merge(*inferred: str, family: str, ports: tuple[str, ...] = ()) -> Callable[[Rule], Op]:
    """Register a rule as a merge; the arguments are those of `layer`."""
    return lambda rule: add(Op("merge", rule, inferred, ports, family=family))


def tensor(family: str) -> Callable[[Rule], Op]:
    """Register a rule as a tensor of the model itself, which has no sources."""
    return lambda rule: add(Op("tensor", rule, family=family))


def part() -> Callable[[Rule], Op]:
    """Register a rule as a part of merges that are blocks, which no spec can name."""
    return lambda rule: add(Op("part", rule, family=""))


def add(op: Op) -> Op:
    """Register an op under its name, in place of one that has it, and return it."""
    _OPS[op.kind][op.name] = op
    return op


def find(kind: str, name: str) -> Op | None:
    """The layer or merge of that name, its file imported when it is first asked for."""
    op = _OPS[kind].get(name)
    if op is None and name in _HOMES[kind]:
        import_module(_HOMES[kind][name])
        op = _OPS[kind][name]
    return op


def names(kind: str) -> Collection[str]:
    """The names of all layers, or all merges."""
    return {**_HOMES[kind], **_OPS[kind]}


def ops(kind: str) -> Mapping[str, Op]:
    """All layers, or all merges, by name."""
    return {name: op for name in names(kind) if (op := find(kind, name))}
