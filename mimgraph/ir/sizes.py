"""Relations of sizes: equal or divisible for all values of their names, or linear in one name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import gcd, lcm
from typing import NamedTuple, TypeVar

from mimgraph.ir.dim import (
    Dim,
    DimOverflow,
    Size,
    divisions_in,
    range_of,
    substitute,
    symbol,
    symbols,
    terms_of,
    weight,
)

MAX_CASES = 1024  # number of remainders that `equal` tries, times the weight of the expression


def equal(a: Size, b: Size) -> bool | None:
    """Return whether `a` and `b` are equal for all sizes (True), for none (False), or for some (None)."""
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    try:
        difference = a - b
        verdict = _is_zero(difference)
        if verdict is None:
            verdicts = {_is_zero(case) for case in _classes(difference)}
            verdict = verdicts.pop() if len(verdicts) == 1 else None
    except ArithmeticError:  # beyond the limits, or a divisor that may be 0
        return None
    return verdict


def divisible(a: Size, by: int) -> bool | None:
    """Return whether `by` divides `a` for all sizes (True), for none (False), or for some (None)."""
    try:
        return equal(a % by, 0)
    except DimOverflow:
        return None


def _is_zero(size: Size) -> bool | None:
    """Return whether a size is 0, by its bounds and the common divisor of its varying terms."""
    if not isinstance(size, Dim):
        return size == 0
    low, high = range_of(size)
    *varying, (last, constant) = terms_of(size)
    if low > 0 or high < 0:
        return False
    if last == () and constant % gcd(*(coefficient for _, coefficient in varying)):
        return False
    return None


def _classes(size: Size) -> Iterator[Size]:
    """Return the size for each remainder of its names, where remainders decide its divisions."""
    names, step = sorted(symbols(size)), period(size)
    most = MAX_CASES // weight(size)
    if 1 < step <= most and step ** len(names) <= most:
        for remainders in product(range(step), repeat=len(names)):
            yield substitute(
                size, {n: step * symbol(n) - r for n, r in zip(names, remainders, strict=True)}
            )


def period(size: Size) -> int:
    """Return a number for which names that are its multiples, plus constants, divide evenly."""
    divisions = (atom for monomial, _ in terms_of(size) for atom in divisions_in(monomial))
    return lcm(*(period(n) * (period(d) if isinstance(d, Dim) else d) for n, d in divisions))


# Sizes that are linear in one name, `factor * name + offset`.


X = TypeVar("X", int, Dim, Size)


class Line(NamedTuple):
    """The function `factor * x + offset`."""

    factor: int
    offset: int

    def at(self, x: X) -> X | int:
        """Return the size for a value of x."""
        product = self.factor * x
        return product + self.offset if self.offset else product

    def solve(self, size: X) -> X | int:
        """Return the x that gives a size, rounded down."""
        rest = size - self.offset if self.offset else size
        return rest // self.factor


class NamedLine(NamedTuple):
    """A line over the named size `name`."""

    name: str
    line: Line


def line_of(size: Size) -> NamedLine | None:
    """Return the name in a size and the line over it; None if the size is not linear in one name."""
    match terms_of(size):
        case ((((str(name), 1),), factor),):
            return NamedLine(name, Line(factor, 0))
        case ((((str(name), 1),), factor), ((), offset)):
            return NamedLine(name, Line(factor, offset))
    return None
