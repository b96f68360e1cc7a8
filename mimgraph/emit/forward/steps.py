"""Represent the steps of a forward: assignments under conditions, of values without names yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mimgraph.emit.tree import Local
from mimgraph.ir.code import Code, walk
from mimgraph.ir.presence import Presence
from mimgraph.ir.typed import Value
from mimgraph.support.frozen_data import data


class Condition(NamedTuple):
    """Whether optional inputs are given or, without a presence, whether the module is in training."""

    presence: Presence | None
    holds: bool = True

    @property
    def otherwise(self) -> Condition:
        """The opposite condition."""
        return self._replace(holds=not self.holds)


Guard = tuple[Condition, ...]  # the outermost first

WHOLE = "*"  # the port of all results of a call together


def is_intermediate(value: Value) -> bool:
    """Return whether a value is not a result of its node but computed on the way to one."""
    return value.port.startswith("*")


@dataclass(slots=True)
class Step:
    """One assignment, `targets = code`, maybe in a loop; without targets a `return`.

    It runs if all conditions of `guard` hold. `reads` are the values in `code`, `node` is the name of
    the node that it is part of.
    """

    targets: tuple[Value, ...]
    code: Code
    reads: tuple[Value, ...]
    comment: str = ""
    loop: Loop | None = None
    guard: Guard = ()
    node: str = ""


@data
class Loop:
    """`for variable in iterable:`; `carried` are the targets that start as another value, with it."""

    variable: str
    iterable: Code
    carried: Mapping[Value, Value] = field(default_factory=dict)


def values_read(code: Code) -> list[Value]:
    """Return the values that a tree reads, in order."""
    return values_in(walk(code))


def values_in(parts: Iterable[Code]) -> list[Value]:
    """Return the values among the parts of a tree."""
    return [part.value for part in parts if type(part) is Local]
