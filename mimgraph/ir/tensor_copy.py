"""Describe a tensor that is made of an older one: stretches of positions along its axes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias


class Stretch(NamedTuple):
    """Positions in a row along an axis: the old ones from `start` on, or new ones if that is None."""

    start: int | None
    length: int


Positions: TypeAlias = tuple[Stretch, ...]
"""The old position of every position along an axis."""

MOST_STRETCHES = 4096  # along one axis; more are not followed


def resized(old: int, new: int) -> Positions:
    """Return the positions of an axis that was cut or lengthened at its end."""
    kept = (Stretch(0, min(old, new)),)
    return kept if new <= old else (*kept, Stretch(None, new - old))


def repeated(positions: Positions, times: int, old: int) -> Positions:
    """Return the positions of several such axes of `old` positions, one behind the other."""
    return joined(shifted(positions, index * old) for index in range(times))


def shifted(positions: Positions, by: int) -> Positions:
    """Return the positions in an axis with `by` more old positions in front."""
    return tuple(s if s.start is None else Stretch(s.start + by, s.length) for s in positions)


def scaled(positions: Positions, by: int) -> Positions:
    """Return the positions of an axis on which each position is a block of `by` of them."""
    return tuple(
        Stretch(None if s.start is None else s.start * by, s.length * by) for s in positions
    )


def joined(several: Iterable[Positions]) -> Positions:
    """Return positions one behind the other; stretches that continue each other become one."""
    found: list[Stretch] = []
    for start, length in (stretch for positions in several for stretch in positions):
        last = found[-1] if found else None
        if last is not None and _continues(last, start):
            found[-1] = Stretch(last.start, last.length + length)
        elif length:
            found.append(Stretch(start, length))
    return tuple(found)


def _continues(last: Stretch, start: int | None) -> bool:
    if last.start is None or start is None:
        return last.start is start
    return last.start + last.length == start


def size(positions: Positions) -> int:
    """Return the number of positions."""
    return sum(stretch.length for stretch in positions)


def keeps_all(positions: Positions, old: int) -> bool:
    """Return whether each of the old positions is there exactly once."""
    end = 0
    for start, length in sorted((s.start, s.length) for s in positions if s.start is not None):
        if start != end:
            return False
        end = start + length
    return end == old


def pairs(positions: Positions) -> Iterator[tuple[range, range]]:
    """Yield the ranges of new positions that have old ones, each with the range of these."""
    for new, start in _placed(positions):
        if start is not None:
            yield new, range(start, start + len(new))


def news(positions: Positions) -> Iterator[range]:
    """Yield the ranges of the new positions that have no old one."""
    return (new for new, start in _placed(positions) if start is None)


def _placed(positions: Positions) -> Iterator[tuple[range, int | None]]:
    """Yield the range of new positions that each stretch has, with its first old position."""
    at = 0
    for start, length in positions:
        yield range(at, at + length), start
        at += length


class Along(NamedTuple):
    """What became of an axis. With `zero`, new positions are zeros where the other axes are old."""

    positions: Positions
    zero: bool = False


@dataclass(frozen=True, slots=True)
class TensorCopy:
    """A tensor of a new model: its key, the key of the old one that it takes values from, and how.

    `axes` has the axes along which positions changed; other axes are as they were. With no `source`
    the tensor starts anew. `shapes` are the old and the new shape.
    """

    key: str
    source: str | None
    shapes: tuple[tuple[int, ...] | None, tuple[int, ...]]
    axes: Mapping[int, Along] = field(default_factory=dict)
