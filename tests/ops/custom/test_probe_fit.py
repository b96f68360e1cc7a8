"""Checks that fitting a size finds the expression that gave its values, or None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mimgraph.ir.dim import Dim, symbol
from mimgraph.ops.custom.runs import fit

T, S = symbol("T"), symbol("S")
BASE = {"T": 37, "S": 41}

TOLD: dict[str, Callable[[Any, Any], Any]] = {
    "a constant": lambda t, s: 64,
    "the name itself": lambda t, s: t,
    "a multiple": lambda t, s: 8 * t,
    "an offset": lambda t, s: 2 * t - 5,
    "a sum of two": lambda t, s: t + 3 * s + 1,
    "a stride": lambda t, s: (t - 3) // 2 + 1,
    "strides in a row": lambda t, s: ((t - 3) // 2 + 1 - 3) // 2 + 1,
    "a backbone": lambda t, s: (t + 31) // 32,
    "a patch of 14": lambda t, s: t // 14,
    "three halves": lambda t, s: (3 * t + 1) // 2,
    "a sum of strides": lambda t, s: t // 2 + s // 3,
    "a product": lambda t, s: t * s,
    "a product of strides": lambda t, s: (t // 16) * ((s + 1) // 2),
    "a multiple of a product": lambda t, s: 3 * t * (s - 1),
    "up and down": lambda t, s: 2 * (t // 2),
    "what falls": lambda t, s: 9000 - t,
}
NOT_TOLD: dict[str, Callable[[Any, Any], Any]] = {
    "a remainder": lambda t, s: t % 2 + 4,
    "a bound": lambda t, s: min(t, 50),
    "the next even number, and one more": lambda t, s: 2 * (t // 2) + 1,
    "a square": lambda t, s: t * t,
    "a sum of products": lambda t, s: t * s + t + s,
    "a stride that no step holds": lambda t, s: t // 11,
}


def fitted(size: Callable[[Any, Any], Any], fine: Callable[[int], bool] = lambda _: True) -> Any:
    """Fit a size that has a value only where T is `fine`."""
    return fit(lambda at: size(at["T"], at["S"]) if fine(at["T"]) else None, BASE)


def test_fits_the_values() -> None:
    assert {case: fitted(size) for case, size in TOLD.items()} == {
        case: size(T, S) for case, size in TOLD.items()
    }


def test_values_that_no_form_fits_give_none() -> None:
    assert {case: fitted(size) for case, size in NOT_TOLD.items()} == dict.fromkeys(NOT_TOLD)


def test_fits_a_size_that_must_stay_small() -> None:
    assert fitted(TOLD["a stride"], lambda t: t <= 64) == (T - 3) // 2 + 1


def test_fits_a_size_that_must_be_a_multiple() -> None:
    size = fit(lambda at: None if at["T"] % 16 else at["T"] // 16 + 1, {"T": 224})
    assert size == T // 16 + 1


@settings(max_examples=200)
@given(st.integers(1, 5), st.integers(-40, 40), st.sampled_from([1, 2, 3, 4, 5, 7, 8, 14, 16, 32]))
def test_fits_any_line(a: int, b: int, m: int) -> None:
    size = fit(lambda at: (a * at["T"] + b) // m, {"T": 211})
    assert isinstance(size, Dim)
    assert size == (a * T + b) // m
