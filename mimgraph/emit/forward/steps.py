"""Represent the steps of a forward: assignments under conditions, of values without names yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mimgraph.emit.tree import Local
from mimgraph.ir.code import Code, walk
from mimgraph.ir.typed_graph import Presence, Value


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
_UNREAD = "*unread"  # the port of the results of a call that nothing reads
_LIST = "*list "  # the port of a list of the results of a loop, before the name of the result

_FLAT = "*flat "  # the port of a source whose axis is folded into the batch, before its name


def is_intermediate(value: Value) -> bool:
    """Return whether a value is not a result of its node but computed on the way to one."""
    return value.port.startswith("*")


def unread(node: str) -> Value:
    """Return the value of a node that stands for each result of a call that nothing reads."""
    return Value(node, _UNREAD)


def is_unread(value: Value) -> bool:
    """Return whether a value stands for results that nothing reads, which are called `_`."""
    return value.port == _UNREAD


def list_of(node: str, output: str) -> Value:
    """Return the list of one result of a node's loop."""
    return Value(node, f"{_LIST}{output}")


def is_list(value: Value) -> bool:
    """Return whether a value is a list of results of a loop, not a tensor."""
    return value.port.startswith(_LIST)


def flat_of(node: str, source: str) -> Value:
    """Return a source of a node that runs over an axis, with this axis folded into the batch."""
    return Value(node, f"{_FLAT}{source}")


def is_flat(value: Value) -> bool:
    """Return whether a value is a source of a node with an axis folded into the batch."""
    return value.port.startswith(_FLAT)


def flat_name(value: Value) -> str:
    """Return the name of a source with an axis folded into the batch, `video_flat`."""
    return value.port.removeprefix(_FLAT).replace(".", "_") + "_flat"


@dataclass(slots=True, eq=False)
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


@dataclass(frozen=True, slots=True)
class Loop:
    """`for a, b in iterable:`; `carried` are the targets that start as another value, with it.

    `collected` are the targets that each time appends to a list, with the list. `names` has the names
    that values of the loop get if they are free.
    """

    variables: tuple[str, ...]
    iterable: Code
    carried: Mapping[Value, Value] = field(default_factory=dict)
    collected: Mapping[Value, Value] = field(default_factory=dict)
    names: Mapping[Value, str] = field(default_factory=dict)

    def is_inside(self, value: Value) -> bool:
        """Return whether a value is the result of one step, which nothing reads behind the loop.

        There is no `del` of it, nor of a variable: TorchScript knows them only inside the loop.
        """
        is_named = value in self.names or value in self.collected or is_unread(value)
        return is_named and value not in self.carried


def values_read(code: Code) -> list[Value]:
    """Return the values that a tree reads, in order."""
    return values_in(walk(code))


def values_in(parts: Iterable[Code]) -> list[Value]:
    """Return the values among the parts of a tree."""
    return [part.value for part in parts if type(part) is Local]
