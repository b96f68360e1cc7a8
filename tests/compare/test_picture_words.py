"""Two shapes as one text, and subtitles without the options that changed."""

from __future__ import annotations

from mimgraph.compare.model import Edit
from mimgraph.compare.picture_words import both_shapes, without

SHAPES = [
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
]


def test_shapes_that_differ_in_one_size_are_one() -> None:
    assert [(old, new, both_shapes(old, new)) for old, new, _ in SHAPES] == SHAPES


SUBTITLES: list[tuple[str, dict[str, object], str]] = [
    ("Conv2d 3 to 8, kernel_size=3", {"out_channels": 8}, "Conv2d kernel_size=3"),
    ("Conv2d 3 to 8, kernel_size=3 + ReLU", {"kernel_size": 3}, "Conv2d 3 to 8 + ReLU"),
    ("Conv2d 3 to 8, groups=8", {"groups": 8}, "Conv2d 3 to 8"),
    ("conv_bn width=8, kernel=1, stride=2", {"kernel": 1}, "conv_bn width=8, stride=2"),
    ("conv_bn width=8, kernel=1, stride=2", {"width": 8}, "conv_bn kernel=1, stride=2"),
    ("Linear 3 to 8 + GELU, frozen", {"activation": "GELU"}, "Linear 3 to 8, frozen"),
    ("Linear 3 to 8, frozen", {"freeze": True, "out_features": 8}, "Linear"),
    ("mlp width=4/6 × 2", {"width": [4, 6]}, "mlp width=4/6 × 2"),
]


def test_what_changed_is_left_out() -> None:
    for subtitle, edits, left in SUBTITLES:
        changes = [Edit(what, None, new) for what, new in edits.items()]
        assert without(subtitle, changes) == left, (subtitle, edits)
