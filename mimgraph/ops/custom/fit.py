"""Fit an expression over names to the values that a size has at chosen points."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import gcd
from types import MappingProxyType

from mimgraph.ir.dim import Size, substitute, symbol

Point = Mapping[str, int]
Value = Callable[[Point], int | None]  # None at points where the module fails

# Steps by which a size is raised, multiples of usual strides; the first at which the module runs counts.
STEPS = (3360, 480, 48, 12, 4)
SHORT_STEPS = STEPS[2:]  # for names over which the module loops
LARGEST_DIVISOR = 64  # larger ones are not strides but results of rounding


def fit(
    value: Value, base: Point, steps: Mapping[str, Sequence[int]] = MappingProxyType({})
) -> Size | None:
    """Return a constant, or a sum or product of `(a*T + b)//m`, that gives every value; None if none.

    `value` is not None at `base`; it is called at other points. `steps` has the steps of names for which
    the usual ones are too large.
    """
    start = value(base)
    assert start is not None
    lines = [_Line(value, base, name, steps.get(name, STEPS)) for name in base]
    moving = [line for line in lines if line.moves]
    taken = {line.name: line.step for line in lines}
    for expression in _candidates(start, base, moving):
        if expression is not None and _holds(expression, value, base, taken):
            return expression
    return None


def _candidates(start: int, base: Point, lines: list[_Line]) -> Iterator[Size | None]:
    """Yield a constant, or a sum and a product of the forms of the lines."""
    if not lines:
        yield start
        return
    yield _sum(start, base, [line.form() for line in lines])
    yield _product(start, base, [line.form(line.unit()) for line in lines])


def _sum(start: int, base: Point, forms: list[Size | None]) -> Size | None:
    """Return the sum of the forms, shifted to be `start` at the base; None if one is missing."""
    total: Size = start
    for form in forms:
        if form is None:
            return None
        total += form - substitute(form, base)
    return total


def _product(start: int, base: Point, forms: list[Size | None]) -> Size | None:
    """Return a multiple of the product of the forms that is `start` at the base; None if there is none."""
    total: Size = 1
    for form in forms:
        if form is None:
            return None
        total *= form
    at_base = substitute(total, base)
    if not isinstance(at_base, int) or at_base == 0 or start % at_base:
        return None
    return start // at_base * total


def _holds(expression: Size, value: Value, base: Point, steps: Point) -> bool:
    """Return whether the expression is right where all names change, at one such point at least."""
    seen = [(substitute(expression, point), value(point)) for point in _points(base, steps)]
    known = [(wanted, found) for wanted, found in seen if found is not None]
    return bool(known) and all(wanted == found for wanted, found in known)


def _points(base: Point, steps: Point) -> Iterator[Point]:
    """Yield points where all names change: by their steps, by parts of these, and by a little."""
    for part in (1, 2, 3, 5):
        yield {name: size + steps[name] // part for name, size in base.items()}
    for little in (1, 2, 3):
        yield {name: size + little + number for number, (name, size) in enumerate(base.items())}


class _Line:
    """The values where one name changes and the others stay."""

    def __init__(self, value: Value, base: Point, name: str, steps: Sequence[int]) -> None:
        self.name = name
        self.start = base[name]
        self.at: Callable[[int], int | None] = lambda size: value({**base, name: size})
        self.step = next((s for s in steps if self.at(self.start + s) is not None), 0)

    @property
    def moves(self) -> bool:
        """Return whether the value depends on the name."""
        return self.at(self.start + self.step) != self.at(self.start)

    def unit(self) -> int:
        """Return a common divisor of the values, found from a few of them."""
        sizes = (self.start + move for move in (0, 1, 2, 4, 8, 16, 32, self.step))
        return gcd(*(found for size in sizes if (found := self.at(size)) is not None))

    def form(self, unit: int = 1) -> Size | None:
        """Return `(a*T + b)//m` such that the values are it times `unit`.

        Over a step that m divides, the slope is a/m. Then `a*T` is tried at each remainder k modulo m:
        the smallest k at which the value jumps gives b.
        """
        low, high = self.at(self.start), self.at(self.start + self.step)
        if low is None or high is None:
            return None
        slope = Fraction((high - low) // unit, self.step)
        a, m = slope.numerator, slope.denominator
        if a == 0 or (m > 1 and m > min(self.step // 6, LARGEST_DIVISOR)):
            return None
        inverse = pow(a, -1, m)

        def over(k: int) -> int | None:
            """Return the value where `a*T % m` is k, minus `a*T // m`: one more once k is large enough."""
            size = self.start + (k - a * self.start) * inverse % m
            found = self.at(size)
            return None if found is None else found // unit - a * size // m

        lowest = over(0)
        if lowest is None:
            return None
        jump = bisect_left(range(m), True, key=lambda k: over(k) not in (lowest, None))
        return (a * symbol(self.name) + m * lowest + m - jump) // m
