"""Names that are no layer or merge: the one that was probably meant."""

from __future__ import annotations

from types import ModuleType

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.cases import check_each

MEANT = [
    (layers, "Dense", "Linear"),
    (layers, "Conv2D", "Conv2d"),
    (layers, "Linaer", "Linear"),
    (layers, "relu", "ReLU"),
    (layers, "MaxPooling2D", "MaxPool2d"),
    (layers, "leaky_relu", "LeakyReLU"),
    (layers, "concat", "merges.concat"),
    (layers, "Concatenate", "merges.concat"),
    (layers, "Multiply", "merges.multiply"),
    (layers, "Input", "mg.Input"),
    (merges, "cat", "concat"),
    (merges, "Concat", "concat"),
    (merges, "Linear", "layers.Linear"),
    (mg, "Dense", "layers.Linear"),
    (mg, "Inptu", "Input"),
    (mg, "concat", "merges.concat"),
]


def test_the_name_that_was_meant() -> None:
    def is_told(case: tuple[ModuleType, str, str]) -> None:
        module, name, meant = case
        with pytest.raises(AttributeError) as caught:
            getattr(module, name)
        wanted = f"module {module.__name__!r} has no attribute {name!r}: did you mean {meant}?"
        assert str(caught.value) == wanted

    check_each(MEANT, is_told)


@pytest.mark.parametrize("name", ["__path__", "_private", "Xyzzyqk"])
def test_no_hint_where_nothing_is_similar(name: str) -> None:
    for module in (layers, merges):
        with pytest.raises(AttributeError, match=rf"has no attribute '{name}'$"):
            getattr(module, name)


x, mask = mg.Input("x", (4, 6)), mg.Input("mask", (4,), "bool")

FORGOTTEN = {
    "no options": (lambda: layers.ReLU(x), "layers.ReLU()(x)"),
    "a required option": (
        lambda: layers.Linear(x, bias=False),
        "layers.Linear(..., bias=False)(x)",
    ),
    "an option": (lambda: layers.Linear(3, x), "layers.Linear(3)(x)"),
    "the source first": (
        lambda: layers.Linear(x, 3, bias=False),
        "layers.Linear(3, bias=False)(x)",
    ),
    "options in torch's order": (lambda: layers.Linear(x, 4, 3), "layers.Linear(...)(x)"),
    "sources by name": (
        lambda: layers.MultiheadAttention(2, query=x, key=x, value=x),
        "layers.MultiheadAttention(2)(query=x, key=x, value=x)",
    ),
}


@pytest.mark.parametrize(("call", "written"), FORGOTTEN.values(), ids=FORGOTTEN)
def test_forgotten_parentheses(call: object, written: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()  # type: ignore[operator]
    assert str(caught.value).endswith(f"takes its options first, then its sources: write {written}")


def test_a_source_among_options_where_it_belongs() -> None:
    assert layers.Cast(like=x)(mask).dtype == "float32"
