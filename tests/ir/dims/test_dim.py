"""Symbolic sizes: normal forms, questions and printing, compared with Python's own integers."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mimgraph.ir.dims.bounds import at_least, bounds
from mimgraph.ir.dims.compare import divisible, equal
from mimgraph.ir.dims.dim import (
    Dim,
    DimOverflow,
    FloorDiv,
    Modulo,
    Size,
    substitute,
    symbol,
    symbols,
)
from mimgraph.ir.dims.printing import printed_terms, render

R, S, T = symbol("R"), symbol("S"), symbol("T")


class Written(int):
    """An int that remembers how it was written, as params do."""


# --- tables -------------------------------------------------------------------------------------

SAME: list[tuple[Size, Size]] = [
    (2 * T + T, 3 * T),
    (T + S, S + T),
    (T * S, S * T),
    ((T + 1) * (T - 1), T**2 - 1),
    (T - T, 0),
    (T**0, 1),
    (0 * T, 0),
    ((T + 5) - T, 5),
    ((2 * T) // 2, T),
    ((4 * T + 3) // 2, 2 * T + 1),
    ((5 * T + 7) // 2, 2 * T + 3 + (T + 1) // 2),
    ((2 * T + 1) // 4, T // 2),
    ((T // 2 + 1) // 3, (T + 2) // 6),
    (T // 2 // S, T // S // 2),
    ((T * S) // S, T),
    ((T * S + S) // S, T + 1),
    ((T * S) // (T * R), S // R),
    ((2 * T + 1) // (2 * S), T // S),
    (((T + 1) * (T - 1)) // (T + 1), T - 1),
    (T // 1, T),
    (T // T, 1),
    (T // -2, -((T + 1) // 2)),
    (-(-T // 3), (T + 2) // 3),
    (-1 // T, -1),
    ((T - 1) // T, 0),
    ((T % 4) // 4, 0),
    ((T % S) // S, 0),
    ((5 * T + 8) % 4, T % 4),
    ((T * S) % S, 0),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_same_normal_form(left: Size, right: Size) -> None:
    assert left == right
    assert hash(left) == hash(right)
    assert type(left) is type(right)


PRINTED: list[tuple[Size, str]] = [
    (T, "T"),
    (2 * T, "2*T"),
    (2 * T + 1, "2*T + 1"),
    (T - 2, "T - 2"),
    (5 - T, "5 - T"),
    (-T - 1, "-T - 1"),
    (T + S, "S + T"),
    (T - S, "T - S"),
    (T - R - S + 3, "T - R - S + 3"),
    (2 * T * S, "2*S*T"),
    (1 + T + T**2, "T**2 + T + 1"),
    (T // 2, "T//2"),
    ((T - 1) // 2, "(T - 1)//2"),
    ((T - 3) // 2 + 1, "(T - 1)//2"),
    ((T + 1) // 2 - 1, "(T - 1)//2"),
    ((3 * T) // 4, "(3*T)//4"),
    (T // (2 * S), "T//(2*S)"),
    (5 // T, "5//T"),
    ((T // S) // R, "T//(R*S)"),
    (-(T // 2), "-(T//2)"),
    (S - T // 2, "S - T//2"),
    (2 * (T // 2), "2*(T//2)"),
    (S * (T // 2), "S*(T//2)"),
    ((T // 2) ** 2, "(T//2)**2"),
    ((5 * T + 7) // 2, "2*T + (T + 1)//2 + 3"),
    (T % 4, "T % 4"),
    ((T + 3) % 4 + 2, "(T + 3) % 4 + 2"),
    (5 - T % 4, "5 - T % 4"),
    ((2 * T) % 4, "2*(T % 2)"),
    (S * (T % 4), "S*(T % 4)"),
    (T % S, "T % S"),
    (5 % T, "5 % T"),
    ((T // 2) % 3, "(T//2) % 3"),
    ((T // 2) % S, "(T//2) % S"),
    (7, "7"),
    (-7, "-7"),
    (0, "0"),
]


@pytest.mark.parametrize(("size", "text"), PRINTED, ids=[text for _, text in PRINTED])
def test_printing(size: Size, text: str) -> None:
    assert str(size) == repr(size) == render(size, str) == text


def test_rendering_with_other_names() -> None:
    assert render((T - 3) // 2 + S, lambda name: f"{name.lower()}.shape[1]") == (
        "s.shape[1] + (t.shape[1] + 1)//2 - 2"
    )


def test_terms_are_those_printed() -> None:
    assert printed_terms(2 * S * T**2 - 1) == [(2, (("S", 1), ("T", 2))), (-1, ())]
    assert printed_terms((T - 3) // 2 + 1) == [(1, ((FloorDiv(T - 1, 2), 1),))]
    assert printed_terms(-3 * (T % 4)) == [(-3, ((Modulo(T, 4), 1),))]
    assert printed_terms(0) == [(0, ())]


EQUAL: list[tuple[Size, Size, bool | None]] = [
    (3, 3, True),
    (3, 4, False),
    (T + T, 2 * T, True),
    (T, S, None),
    (T, 1, None),
    (T, 0, False),
    (T, T + 1, False),
    (T, 2 * T, False),
    (2 * T, 2 * S + 1, False),
    (4 * T + 2, 4 * S, False),
    (T - T // 2, (T + 1) // 2, True),  # the two halves of an uneven Chunk
    (2 * (T // 2), T, None),
    (2 * (T // 2), T + 1, False),
    (T // 2 + T % 2, (T + 1) // 2, True),
    (T % 4, 4, False),
    (T * (T + 1) % 2, 0, True),
    (T // (T % 2), S, None),
]


@pytest.mark.parametrize(("left", "right", "answer"), EQUAL)
def test_equal(left: Size, right: Size, answer: bool | None) -> None:
    assert equal(left, right) is answer
    assert equal(right, left) is answer


AT_LEAST: list[tuple[Size, Size, bool | None]] = [
    (3, 3, True),
    (T, 1, True),
    (T, 2, None),
    (T - 2, 0, None),
    (1 - T, 1, False),
    (T + S, T, True),
    (T, T + S, False),
    (T, 2 * (T // 2), True),
    (2 * (T // 2) + 1, T, True),
    ((T + 1) // 2, 1, True),
    (3, T % 4, True),
]


@pytest.mark.parametrize(("size", "minimum", "answer"), AT_LEAST)
def test_at_least(size: Size, minimum: Size, answer: bool | None) -> None:
    assert at_least(size, minimum) is answer


DIVISIBLE: list[tuple[Size, int, bool | None]] = [
    (12, 4, True),
    (13, 4, False),
    (4 * T, 2, True),
    (2 * T + 1, 4, False),
    (T, 4, None),
    (2 * T, 4, None),
    (8 * (T // 8), 4, True),
    (T - T % 4, 4, True),
]


@pytest.mark.parametrize(("size", "by", "answer"), DIVISIBLE)
def test_divisible(size: Size, by: int, answer: bool | None) -> None:
    assert divisible(size, by) is answer


BOUNDS: list[tuple[Size, tuple[int | None, int | None]]] = [
    (5, (5, 5)),
    (T, (1, None)),
    (5 - 2 * T, (None, 3)),
    (T - S, (None, None)),
    (T % 4, (0, 3)),
    (T // 2 - T, (None, -1)),
    (5 // T, (0, 5)),
    ((T + 9) // 4, (2, None)),
    (T // (S - T), (None, None)),
]


@pytest.mark.parametrize(("size", "answer"), BOUNDS)
def test_bounds(size: Size, answer: tuple[int | None, int | None]) -> None:
    assert bounds(size) == answer


# --- single facts -------------------------------------------------------------------------------


def test_constants_are_ints_not_dims() -> None:
    assert T != 1
    assert T + 0 != "T"
    assert type(T - T + Written(2)) is int
    assert type(T // T) is int


def test_subclasses_of_int_become_plain() -> None:
    three = Written(3)
    sizes = [three * T, T + three, T // three, three // T, T % three, three - T, T**three]
    assert sizes == [3 * T, T + 3, T // 3, 3 // T, T % 3, 3 - T, T**3]
    for size in (T // three, three // T):
        [(_, ((division, _),))] = printed_terms(size)
        assert all(type(side) in (int, Dim) for side in division)
    assert type(substitute(T, {"T": three})) is int
    assert type(substitute(three, {})) is int
    assert True + T == T + 1


def test_symbols_are_found_at_any_depth() -> None:
    assert symbols(R + (T // S) // 2) == {"R", "S", "T"}
    assert symbols(5) == frozenset()


def test_substitution_is_simultaneous() -> None:
    assert substitute(T - 2 * S, {"T": S, "S": T}) == S - 2 * T
    assert substitute((T // S) * R, {"S": 1, "T": 7}) == 7 * R


@pytest.mark.parametrize("divide", [lambda: T // 0, lambda: T % 0, lambda: 1 // (T % 4 // 4)])
def test_division_by_zero(divide: Callable[[], Size]) -> None:
    with pytest.raises(ZeroDivisionError):
        divide()


@pytest.mark.parametrize("wrong", ["t + 'x'", "t / 2", "t * 1.5", "2.0 // t", "2**t", "t**t"])
def test_other_types_are_refused(wrong: str) -> None:
    with pytest.raises(TypeError):
        eval(wrong, {"t": T})


def test_negative_powers_are_refused() -> None:
    with pytest.raises(ValueError, match="negative power"):
        T**-1


def many(count: int) -> Size:
    return sum((symbol(f"x{i}") for i in range(count)), start=T)


def nested(depth: int) -> Size:
    size: Size = T
    for _ in range(depth):
        size = (2 * size) // 3
    return size


TOO_LARGE: dict[str, Callable[[], Size]] = {
    "number": lambda: 2**62 * T * 2,
    "constant": lambda: (T + 2**62) * 2 - 2 * T,
    "divisor": lambda: T // 2**70,
    "dividend": lambda: 2**70 // T,
    "terms": lambda: many(64),
    "product": lambda: many(20) * many(20),
    "degree": lambda: T**8 * S**9,
    "power": lambda: T ** (10**9),
    "depth": lambda: nested(100),
    "doubling": lambda: substitute(nested(20), {"T": nested(25)}),
    "value": lambda: substitute(T**16, {"T": 2**60}),
}


@pytest.mark.parametrize("make", TOO_LARGE.values(), ids=TOO_LARGE)
def test_limits(make: Callable[[], Size]) -> None:
    with pytest.raises(DimOverflow):
        make()


def test_questions_and_printing_never_overflow() -> None:
    huge = (2**63 - 1) * T
    assert equal(huge, -huge) is None
    assert at_least(huge, -huge) is None
    assert divisible(huge, 7) is not False
    assert str(T // (2**62 + 1) + 2**62 - 1)
    assert str(nested(30)).startswith("(2*((2*(")


def test_a_dim_survives_copying_and_another_process() -> None:
    size = (T + S) // 2
    assert copy.deepcopy(size) == size
    hash(size)
    script = (
        "import pickle, sys; from mimgraph.ir.dims.dim import symbol;"
        "size = pickle.load(sys.stdin.buffer);"
        "assert size in {(symbol('T') + symbol('S')) // 2}"
    )
    subprocess.run([sys.executable, "-c", script], input=pickle.dumps(size), check=True)


# --- properties ---------------------------------------------------------------------------------

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


@given(EXPRESSIONS, VALUES)
def test_arithmetic_is_that_of_integers(text: str, values: dict[str, int]) -> None:
    size, expected = build(text), evaluate(text, values)
    assert substitute(size, values) == expected


@given(EXPRESSIONS, EXPRESSIONS, VALUES)
def test_substituting_then_computing_equals_computing(
    text: str, inner: str, values: dict[str, int]
) -> None:
    size, value = build(text), evaluate(inner, values)
    assume(value >= 1)
    expected = evaluate(text, {**values, "T": value})
    try:
        assert substitute(substitute(size, {"T": build(inner)}), values) == expected
    except (DimOverflow, ZeroDivisionError):
        assume(False)


@given(EXPRESSIONS, VALUES)
def test_printing_evaluates_back(text: str, values: dict[str, int]) -> None:
    size, expected = build(text), evaluate(text, values)
    assert evaluate(str(size), values) == expected
    x = SimpleNamespace(shape=[values["R"], values["S"], values["T"]])
    code = render(size, lambda name: f"x.shape[{'RST'.index(name)}]")
    assert int_only(eval(code, {"x": x})) == expected


@given(EXPRESSIONS)
def test_printing_keeps_the_normal_form(text: str) -> None:
    size = build(text)
    assert build(str(size)) == size


@given(EXPRESSIONS, VALUES)
def test_bounds_hold_for_all_sizes(text: str, values: dict[str, int]) -> None:
    low, high = bounds(build(text))
    value = evaluate(text, values)
    assert low is None or low <= value
    assert high is None or value <= high


@given(EXPRESSIONS, EXPRESSIONS, st.integers(1, 9), VALUES)
def test_answers_hold_for_all_sizes(left: str, right: str, by: int, values: dict[str, int]) -> None:
    a, b = build(left), build(right)
    x, y = evaluate(left, values), evaluate(right, values)
    assert equal(a, b) in (None, x == y)
    assert at_least(a, b) in (None, x >= y)
    assert divisible(a, by) in (None, x % by == 0)
