"""Make one class for uses of a block: what differs between them becomes a constructor argument."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mimgraph.emit.classes.arguments import Argument, Explained, Spell
from mimgraph.emit.classes.attributes import TAKEN
from mimgraph.emit.classes.draft import Draft, agreed
from mimgraph.emit.classes.methods import methods
from mimgraph.emit.format.statements import Class
from mimgraph.emit.tree import Construct, rebuild_statement
from mimgraph.ir.code import Code, Constant, Name, Replace, rebuild


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
    statements = tuple(rebuild_statement(one, in_forward) for one in agreed(drafts))
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
