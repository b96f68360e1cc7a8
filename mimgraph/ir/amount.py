"""Amounts of work and memory: exact sums of products of sizes, multiplied out only for display."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import mul

from mimgraph.ir.dim import Dim, DimOverflow, Size, render, substitute, symbols

Factors = tuple[Dim, ...]


class Amount:
    """A number of operations or bytes; unlike a `Dim` it may exceed 64 bits.

    Its terms are products of sizes, each with its count.
    """

    __slots__ = ("_terms",)

    def __init__(self, *products: Iterable[Size]) -> None:
        """Add up products of sizes."""
        self._terms: dict[Factors, int] = {}
        for product in products:
            self._add(product, 1)

    @classmethod
    def sum(cls, amounts: Iterable[Amount]) -> Amount:
        """Return the sum of amounts."""
        total = cls()
        for amount in amounts:
            for factors, times in amount._terms.items():
                total._terms[factors] = total._terms.get(factors, 0) + times
        return total

    def _add(self, product: Iterable[Size], times: int) -> None:
        names: list[Dim] = []
        for size in product:
            if isinstance(size, Dim):
                names.append(size)
            else:
                times *= int(size)  # drops the expressions of written numbers
        key = tuple(sorted(names, key=repr) if len(names) > 1 else names)
        self._terms[key] = self._terms.get(key, 0) + times

    def __add__(self, other: Amount) -> Amount:
        return Amount.sum((self, other))

    def __mul__(self, times: int) -> Amount:
        return self.each(times)

    def each(self, size: Size) -> Amount:
        """Return the amount so many times: a size may be known only at run time."""
        total = Amount()
        for factors, number in self._terms.items():
            total._add((*factors, size), number)
        return total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Amount) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __bool__(self) -> bool:
        return any(self._terms.values())

    def __repr__(self) -> str:
        """Return the sum as text, `64*T + 128`; factor by factor where it cannot be multiplied out."""
        terms = self._terms.items()
        try:
            total: Size = 0
            for factors, number in terms:
                total = total + reduce(mul, factors, number)
            return render(total, str)
        except DimOverflow:
            ordered = sorted(terms, key=lambda term: (-len(term[0]), repr(term)))
            return " + ".join("*".join([str(n), *(f"({f})" for f in fs)]) for fs, n in ordered)

    @property
    def value(self) -> int | str:
        """The number, or the text of an expression over named sizes."""
        constant = not any(self._terms)
        return self._terms.get((), 0) if constant else str(self)

    @property
    def names(self) -> frozenset[str]:
        """The names of sizes in it."""
        return frozenset(name for factors in self._terms for f in factors for name in symbols(f))

    @property
    def crosses_samples(self) -> bool:
        """Whether a term has the batch more than once, so that it grows faster than the batch."""
        return any(sum("N" in symbols(f) for f in factors) > 1 for factors in self._terms)

    def at(self, sizes: Mapping[str, Size]) -> Amount:
        """Return the amount with sizes in place of names."""
        total = Amount()
        for factors, number in self._terms.items():
            filled = (f if symbols(f).isdisjoint(sizes) else substitute(f, sizes) for f in factors)
            total._add(filled, number)
        return total
