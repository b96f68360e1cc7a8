"""`share` calls a module again: several times, and on its own results."""

from __future__ import annotations

import pytest

import mimgraph as mg
from mimgraph import layers


def test_a_layer_in_python_is_called_on_its_own_results() -> None:
    step, x = layers.Linear(5), mg.Input("x", (5,))
    y = step(step(step(step(x))))
    assert str(y.shape) == "(N, 5)"
    assert mg.Graph(y).source().count("nn.Linear") == 1


def test_a_shared_layer_feeds_a_shared_layer() -> None:
    first, second = layers.Linear(5), layers.Linear(5)
    a, b = mg.Input("a", (5,)), mg.Input("b", (5,))
    first(a), second(a)
    assert str(second(first(b)).shape) == "(N, 5)"
    assert str(first(first(b)).shape) == "(N, 5)"


def test_every_share_must_fit_the_module() -> None:
    step = layers.Linear(5)
    step(mg.Input("x", (5,)))
    with pytest.raises(mg.SpecError, match=r"is shared, so its input must be \(N, 5\)"):
        step(mg.Input("y", (6,)))
