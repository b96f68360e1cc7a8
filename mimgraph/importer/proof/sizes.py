"""Choose the batches and sizes of a proof, none of which was traced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import gcd
from typing import NamedTuple


class Point(NamedTuple):
    """A batch, and a number for each named size."""

    batch: int
    sizes: Mapping[str, int]

    def __str__(self) -> str:
        return ", ".join(
            f"{name} = {size}" for name, size in {"N": self.batch, **self.sizes}.items()
        )


def points(traced: Mapping[str, Sequence[int]], batches: Sequence[int]) -> Iterator[Point]:
    """Yield points at which no size is one that was traced, between and beyond these.

    Sizes are multiples of the unit of the traced ones, as some models need.
    """
    free = [number for number in range(2, 4 * max(batches)) if number not in batches]
    for turn, batch in enumerate(free):
        yield Point(batch, {name: _untraced(found, turn) for name, found in traced.items()})


def _untraced(traced: Sequence[int], turn: int) -> int:
    """Return another size for each turn: one above the smallest, one above the largest, ..."""
    unit = gcd(*traced)
    taken = {size // unit for size in traced}
    starts = (min(taken), max(taken), sorted(taken)[len(taken) // 2])
    candidate, left = starts[turn % len(starts)] + 1, turn // len(starts)
    while candidate in taken or left:
        left -= candidate not in taken
        candidate += 1
    return candidate * unit
