"""Describe a value of a new graph by a value of the old one: which positions it keeps, and whether their
numbers are equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mimgraph.compare.weights.steps import At, Step
from mimgraph.ir.dim import Size
from mimgraph.ir.tensor_copy import Positions, resized
from mimgraph.ir.types import TensorType


class Moved(NamedTuple):
    """The one axis of a value whose positions changed, and the old ones; the batch is axis 0."""

    axis: int
    positions: Positions


@dataclass(frozen=True, slots=True)
class Lanes:
    """A value: the old one that it stands for, if any, what moved in it, and `why` its numbers may differ.

    Where `why` is "", every position that has an old one holds the same numbers in evaluation.
    """

    old: At | None
    moved: Moved | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A step of the new graph and the old step that it stands for, with the lanes of its operands."""

    old: Step
    new: Step
    lanes: Mapping[str, Lanes]
    types: tuple[Mapping[At, TensorType], Mapping[At, TensorType]]

    @property
    def is_unary(self) -> bool:
        """Whether it has one operand in both graphs."""
        return len(self.old.operands) == len(self.new.operands) == 1

    @property
    def first(self) -> Lanes:
        """The lanes of the first operand."""
        return next(iter(self.lanes.values()))

    @property
    def old_values(self) -> list[At | None]:
        """The operands of the old step."""
        return [*self.old.operands.values()]

    @property
    def new_values(self) -> list[At | None]:
        """The old values of the operands of the new step."""
        return [lanes.old for lanes in self.lanes.values()]

    def shapes(self, operand: str) -> tuple[tuple[Size, ...], tuple[Size, ...]]:
        """Return the old and the new shape of an operand; () for what has no type."""
        old, new = self.old.operands.get(operand), self.new.operands.get(operand)
        return _shape(self.types[0], old), _shape(self.types[1], new)

    def result_shapes(self, port: str) -> tuple[tuple[Size, ...], tuple[Size, ...]]:
        """Return the old and the new shape of a result."""
        old, new = At(self.old.number, port), At(self.new.number, port)
        return _shape(self.types[0], old), _shape(self.types[1], new)

    def options(self) -> tuple[Mapping[str, object], Mapping[str, object]]:
        """Return the options of the old and of the new layer."""
        none: Mapping[str, object] = {}
        first, second = (none if s.leaf is None else s.leaf.options for s in (self.old, self.new))
        return first, second


def _shape(types: Mapping[At, TensorType], at: At | None) -> tuple[Size, ...]:
    return tuple(types[at].shape) if at is not None and at in types else ()


def by_shape(old: Iterable[Size], new: Iterable[Size]) -> Moved | None:
    """Return what moved if one axis was cut or lengthened at its end; None if none was or several were."""
    was, now = list(old), list(new)
    axes = [axis for axis, sizes in enumerate(zip(was, now, strict=False)) if sizes[0] != sizes[1]]
    if len(was) != len(now) or len(axes) != 1:
        return None
    (axis,) = axes
    before, after = was[axis], now[axis]
    if not isinstance(before, int) or not isinstance(after, int):
        return None
    return Moved(axis, resized(before, after))
