"""Bounds hold for all sizes."""

from __future__ import annotations

from hypothesis import given

from mimgraph.ir.dim import Size, at_least, bounds
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


@each("size, answer", BOUNDS)
def test_bounds(size: Size, answer: tuple[int | None, int | None]) -> None:
    assert bounds(size) == answer


@given(EXPRESSIONS, VALUES)
def test_bounds_hold_for_all_sizes(text: str, values: dict[str, int]) -> None:
    low, high = bounds(build(text))
    value = evaluate(text, values)
    assert low is None or low <= value
    assert high is None or value <= high
