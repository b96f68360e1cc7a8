"""Symbolic sizes: a `Dim` is an integer expression over named sizes of at least 1, in normal form.

Here are its arithmetic, its bounds, its division and its text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from math import gcd, inf, lcm
from typing import Any, NamedTuple, TypeAlias, Union

Atom: TypeAlias = Union[str, "FloorDiv", "Modulo"]
Monomial: TypeAlias = tuple[tuple[Atom, int], ...]
Terms: TypeAlias = tuple[tuple[Monomial, int], ...]

MAX_TERMS = 64
MAX_DEGREE = 16
MAX_COEFFICIENT = 2**63 - 1


class DimOverflow(ArithmeticError):
    """An expression or a constant passed the limits above."""


class FloorDiv(NamedTuple):
    """`numerator // divisor`, where it does not simplify."""

    numerator: Size
    divisor: Size


class Modulo(NamedTuple):
    """`numerator % divisor`, which is only printed: `printed_terms` finds it in `a - b*(a//b)`."""

    numerator: Size
    divisor: Size


class Dim:
    """A polynomial over names and floor divisions; made by `symbol` and arithmetic only.

    Equal expressions have equal normal forms. A constant is an `int`, never a `Dim`.
    """

    __slots__ = ("_hash", "_symbols", "_terms", "_text")

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._hash: int | None = None
        self._text: str | None = None
        self._symbols: frozenset[str] | None = None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Dim):
            return self is other or self._terms == other._terms
        return NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self._terms)
        return self._hash

    def __reduce__(self) -> tuple[type[Dim], tuple[Terms]]:
        return Dim, (self._terms,)  # not the hash: it differs between processes

    def __repr__(self) -> str:
        if self._text is None:
            self._text = render(self, str)
        return self._text

    def __add__(self, other: Size) -> Size:
        return _add(self, other, 1) if isinstance(other, int | Dim) else NotImplemented

    __radd__ = __add__

    def __sub__(self, other: Size) -> Size:
        return _add(self, other, -1) if isinstance(other, int | Dim) else NotImplemented

    def __rsub__(self, other: int) -> Size:
        return _add(-self, other, 1) if isinstance(other, int) else NotImplemented

    def __neg__(self) -> Dim:
        return Dim(tuple((monomial, -coefficient) for monomial, coefficient in self._terms))

    def __mul__(self, other: Size) -> Size:
        return _multiply(self, other) if isinstance(other, int | Dim) else NotImplemented

    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        if isinstance(other, int):
            return self if other == 1 else divide(self, int(other))
        return divide(self, other) if isinstance(other, Dim) else NotImplemented

    def __rfloordiv__(self, other: int) -> Size:
        return divide(int(other), self) if isinstance(other, int) else NotImplemented

    def __mod__(self, other: Size) -> Size:
        return self - other * (self // other) if isinstance(other, int | Dim) else NotImplemented

    def __rmod__(self, other: int) -> Size:
        return other - self * (other // self) if isinstance(other, int) else NotImplemented

    def __pow__(self, power: int) -> Size:
        if not isinstance(power, int):
            return NotImplemented
        if power < 0:
            raise ValueError("a size has no negative power")
        if power > MAX_DEGREE:
            raise DimOverflow(f"a power above {MAX_DEGREE}")
        result: Size = 1
        for _ in range(power):
            result = result * self
        return result


Size: TypeAlias = int | Dim


def symbol(name: str) -> Dim:
    """Return the size called `name`, an integer of at least 1."""
    return Dim(((((name, 1),), 1),))


def symbols(a: Size) -> frozenset[str]:
    """Return the names in `a`."""
    if not isinstance(a, Dim):
        return frozenset()
    if a._symbols is None:
        found: set[str] = set()
        for monomial, _ in a._terms:
            for atom, _ in monomial:
                if isinstance(atom, str):
                    found.add(atom)
                else:
                    found.update(*map(symbols, atom))
        a._symbols = frozenset(found)
    return a._symbols


def substitute(a: Size, values: Mapping[str, Size]) -> Size:
    """Return `a` with sizes in place of names, all at once; names without a value stay."""
    if type(a) is int:
        return a
    total: Size = 0
    for monomial, coefficient in terms_of(a):
        term: Size = coefficient
        for atom, power in monomial:
            if isinstance(atom, str):
                value = values.get(atom)
                value = symbol(atom) if value is None else value
            else:
                value = substitute(atom.numerator, values) // substitute(atom.divisor, values)
            term = term * (value if power == 1 else value**power)
        total = total + term
    return total if isinstance(total, Dim) else normal({(): int(total)})


def constant_term(dim: Dim) -> int:
    """Return the constant term of a size."""
    return dict(terms_of(dim)).get((), 0)


def terms_of(size: Size) -> Terms:
    """Return the terms of any size, leading term first; a constant is the empty product."""
    return size._terms if isinstance(size, Dim) else (((), int(size)),)


def normal(terms: Mapping[Monomial, int]) -> Size:
    """Return the size with these terms; raise `DimOverflow` beyond the limits."""
    kept = [term for term in terms.items() if term[1]]
    if len(kept) > 1:
        kept.sort(key=lambda term: rank(term[0]))
    if kept and kept[0][0]:
        return _ordered(tuple(kept))
    check_numbers(kept)
    return kept[0][1] if kept else 0


def _ordered(terms: Terms) -> Dim:
    """Return the size with these terms, which are in order, not constant, and within the limits."""
    if len(terms) > MAX_TERMS:
        raise DimOverflow(f"more than {MAX_TERMS} terms")
    check_numbers(terms)
    return Dim(terms)


def check_numbers(terms: Iterable[tuple[Monomial, int]]) -> None:
    for _, coefficient in terms:
        if not -MAX_COEFFICIENT <= coefficient <= MAX_COEFFICIENT:
            raise DimOverflow("a number of more than 64 bits")


def rank(monomial: Monomial) -> tuple[Any, ...]:
    """Return a sort key for monomials: higher degree first, then as words; products keep the order."""
    word = [_atom_rank(atom) for atom, power in monomial for _ in range(power)]
    return -len(word), word


def _atom_rank(atom: Atom) -> tuple[Any, ...]:
    """Return a sort key for atoms: names first, then divisions by their numerators."""
    if isinstance(atom, str):
        return 0, atom
    return 1, *([(rank(m), c) for m, c in terms_of(side)] for side in atom)


def _add(a: Dim, b: Size, sign: int) -> Size:
    if not isinstance(b, Dim):
        return _add_number(a, sign * int(b))
    terms = dict(a._terms)
    for monomial, coefficient in b._terms:
        terms[monomial] = terms.get(monomial, 0) + sign * coefficient
    return normal(terms)


def _add_number(a: Dim, number: int) -> Dim:
    """Return `a + number`; the constant of a normal form is its last term."""
    varying, (last, constant) = a._terms[:-1], a._terms[-1]
    if last:
        varying, constant = a._terms, 0
    return _ordered((*varying, ((), constant + number)) if constant + number else varying)


def _multiply(a: Dim, b: Size) -> Size:
    if not isinstance(b, Dim):
        number = int(b)
        return _ordered(tuple((m, c * number) for m, c in a._terms)) if number else 0
    terms: dict[Monomial, int] = {}
    for left, c in a._terms:
        for right, d in b._terms:
            monomial = _times(left, right)
            terms[monomial] = terms.get(monomial, 0) + c * d
    return normal(terms)


def _times(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a)
    for atom, power in b:
        powers[atom] = powers.get(atom, 0) + power
    if sum(powers.values()) > MAX_DEGREE:
        raise DimOverflow(f"a degree above {MAX_DEGREE}")
    return tuple(sorted(powers.items(), key=lambda factor: _atom_rank(factor[0])))


def monomial_quotient(a: Monomial, b: Monomial) -> Monomial | None:
    """Return `a / b`, where `b` divides `a`."""
    powers = dict(a)
    for atom, power in b:
        powers[atom] = powers.get(atom, 0) - power
        if powers[atom] < 0:
            return None
    return tuple(factor for factor in powers.items() if factor[1])


def lone_division(monomial: Monomial) -> FloorDiv | None:
    """Return the division that a monomial consists of, if it is one."""
    match monomial:
        case ((FloorDiv() as atom, 1),):
            return atom
    return None


def divisions_in(monomial: Monomial) -> Iterator[FloorDiv]:
    return (atom for atom, _ in monomial if isinstance(atom, FloorDiv))


def weight(size: Size) -> int:
    names = sum(len(monomial) for monomial, _ in terms_of(size))
    divisions = (atom for monomial, _ in terms_of(size) for atom in divisions_in(monomial))
    return names + sum(2 + weight(n) + weight(d) for n, d in divisions)


# Bounds of sizes: the least and the greatest value, where one is found.


Bound: TypeAlias = int | float
Range: TypeAlias = tuple[Bound, Bound]


def at_least(a: Size, minimum: Size) -> bool | None:
    """Return whether `a >= minimum` for all sizes (True), for none (False), or unknown (None)."""
    if isinstance(a, int) and isinstance(minimum, int):
        return a >= minimum
    try:
        low, high = range_of(a - minimum)
    except DimOverflow:
        return None
    if low >= 0:
        return True
    return False if high < 0 else None


def range_of(size: Size) -> Range:
    """Return a lower and an upper bound; infinity where none is found."""
    return (_low(size), -_low(-size)) if isinstance(size, Dim) else (size, size)


@lru_cache(maxsize=4096)
def _low(dim: Dim) -> Bound:
    """Return a lower bound: term by term, or if a term has none, with divisions made linear."""
    lows = [_range_product((c, c), _monomial_range(monomial))[0] for monomial, c in terms_of(dim)]
    return sum(lows) if -inf not in lows else _low_linear(dim)


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


# Floor division of sizes, simplified by rules that hold for all integers.


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


# Print sizes as Python expressions, with remainders as `a % b`.


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
