"""Floor division of sizes, simplified by rules that hold for all integers."""

from __future__ import annotations

from math import gcd
from typing import NamedTuple

from mimgraph.ir.dims.bounds import at_least
from mimgraph.ir.dims.dim import (
    MAX_TERMS,
    Dim,
    DimOverflow,
    FloorDiv,
    Monomial,
    Size,
    check_numbers,
    constant_term,
    lone_division,
    monomial_quotient,
    normal,
    terms_of,
    weight,
)

MAX_WEIGHT = 128  # weight of both sides of a division: a name weighs 1, a division 3 plus its sides


def divide(n: Size, d: Size) -> Size:
    """Return `n // d`, simplified by rules that hold for all integers where `d` is not 0."""
    if not isinstance(n, Dim) and not isinstance(d, Dim):
        return n // d
    if terms_of(d)[0][1] < 0:
        n, d = -n, -d
    if at_least(d, 0):
        if at_least(0, d):
            raise ZeroDivisionError("division of a size by zero")
        if at_least(n, 0) and at_least(d - 1, n):
            return 0
        if terms_of(n)[0][1] < 0:  # the floor of -x is minus the ceiling of x
            return -divide(d - 1 - n, d)
    quotient = _quotient(n, d)
    if quotient:
        return quotient + divide(n - quotient * d, d)
    return _divide_remainder(n, d)


def _quotient(n: Size, d: Size) -> Size:
    """Return the polynomial `q` for which no term of `n - q*d` is a multiple of the leading term of `d`."""
    lead, unit = terms_of(d)[0]
    quotient: Size = 0
    for _ in range(MAX_TERMS):
        step = normal(
            {
                factor: coefficient // unit
                for monomial, coefficient in terms_of(n)
                if (factor := monomial_quotient(monomial, lead)) is not None
            }
        )
        if step == 0:
            return quotient
        quotient, n = quotient + step, n - step * d
    raise DimOverflow("a division of too many steps")


def _divide_remainder(n: Size, d: Size) -> Size:
    """Return `n // d` where no whole part can be taken out of the division any more."""
    common = _common_monomial(n, d)
    if common:
        return divide(_cancel(n, common), _cancel(d, common))
    if at_least(d, 0):
        shared = gcd(*(c for _, c in terms_of(d)), *(c for m, c in terms_of(n) if m))
        if shared > 1:  # (g*x + c) // (g*d) == (x + c//g) // d
            return divide(_quotient(n, shared), _quotient(d, shared))
        for monomial, coefficient in terms_of(n):
            atom = lone_division(monomial) if coefficient == 1 else None
            if atom:  # (x//a + y) // d == (x + a*y) // (a*d)
                rest = n - Dim(((monomial, 1),))
                return divide(atom.numerator + atom.divisor * rest, atom.divisor * d)
    check_numbers(terms_of(n) + terms_of(d))
    if weight(n) + weight(d) > MAX_WEIGHT:
        raise DimOverflow("a division of expressions that are too large")
    return Dim(((((FloorDiv(n, d), 1),), 1),))


def _common_monomial(n: Size, d: Size) -> Monomial:
    first, *others = (dict(monomial) for monomial, _ in terms_of(n) + terms_of(d))
    lowest = ((atom, min(p, *(m.get(atom, 0) for m in others))) for atom, p in first.items())
    return tuple(factor for factor in lowest if factor[1])


def _cancel(size: Size, monomial: Monomial) -> Size:
    return normal(
        {monomial_quotient(m, monomial) or (): coefficient for m, coefficient in terms_of(size)}
    )


class SoleDivision(NamedTuple):
    """`factor * (numerator // divisor) + constant`, the factor and divisor positive."""

    factor: int
    numerator: Size
    divisor: int
    constant: int


def sole_division(dim: Dim) -> SoleDivision | None:
    """Return the parts of a size that is one division, scaled and shifted; None for any other."""
    constant = constant_term(dim)
    match terms_of(dim - constant):
        case ((((FloorDiv(numerator, int(divisor)), 1),), int(factor)),) if divisor > 0 < factor:
            return SoleDivision(factor, numerator, divisor, constant)
    return None
