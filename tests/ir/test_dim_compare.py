"""Comparisons answer for all sizes, or say that it depends on them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mimgraph.ir.dim import Size, at_least
from mimgraph.ir.sizes import divisible, equal
from tests.helpers.cases import each
from tests.ir.expressions import EXPRESSIONS, VALUES, S, T, build, evaluate

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


@each("left, right, answer", EQUAL)
def test_equal(left: Size, right: Size, answer: bool | None) -> None:
    assert equal(left, right) is answer
    assert equal(right, left) is answer


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


@each("size, by, answer", DIVISIBLE)
def test_divisible(size: Size, by: int, answer: bool | None) -> None:
    assert divisible(size, by) is answer


@given(EXPRESSIONS, EXPRESSIONS, st.integers(1, 9), VALUES)
def test_answers_hold_for_all_sizes(left: str, right: str, by: int, values: dict[str, int]) -> None:
    a, b = build(left), build(right)
    x, y = evaluate(left, values), evaluate(right, values)
    assert equal(a, b) in (None, x == y)
    assert at_least(a, b) in (None, x >= y)
    assert divisible(a, by) in (None, x % by == 0)
