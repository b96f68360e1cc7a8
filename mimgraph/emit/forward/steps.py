"""One assignment of a forward, and when it is done, before any value has a name."""

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
    """Whether an optional input is given; where there is no presence, whether the module trains."""

    presence: Presence | None
    holds: bool = True

    @property
    def otherwise(self) -> Condition:
        """Its contrary."""
        return self._replace(holds=not self.holds)


Guard = tuple[Condition, ...]  # the outermost first

WHOLE = "*"  # the port of all results of a call together


def is_intermediate(value: Value) -> bool:
    """Return whether a value is no result of its node, but computed on the way to one."""
    return value.port.startswith("*")


@dataclass(slots=True)
class Step:
    """One assignment: `targets = code`, `times` over in a loop; `reads` are the values it needs.

    It is done where all conditions of `guard` hold. Without targets it returns. `node` is whose it is.
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
    """`for variable in iterable`; each target that is carried starts as the value it is carried from."""

    variable: str
    iterable: Code
    carried: Mapping[Value, Value] = field(default_factory=dict)


def values_read(code: Code) -> list[Value]:
    """The values that a tree reads, in order."""
    return values_in(walk(code))


def values_in(parts: Iterable[Code]) -> list[Value]:
    """Those of the parts of a tree that are values."""
    return [part.value for part in parts if type(part) is Local]
