"""Symbolic sizes: a `Dim` is an integer expression over named sizes of at least 1, in normal form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
            from mimgraph.ir.dims.printing import render  # which computes with sizes

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
            return self if other == 1 else _divide(self, int(other))
        return _divide(self, other) if isinstance(other, Dim) else NotImplemented

    def __rfloordiv__(self, other: int) -> Size:
        return _divide(int(other), self) if isinstance(other, int) else NotImplemented

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
        kept.sort(key=_by_rank)
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


def _divide(n: Size, d: Size) -> Size:
    from mimgraph.ir.dims.division import divide  # which adds and multiplies sizes

    return divide(n, d)


def _by_rank(term: tuple[Monomial, int]) -> tuple[Any, ...]:
    return rank(term[0])


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
