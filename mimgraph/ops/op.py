"""Define an op, which is a rule with its signature and documentation, and the faults that rules raise.

A rule is a function. Its positional-only parameter is its input: one `TensorType`, a `NamedTuple`
of them, `Sources` (any number), or `NamedSources`. The other parameters are its options. It returns
a `Lowering`, or a `Block` of other ops, whose params are the options.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import Check, OptionValue, checker
from mimgraph.ir.types import DTYPES, TensorType

Rule = Callable[..., Lowering | Block]
Sources = tuple[TensorType, ...]
NamedSources = dict[str, TensorType]
InputKind: TypeAlias = Literal["none", "one", "tuple", "many", "named"]
REQUIRED = inspect.Parameter.empty  # the default of an option that must be given
Default: TypeAlias = "OptionValue | type"  # REQUIRED is a class


class OptionSpec(NamedTuple):
    """One option of an op; it `takes_lone` if it may be given by position."""

    name: str
    default: Default
    annotation: Any
    check: Check
    takes_lone: bool
    inferred: bool

    def accepts(self, value: object) -> bool:
        """Return whether plain data is a value of the option."""
        try:
            self.check(value)
        except ValueError:
            return False
        return True


class InputSpec(NamedTuple):
    """The sources of an op: their names in order and those that may be left out, or any number."""

    names: tuple[str, ...]
    optional: frozenset[str]
    kind: InputKind
    type: Callable[..., tuple[TensorType | None, ...]] | None = None  # of the kind "tuple"


Kind: TypeAlias = Literal["layer", "merge", "tensor", "part"]
Release = tuple[int, int]  # of torch, (2, 12) for 2.12.1


@dataclass(eq=False, repr=False)
class OpFault(Exception):
    """A fault of an op that its rule finds: at an option, at a source (by operand key), or at the node.

    `within` are the characters at fault in the text of the option, `mentions` the operand keys whose
    shapes the message mentions, `unknown` a name that is no source but may exist elsewhere in the
    graph. `at_node` keeps a fault at the node, which would else be at its only source.
    """

    code: DiagnosticCode
    message: str
    option: str | None = None
    source: str | None = None
    note: str = ""
    help: str = ""
    mentions: tuple[str, ...] = ()
    within: tuple[int, int] | None = None
    unknown: str = ""
    at_node: bool = False


class Op:
    """A layer, merge, tensor or part: its name, rule, options and sources."""

    reads_files = False  # whether its answers depend on files, which may change
    options_decide = False  # which sources it takes
    plugin = ""  # the package that brings it: `acme-blocks 0.1`

    def __init__(
        self,
        kind: Kind,
        function: Rule,
        sizes: tuple[str, ...] = (),
        ports: tuple[str, ...] = (),
        since: Mapping[str, Release] | None = None,
        *,
        family: str,
        inferred: tuple[str, ...] = (),
        package: str = "torch",
        unpacks: Mapping[str, tuple[str, ...]] | None = None,
        alone: str = "",
    ) -> None:
        self.kind = kind
        self.name = function.__name__
        self.family = family
        self.function = function
        self.sizes = sizes
        self.inferred = (*sizes, *inferred)
        self.ports = ports
        self.unpacks = unpacks or {"": ports}
        self.since = since or {}
        self.package = package
        self.alone = alone
        self.__name__ = self.name
        self.__module__ = function.__module__

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Return what a pickle holds: the kind and the name, by which the registry knows the op."""
        from mimgraph.ops.registry import known

        return known, (self.kind, self.name)

    @property
    def doc(self) -> str:
        """Return the docstring without its example."""
        return (inspect.getdoc(self.function) or "").partition("\nExample:\n")[0].rstrip()

    @property
    def summary(self) -> str:
        """Return the first line of the docstring, which ends in the shape rule."""
        return self.doc.partition("\n")[0]

    @property
    def example(self) -> tuple[tuple[str, ...], str]:
        """Return the example: the inputs as a spec declares them, and a node that uses the op."""
        text = (inspect.getdoc(self.function) or "").partition("\nExample:\n")[2]
        *inputs, node = [line.strip() for line in text.splitlines() if line.strip()] or [""]
        return tuple(inputs), node

    def shown(self, option: str) -> str:
        """Return the value that the example gives an option, `...` if it gives none."""
        mapping = r"\{(?:[^{}]|\{[^{}]*\})*\}"
        value = re.search(rf'\b{option}: (\[.*?\]|".*?"|{mapping}|[^,}}]+)', self.example[1])
        return value[1] if value else "..."

    @cached_property
    def signature(self) -> tuple[Mapping[str, inspect.Parameter], Mapping[str, Any]]:
        """Return the parameters of the rule and their types, by name."""
        parameters = inspect.signature(self.function).parameters
        return parameters, typing.get_type_hints(self.function, include_extras=True)

    @cached_property
    def options(self) -> Mapping[str, OptionSpec]:
        """Return every option by name, in order; inferred ones that the rule does not take come last."""
        found = {}
        parameters, types = self.signature
        for name, parameter in parameters.items():
            if parameter.kind is parameter.POSITIONAL_ONLY:
                continue
            lone = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            check, inferred = checker(types[name]), name in self.inferred
            found[name] = OptionSpec(name, parameter.default, types[name], check, lone, inferred)
        for name in self.inferred:
            if name not in found:
                found[name] = OptionSpec(name, None, int, checker(int), False, True)
        return found

    @cached_property
    def defaults(self) -> Mapping[str, Default]:
        """Return the default of each option, REQUIRED for those that must be given."""
        return {name: option.default for name, option in self.options.items()}

    @cached_property
    def required(self) -> Sequence[OptionSpec]:
        """Return the options that must be given."""
        return [option for option in self.options.values() if option.default is REQUIRED]

    @cached_property
    def by_position(self) -> Sequence[str]:
        """Return the options that may be given by position, in order."""
        return [option.name for option in self.options.values() if option.takes_lone]

    @cached_property
    def torch_order(self) -> Sequence[str]:
        """Return the options that torch takes by position, with those that are inferred here."""
        own = self.by_position or [name for name in self.options if name not in self.inferred]
        return [*dict.fromkeys((*self.sizes, *own, *self.inferred))]

    @cached_property
    def python_positional(self) -> Sequence[str]:
        """Return the options that Python code may give by position.

        Where torch's class begins with inferred sizes, only the required ones: `Conv2d(3, 16, 3)` is
        an error, not 3 channels with a kernel of 16.
        """
        if not self.sizes:
            return self.by_position
        return [name for name in self.by_position if self.defaults[name] is REQUIRED]

    @cached_property
    def lone_option(self) -> str | None:
        """Return the option that a value without a name is for."""
        return self.by_position[0] if self.by_position else None

    @cached_property
    def inputs(self) -> InputSpec:
        """Return the sources, which the only positional-only parameter of the rule takes."""
        parameters, types = self.signature
        first = next(iter(parameters.values()), None)
        if first is None or first.kind is not first.POSITIONAL_ONLY:
            return InputSpec((), frozenset(), "none")
        annotation = types[first.name]
        if annotation is TensorType:
            return InputSpec((first.name,), frozenset(), "one")
        if annotation == Sources:
            return InputSpec((), frozenset(), "many")
        if annotation == NamedSources:
            return InputSpec((), frozenset(), "named")
        optional = frozenset(annotation._field_defaults)
        return InputSpec(annotation._fields, optional, "tuple", annotation)

    def with_options(self, options: Mapping[str, object]) -> Op:
        """Return the op with the sources that it takes with these options: itself, unless they decide."""
        return self

    def infer(
        self, sources: Mapping[str, TensorType], options: Mapping[str, object]
    ) -> Lowering | Block:
        """Apply the rule to sources by operand key and options, which are checked and complete."""
        for key, type_ in sources.items():
            # the `state` port of a recurrent layer has a dtype that torch does not have
            if type_.dtype not in DTYPES and key != "state":
                raise OpFault("dtype-mismatch", f"{self.name} takes no state", source=key)
        return self.lower(sources, options)

    def lower(
        self, sources: Mapping[str, TensorType], options: Mapping[str, object]
    ) -> Lowering | Block:
        """Apply the rule without checking dtypes first."""
        options = dict(options)
        for name in self.computed:
            options.pop(name, None)
        match self.inputs:
            case InputSpec(kind="none"):
                return self.function(**options)
            case InputSpec(kind="one", names=(name,)):
                return self.function(sources[name], **options)
            case InputSpec(kind="many"):
                return self.function(tuple(sources.values()), **options)
            case InputSpec(type=inputs) if inputs is not None:
                return self.function(inputs(**sources), **options)
        return self.function(dict(sources), **options)

    @cached_property
    def computed(self) -> frozenset[str]:
        """Return the inferred options that the rule computes and does not take."""
        return frozenset(self.inferred).difference(self.signature[0])


def dotted(release: Release) -> str:
    """Return a release of torch as text: `2.12`."""
    return ".".join(map(str, release))
