"""Draw points of a search space at random, or yield all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, TypeAlias

from mimgraph.ir.declared_values import Choices, Dimension, Floats, Integers
from mimgraph.search.space import Space

Point: TypeAlias = dict[str, Any]  # a value for each param that is asked


def every_point(space: Space) -> Iterator[Point]:
    """Yield every point of a finite space once."""
    # a stack of its own, as a spec may have more params than Python may have calls in one another
    waiting = [iter([Point()])]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
        elif (name := space.next_asked(found)) is not None:
            waiting.append(_with_each(found, name, space[name]))
        else:
            yield {name: found[name] for name in space if name in found}


def _with_each(found: Point, name: str, dimension: Dimension) -> Iterator[Point]:
    """Yield a point that is not whole yet with each value of one more param."""
    return ({**found, name: value} for value in values(dimension))


def values(dimension: Dimension) -> Iterator[Any]:
    """Yield every value of a finite dimension."""
    match dimension:
        case Choices():
            yield from dimension.values
        case Integers(low, high, _, step):
            yield from range(low, high + 1, step)
        case Floats(low, _, _, step):
            yield from (low + (step or 0.0) * i for i in range(int(dimension.size)))


def random_points(space: Space, number: int, random: Random) -> Iterator[Point]:
    """Yield different points of a space that has more than this number; fewer if chance repeats them."""
    seen = set[str]()
    for _ in range(10 * number):
        point = random_point(space, random)
        if (key := repr(point)) not in seen:
            seen.add(key)
            yield point
        if len(seen) == number:
            return


def random_point(space: Space, random: Random, given: Mapping[str, Any] | None = None) -> Point:
    """Return a point; the params in `given` have these values."""
    fixed = given or {}
    return space.point(lambda name, one: fixed[name] if name in fixed else _drawn(one, random))


def _drawn(dimension: Dimension, random: Random) -> Any:
    """Return a value of a dimension, drawn evenly, or evenly in its logarithm."""
    match dimension:
        case Choices():
            return random.choice(dimension.values)
        case Integers(low, high, _, step, log):
            if log:
                return round(math.exp(random.uniform(math.log(low), math.log(high))))
            return random.randrange(low, high + 1, step)
        case Floats(low, high, _, by, log):
            if log:
                return min(max(math.exp(random.uniform(math.log(low), math.log(high))), low), high)
            return (
                low + by * random.randrange(int(dimension.size))
                if by
                else random.uniform(low, high)
            )
