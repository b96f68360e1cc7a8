"""Two shapes as one text."""

from __future__ import annotations

import pytest

from mimgraph.compare.picture_words import both_shapes


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("(N, 8)", "(N, 8)", "(N, 8)"),
        ("(N, 64, 8)", "(N, 48, 8)", "(N, 64 → 48, 8)"),
        ("(N, 2*(T - 1))", "(N, 2*(S - 1))", "(N, 2*(T - 1) → 2*(S - 1))"),
        ("last (N, 8)", "last (N, 4)", "last (N, 8 → 4)"),
        ("last (N, 8)", "last (N, 4, 4)", "last (N, 8) → (N, 4, 4)"),
        ("last (N, 8)", "first (N, 8)", "last (N, 8) → first (N, 8)"),
        ("(N, 3, 8)", "(N, 4, 9)", "(N, 3, 8) → (N, 4, 9)"),
        ("(N, 8) × 3", "(N, 9) × 3", "(N, 8 → 9) × 3"),
        ("(N, 8) × 3", "(N, 9) × 4", "(N, 8) × 3 → (N, 9) × 4"),
        ("(T,)", "(S,)", "(T,) → (S,)"),
        ("()", "(N,)", "() → (N,)"),
    ],
)
def test_shapes_that_differ_in_one_size_are_one(old: str, new: str, shown: str) -> None:
    assert both_shapes(old, new) == shown
