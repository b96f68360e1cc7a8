"""Bounds of sizes: the least and the greatest value, where one is found."""

from __future__ import annotations

from functools import lru_cache
from math import inf, lcm
from typing import TypeAlias

from mimgraph.ir.dims.dim import (
    Atom,
    Dim,
    DimOverflow,
    FloorDiv,
    Monomial,
    Size,
    lone_division,
    normal,
    terms_of,
)

Bound: TypeAlias = int | float
Range: TypeAlias = tuple[Bound, Bound]


def at_least(a: Size, minimum: Size) -> bool | None:
    """Return whether `a >= minimum` for all sizes (True), for none (False), or unknown (None)."""
    if isinstance(a, int) and isinstance(minimum, int):
        return a >= minimum
    try:
        low, high = bounds(a - minimum)
    except DimOverflow:
        return None
    if low is not None and low >= 0:
        return True
    return False if high is not None and high < 0 else None


def bounds(a: Size) -> tuple[int | None, int | None]:
    """Return a lower and an upper bound of `a`; None where none is found."""
    low, high = range_of(a)
    return (None if low == -inf else int(low)), (None if high == inf else int(high))


def range_of(size: Size) -> Range:
    return (_low(size), -_low(-size)) if isinstance(size, Dim) else (size, size)


@lru_cache(maxsize=4096)
def _low(dim: Dim) -> Bound:
    """Return a lower bound: term by term, or if a term has none, with divisions made linear."""
    lows = [_low_term(monomial, coefficient) for monomial, coefficient in terms_of(dim)]
    return sum(lows) if -inf not in lows else _low_linear(dim)


def _low_term(monomial: Monomial, coefficient: int) -> Bound:
    """Return a lower bound of one term."""
    if all(isinstance(atom, str) for atom, _ in monomial):  # names, which are at least 1
        return coefficient if coefficient > 0 or not monomial else -inf
    return _range_product((coefficient, coefficient), _monomial_range(monomial))[0]


def _low_linear(dim: Dim) -> Bound:
    """Return a lower bound by `(x - d + 1)/d <= x//d <= x/d`: `T - 2*(T//2)` is at least `T - T`."""
    divisions = (lone_division(monomial) for monomial, _ in terms_of(dim))
    scale = lcm(*(at.divisor for at in divisions if at and isinstance(at.divisor, int)))
    if scale == 1:
        return -inf
    total: Size = 0
    try:
        for monomial, c in terms_of(dim):
            match lone_division(monomial):
                case FloorDiv(n, int(d)):
                    total = total + (n - d + 1 if c > 0 else n) * (c * (scale // d))
                case _:
                    total = total + normal({monomial: c * scale})
    except DimOverflow:
        return -inf
    low = range_of(total)[0]
    return low if low == -inf else -(-low // scale)


def _monomial_range(monomial: Monomial) -> Range:
    result: Range = (1, 1)
    for atom, power in monomial:
        for _ in range(power):
            result = _range_product(result, _atom_range(atom))
    return result


def _atom_range(atom: Atom) -> Range:
    if isinstance(atom, str):
        return 1, inf
    numerator, (least, most) = range_of(atom.numerator), range_of(atom.divisor)
    if least < 0:
        return -inf, inf
    corners = [_floor(n, d) for n in numerator for d in (max(least, 1), most)]
    return min(corners), max(corners)


def _floor(n: Bound, d: Bound) -> Bound:
    if abs(n) == inf:
        return n
    return n // d if d != inf else -1 if n < 0 else 0


def _range_product(a: Range, b: Range) -> Range:
    corners = [_bound_product(x, y) for x in a for y in b]
    return min(corners), max(corners)


def _bound_product(x: Bound, y: Bound) -> Bound:
    if x == 0 or y == 0:
        return 0
    if abs(x) == inf or abs(y) == inf:
        return inf if (x > 0) == (y > 0) else -inf
    return x * y
