"""Checks which name is proposed for a wrong one, and that the search stays cheap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mimgraph.diagnostics.nearest import nearest, suggestion
from mimgraph.diagnostics.text import unmarked
from tests.helpers.cases import each

LAYERS = ["Linear", "Conv2d", "ConvTranspose2d", "ReLU", "ReLU6", "GELU", "LayerNorm", "LSTM"]


@each(
    "name, choices, says",
    [
        ("Liner", LAYERS, "did you mean Linear?"),
        ("kernel", ["bias", "kernel_size"], "did you mean kernel_size?"),
        ("concatenate", ["add", "con", "concat"], "did you mean concat?"),
        ("Dense", LAYERS, "its names: " + ", ".join(LAYERS)),
        ("Dense", [*LAYERS, "Tanh"], ""),
        ("x", ["a", "b"], "its names: a, b"),
        ("A", ["b", "a"], "did you mean a?"),
        ("x", ["a"], "did you mean a?"),
        ("x", [], ""),
    ],
)
def test_suggestion(name: str, choices: list[str], says: str) -> None:
    assert unmarked(suggestion(name, choices, "its names")) == says


@each(
    "name, choices, found",
    [
        ("Liner", LAYERS, "Linear"),
        ("Lienar", LAYERS, "Linear"),
        ("linear", LAYERS, "Linear"),
        ("RELU", LAYERS, "ReLU"),
        ("relu", ["rel", "ReLU", "relu"], "ReLU"),
        ("Convolution", LAYERS, None),
        ("Dense", LAYERS, None),
        ("kernelsize", ["kernel_size", "stride"], "kernel_size"),
        ("out_channel", ["in_channels", "out_channels"], "out_channels"),
        ("b", ["aa", "a", "c"], "a"),
        ("cat", ["concat", "bat", "hat"], "bat"),
        ("x", [], None),
        ("", ["abc"], None),
        ("a" * 100, ["A" * 100], "A" * 100),
        ("a" * 5000, ["b" * 5000], None),
    ],
)
def test_nearest(name: str, choices: list[str], found: str | None) -> None:
    assert nearest(name, choices) == found


def distance(a: str, b: str) -> int:
    """Return the edit distance by its definition: insertions, deletions, replacements, swaps."""
    table = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            steps = [table[i - 1, j] + 1, table[i, j - 1] + 1]
            steps.append(table[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 2 : i] == b[j - 1] + b[j - 2]:
                steps.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(steps)
    return table[len(a), len(b)]


words = st.text("abc", max_size=9)


@given(words, st.lists(words))
def test_of_equally_close_choices_the_first_is_nearest(name: str, choices: list[str]) -> None:
    close = [word for word in choices if distance(name, word) <= max(1, len(name) // 3)]
    assert nearest(name, choices) == min(close, key=lambda word: distance(name, word), default=None)


@each("length", [6, 64, 1000])
def test_many_long_choices_are_searched_in_bounded_time(length: int) -> None:
    choices = [f"{'ab' * length}{i}"[-length:] for i in range(10_000)]
    assert nearest("ba" * (length // 2), choices) in {None, *choices}
