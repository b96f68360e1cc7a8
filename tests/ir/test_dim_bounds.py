"""Bounds hold for all sizes."""

from __future__ import annotations

from math import inf

from hypothesis import given

from mimgraph.ir.dim import Range, Size, at_least, range_of
from tests.helpers.cases import each
from tests.ir.expressions import EXPRESSIONS, VALUES, S, T, build, evaluate

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


@each("size, minimum, answer", AT_LEAST)
def test_at_least(size: Size, minimum: Size, answer: bool | None) -> None:
    assert at_least(size, minimum) is answer


BOUNDS: list[tuple[Size, Range]] = [
    (5, (5, 5)),
    (T, (1, inf)),
    (5 - 2 * T, (-inf, 3)),
    (T - S, (-inf, inf)),
    (T % 4, (0, 3)),
    (T // 2 - T, (-inf, -1)),
    (5 // T, (0, 5)),
    ((T + 9) // 4, (2, inf)),
    (T // (S - T), (-inf, inf)),
]


@each("size, answer", BOUNDS)
def test_bounds(size: Size, answer: Range) -> None:
    assert range_of(size) == answer


@given(EXPRESSIONS, VALUES)
def test_bounds_hold_for_all_sizes(text: str, values: dict[str, int]) -> None:
    low, high = range_of(build(text))
    value = evaluate(text, values)
    assert low <= value <= high
