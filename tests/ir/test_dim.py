"""Arithmetic of symbolic sizes: normal forms and limits, compared with Python's own integers."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import assume, given

from mimgraph.ir.dim import (
    Dim,
    DimOverflow,
    Size,
    at_least,
    printed_terms,
    substitute,
    symbol,
    symbols,
)
from mimgraph.ir.sizes import divisible, equal
from tests.helpers.cases import each
from tests.ir.expressions import EXPRESSIONS, VALUES, R, S, T, build, evaluate


class Written(int):
    """An int that remembers how it was written, as params do."""


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


@each("left, right", SAME)
def test_same_normal_form(left: Size, right: Size) -> None:
    assert left == right
    assert hash(left) == hash(right)
    assert type(left) is type(right)


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


@each("divide", [lambda: T // 0, lambda: T % 0, lambda: 1 // (T % 4 // 4)])
def test_division_by_zero(divide: Callable[[], Size]) -> None:
    with pytest.raises(ZeroDivisionError):
        divide()


@each("wrong", ["t + 'x'", "t / 2", "t * 1.5", "2.0 // t", "2**t", "t**t"])
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


@each("make", TOO_LARGE)
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
        "import pickle, sys; from mimgraph.ir.dim import symbol;"
        "size = pickle.load(sys.stdin.buffer);"
        "assert size in {(symbol('T') + symbol('S')) // 2}"
    )
    subprocess.run([sys.executable, "-c", script], input=pickle.dumps(size), check=True)


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
