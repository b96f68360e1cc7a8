"""Read the signature of an op's rule: its options and its sources."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.ir.declared_graph import Block
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import Check, OptionValue, checker
from mimgraph.ir.types import TensorType

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

    def argument(self, sources: Mapping[str, TensorType]) -> tuple[object, ...]:
        """Return the sources by operand key as the positional argument of the rule, if it has one."""
        if self.type is not None:
            return (self.type(**sources),)
        match self.kind:
            case "none":
                return ()
            case "one":
                return (sources[self.names[0]],)
            case "named":
                return (dict(sources),)
        return (tuple(sources.values()),)


class Signature:
    """The parameters of a rule, their annotations resolved."""

    def __init__(self, rule: Rule) -> None:
        self.parameters = list(inspect.signature(rule).parameters.values())
        self.hints = typing.get_type_hints(rule, include_extras=True)

    def options(self, inferred: Collection[str]) -> dict[str, OptionSpec]:
        """Return the options by name, in order; inferred ones that the rule does not take come last."""
        found = {}
        for parameter in self.parameters:
            if parameter.kind is parameter.POSITIONAL_ONLY:
                continue
            name, annotation = parameter.name, self.hints[parameter.name]
            lone = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            found[name] = OptionSpec(
                *(name, parameter.default, annotation, checker(annotation)),
                takes_lone=lone,
                inferred=name in inferred,
            )
        for name in inferred:
            if name not in found:
                found[name] = OptionSpec(name, None, int, checker(int), False, True)
        return found

    def inputs(self) -> InputSpec:
        """Return the sources, which the only positional-only parameter takes."""
        first = self.parameters[0] if self.parameters else None
        if first is None or first.kind is not first.POSITIONAL_ONLY:
            return InputSpec((), frozenset(), "none")
        annotation = self.hints[first.name]
        if annotation is TensorType:
            return InputSpec((first.name,), frozenset(), "one")
        if annotation == Sources:
            return InputSpec((), frozenset(), "many")
        if annotation == NamedSources:
            return InputSpec((), frozenset(), "named")
        optional = frozenset(annotation._field_defaults)
        return InputSpec(annotation._fields, optional, "tuple", annotation)
