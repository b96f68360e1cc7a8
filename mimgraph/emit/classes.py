"""Write one class for uses of a block: what differs between them becomes a constructor argument."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mimgraph.emit.attributes import TAKEN
from mimgraph.emit.drafts import Argument, Draft, Explained, Spell, agreed
from mimgraph.emit.frozen import NOTHING_FROZEN, train, without_gradients
from mimgraph.emit.tree import (
    Assign,
    Class,
    Construct,
    Expr,
    Function,
    Parameter,
    Statement,
    spell,
)
from mimgraph.ir.code import Call, Code, Constant, Dict, Name, Replace, rebuild


def methods(
    draft: Draft,
    inits: tuple[tuple[str, Code], ...],
    statements: tuple[Statement, ...],
    arguments: tuple[Argument, ...],
    defaults: tuple[tuple[str, Any], ...],
    stored: Mapping[str, str],
) -> tuple[Function, ...]:
    """Return the methods of a class, whose `inits` and `statements` are code over its `arguments`.

    `stored` are the arguments that the forward reads, each with the attribute that keeps it.
    """
    parameters = []
    for argument in arguments:
        default = _default(argument, defaults)
        parameters.append(Parameter(argument.spelled, _annotation(argument.values), default))
    found: list[Function] = []
    if inits or arguments:
        body = _init(draft, inits, stored)
        found.append(Function("__init__", tuple(parameters), False, "None", body))
    if draft.frozen != NOTHING_FROZEN:
        found += train(draft.frozen)
    if statements:
        found.append(_forward(draft, statements))
    return tuple(found)


def _init(
    draft: Draft, inits: tuple[tuple[str, Code], ...], stored: Mapping[str, str]
) -> tuple[Statement, ...]:
    """Return the statements of `__init__`."""
    body: list[Statement] = []
    made: dict[int, Code] = {}  # equal modules of several nodes are one code
    for _, code in inits:
        if id(code) not in made:
            made[id(code)] = spell(code)
    if draft.base == "nn.Sequential":
        items = tuple(made[id(code)] for _, code in inits)
        body.append(Expr(Call(Name("super().__init__"), items)))
    else:
        named: tuple[Code, ...] = ()
        if draft.attributes:  # of a `_Keyed`
            named = (Dict(tuple((key, Constant(name)) for key, name in draft.attributes)),)
        body.append(Expr(Call(Name("super().__init__"), named)))
        for name, attribute in stored.items():
            body.append(Assign((f"self.{attribute}",), Name(name)))
        for name, code in inits:
            body.append(Assign((f"self.{name}",), made[id(code)]))
    parts = draft.frozen.parts
    if parts:
        body.extend(without_gradients(parts))
    if draft.frozen.modules or (parts and any(one.modules for one in parts)):
        body.append(Expr(Call(Name("self.train"))))  # which leaves the frozen ones out
    return tuple(body)


def _default(argument: Argument, defaults: Iterable[tuple[str, Any]]) -> Code | None:
    return next((Constant(value) for name, value in defaults if name == argument.spelled), None)


def _annotation(values: Iterable[Any]) -> str:
    """Return the type of values as it is written: `int`, or `int | None`."""
    names = dict.fromkeys(map(_type_name, values))
    if "float" in names:
        names.pop("int", None)
    has_none = "None" in names
    names.pop("None", None)
    return " | ".join([*names, *(["None"] if has_none else [])]) or "None"


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, tuple):
        inner = _annotation(value) if value else "int"
        return f"tuple[{inner}, ...]"
    return "None" if value is None else "str"


def _forward(draft: Draft, statements: tuple[Statement, ...]) -> Function:
    parameters = []
    for name in draft.inputs:
        if name in draft.optional:
            default = Constant(None) if draft.may_leave_out else None
            parameters.append(Parameter(name, "Tensor | None", default))
        else:
            parameters.append(Parameter(name, "Tensor"))
    for name in draft.modules:
        parameters.append(Parameter(name, "nn.Module"))
    return Function("forward", tuple(parameters), draft.keyword_only, draft.returns, statements)


# One class of several drafts.


@dataclass(frozen=True, slots=True)
class Lifted:
    """A class, and how each of its uses constructs it."""

    definition: Class
    arguments: tuple[Argument, ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()

    def construct(self, use: int, given: Mapping[str, Any]) -> Construct:
        """Return the call that makes use number `use`; `given` are the params as its user wrote them."""
        found: list[tuple[str, Code]] = []
        for argument in self.arguments:
            value = argument.values[use]
            origin = getattr(given.get(argument.name), "written", None)
            found.append((argument.spelled, Constant(value, argument.name, origin)))
        positional = sum(not argument.is_param for argument in self.arguments)
        return Construct(self.definition.name, tuple(found), positional, self.defaults)


def lift(name: str, drafts: list[Draft], taken: Collection[str]) -> Lifted:
    """Make one class of drafts that differ only in values; no argument has one of the `taken` names."""
    first = drafts[0]
    if len(drafts) == 1:  # nothing varies
        body = methods(first, first.inits, first.statements, (), (), {})
        return Lifted(Class(name, first.base, first.doc, body))
    explained = Explained(drafts, taken)
    stored = _Stored({attribute for attribute, _ in first.inits})
    position = iter(range(len(explained.columns)))

    def arguments_as(name_of: Spell) -> Replace:
        """Return the replacement of each constant, in order, by code over arguments spelled so."""
        return lambda part: (
            explained.code(next(position), name_of) if isinstance(part, Constant) else None
        )

    in_init = arguments_as(lambda argument: Name(explained.spelled[argument]))
    in_forward = arguments_as(
        lambda argument: Name(f"self.{stored.attribute(argument, explained.spelled[argument])}")
    )
    inits = tuple((attribute, rebuild(code, in_init)) for attribute, code in first.inits)
    statements = tuple(one.rebuilt(in_forward) for one in agreed(drafts))
    body = methods(
        first, inits, statements, explained.arguments, explained.defaults, stored.by_argument
    )
    definition = Class(name, first.base, first.doc, body)
    return Lifted(definition, explained.arguments, explained.defaults)


class _Stored:
    """The arguments that the forward reads, each with the attribute that keeps it."""

    def __init__(self, attributes: set[str]) -> None:
        self.taken = attributes
        self.by_argument: dict[str, str] = {}  # by the name of the argument in the code

    def attribute(self, argument: str, spelled: str) -> str:
        """Return the attribute of an argument, a new one the first time."""
        if spelled not in self.by_argument:
            attribute = argument
            while attribute in self.taken or attribute in TAKEN:
                attribute += "_"
            self.taken.add(attribute)
            self.by_argument[spelled] = attribute
        return self.by_argument[spelled]
