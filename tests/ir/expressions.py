"""Random arithmetic of three sizes, computed with symbols and with integers."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from mimgraph.ir.dim import Dim, DimOverflow, Size, symbol

R, S, T = symbol("R"), symbol("S"), symbol("T")

VALUES = st.fixed_dictionaries({name: st.integers(1, 50) for name in "RST"})

LEAVES = st.one_of(st.sampled_from("RST"), st.integers(-9, 9).map("({})".format))


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    divisors = st.one_of(st.integers(1, 8).map(str), inner)
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["//", "%"]), divisors),
        st.builds("({}**{})".format, inner, st.integers(0, 3)),
        inner.map("(-{})".format),
    )


EXPRESSIONS = st.recursive(LEAVES, larger, max_leaves=8)


def build(text: str) -> Size:
    """Return the expression over symbols."""
    try:
        return int_or_dim(eval(text, {"R": R, "S": S, "T": T}))
    except (DimOverflow, ZeroDivisionError):
        assume(False)
        raise


def evaluate(text: str, values: dict[str, int]) -> int:
    """Return the expression over integers."""
    try:
        return int_only(eval(text, dict(values)))
    except ZeroDivisionError:
        assume(False)
        raise


def int_or_dim(value: object) -> Size:
    assert type(value) in (int, Dim)
    return value  # type: ignore[return-value]


def int_only(value: object) -> int:
    assert type(value) is int
    return value
