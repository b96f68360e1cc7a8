"""Print sizes as Python expressions, with remainders as `a % b`."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd

from mimgraph.ir.dims.bounds import at_least
from mimgraph.ir.dims.dim import (
    Atom,
    Dim,
    DimOverflow,
    FloorDiv,
    Modulo,
    Monomial,
    Size,
    divisions_in,
    monomial_quotient,
    normal,
    rank,
    terms_of,
)


def render(size: Size, names: Callable[[str], str]) -> str:
    """Return `size` as a Python expression; `names` gives the text of each name."""
    text = ""
    for coefficient, factors in printed_terms(size):
        bare = len(factors) == 1 and (coefficient == 1 or bool(text) and coefficient == -1)
        texts = [_render_factor(atom, power, bare, names) for atom, power in factors]
        if abs(coefficient) != 1 or not texts:
            texts.insert(0, str(abs(coefficient)))
        minus, plus = (" - ", " + ") if text else ("-", "")
        text += (minus if coefficient < 0 else plus) + "*".join(texts)
    return text


def _render_factor(atom: Atom, power: int, bare: bool, names: Callable[[str], str]) -> str:
    if isinstance(atom, str):
        text = names(atom)
    else:
        operator = "//" if isinstance(atom, FloorDiv) else " % "
        text = operator.join(_render_operand(side, names) for side in atom)
        text = text if bare and power == 1 else f"({text})"
    return text if power == 1 else f"{text}**{power}"


def _render_operand(size: Size, names: Callable[[str], str]) -> str:
    text = render(size, names)
    match terms_of(size):
        case ((((str(), 1),), 1),):
            return text
        case (((), constant),) if constant >= 0:
            return text
    return f"({text})"


def printed_terms(size: Size) -> list[tuple[int, Monomial]]:
    """Return the terms of `size` as they are printed: coefficients, and factors with their powers."""
    found = _with_modulos(size)
    match found:
        case [(1, ((FloorDiv(n, int(d)), 1),)), (constant, ())]:
            return [(1, ((FloorDiv(_shift(n, constant * d), d), 1),))]
    first = next((i for i, (coefficient, _) in enumerate(found) if coefficient > 0), 0)
    found.insert(0, found.pop(first))
    return found


def _shift(n: Size, by: int) -> Size:
    """Return `n + by` for a symbolic `n`, to be printed only: it may be beyond the limits."""
    shifted = dict(terms_of(n))
    shifted[()] = shifted.get((), 0) + by
    return Dim(tuple(term for term in shifted.items() if term[1]))


def _with_modulos(size: Size) -> list[tuple[int, Monomial]]:
    """Return the terms in order, with each `a - b*(a//b)` as `a % b`."""
    rest, found = dict(terms_of(size)), []
    for monomial in list(rest):
        for division in divisions_in(monomial):
            if rest[monomial] and (modulo := _take_modulo(rest, monomial, division)):
                found.append(modulo)
    found += [(c, monomial) for monomial, c in rest.items() if c]
    return sorted(found, key=lambda term: rank(term[1])) or [(0, ())]


def _take_modulo(
    rest: dict[Monomial, int], monomial: Monomial, division: FloorDiv
) -> tuple[int, Monomial] | None:
    """Take `k*(a - b*(a//b))` out of `rest`, if all its terms are there; `monomial` is in `k*b*(a//b)`."""
    whole = Dim(((((division, 1),), 1),))
    try:
        a, b = _dividend(division, rest[monomial])
        lead, unit = terms_of(b)[0]
        cofactor = monomial_quotient(monomial_quotient(monomial, ((division, 1),)) or (), lead)
        if b == 1 or cofactor is None or rest[monomial] % unit:
            return None
        k = -rest[monomial] // unit
        taken = terms_of((a - b * whole) * normal({cofactor: k}))
    except DimOverflow:
        return None
    if any(rest.get(m) != c for m, c in taken if m or not isinstance(a, Dim)):
        return None
    for m, c in taken:
        rest[m] = rest.get(m, 0) - c
    return k, (*cofactor, (Modulo(a, b), 1))


def _dividend(division: FloorDiv, coefficient: int) -> tuple[Size, Size]:
    """Return `a` and `b` of a division that may be `a//b`: `x//(2*b)` is also `(x//2)//b`."""
    n, d = division
    content = gcd(*(c for _, c in terms_of(d)))
    outer = content // gcd(coefficient, content) if at_least(d, 0) else 1
    return n // outer, d // outer
