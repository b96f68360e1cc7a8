"""`over=` in Python declares what `over:` does in a spec."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import mimgraph as mg
from mimgraph import layers, merges


@mg.block
def widened(x: mg.Tensor, *, times: int = 2) -> mg.Tensor:
    """Reads a size of its input, so that it must be called without the axis."""
    assert len(x.shape) == 3
    return layers.Linear(times * x.shape[-1])(x)


@mg.block
def rows(x: mg.Tensor, *, axis: int) -> mg.Tensor:
    return layers.LSTM(8, take="last", over=axis)(x)


def twice(x: mg.Tensor, u: mg.Tensor) -> mg.Tensor:
    layer = layers.LSTM(8, over=2)
    return merges.add(layer(x, name="a"), layer(u, name="b"), name="y")


CASES: dict[str, tuple[Callable[[mg.Tensor, mg.Tensor], mg.Tensor], str]] = {
    "layer": (
        lambda x, u: layers.LSTM(8, over=1)(x, name="y"),
        "y: {layer: LSTM, from: x, hidden_size: 8, over: 1}",
    ),
    "merge": (
        lambda x, u: merges.dot(x, u, over=1, name="y"),
        "y: {merge: dot, from: [x, u], over: 1}",
    ),
    "sequential": (
        lambda x, u: mg.Sequential(layers.Linear(3), layers.ReLU(), over=-2)(x, name="y"),
        "y: {from: x, over: -2, seq: [{Linear: 3}, ReLU]}",
    ),
    "item": (
        lambda x, u: mg.Sequential(layers.LSTM(hidden_size=3, over=2))(x, name="y"),
        "y: {from: x, seq: [{LSTM: {hidden_size: 3, over: 2}}]}",
    ),
    "shared": (
        twice,
        "a: {layer: LSTM, from: x, hidden_size: 8, over: 2}\n  b: {share: a, from: u}\n  y: {merge: add, from: [a, b]}",
    ),
}


def inputs() -> tuple[mg.Tensor, mg.Tensor]:
    return mg.Input("x", ("T", "S", 8)), mg.Input("u", ("T", "S", 8))


@pytest.mark.parametrize("name", CASES)
def test_it_emits_what_the_spec_does(name: str) -> None:
    build, nodes = CASES[name]
    x, u = inputs()
    made = mg.Graph(build(x, u))
    shapes = ", ".join(f"{key}: [T, S, 8]" for key in made.inputs)
    text = f"inputs: {{{shapes}}}\nnodes:\n  {nodes}\noutputs: y\n"
    assert made.source() == mg.loads(text).source()
    assert mg.loads(made.dumps()).source() == made.source()


def test_a_block_is_called_without_the_axis() -> None:
    x, u = inputs()
    alone = widened(x, over=1, name="alone")
    chain = mg.Sequential(widened(times=3), layers.ReLU(), over=1)(x, name="chain")
    inside = mg.Sequential(layers.ReLU(), widened(over=1))(x, name="inside")
    each = widened(over=1).each(x, u, name="each")
    along = rows(x, axis=2, name="along")
    results = {"a": alone, "b": chain, "c": inside, "d": each["x"], "e": along}
    shapes = [tuple(map(str, one.shape)) for one in results.values()]
    assert [shape[-1] for shape in shapes] == ["16", "24", "16", "16", "S"]
    graph = mg.Graph(results)
    assert mg.loads(graph.dumps()).source() == graph.source()


@pytest.mark.parametrize("axis", ["1", 1.0, True, [1]])
def test_it_is_a_number(axis: object) -> None:
    x, _ = inputs()
    with pytest.raises(mg.SpecError, match="over must be the number of an axis, not"):
        layers.Linear(3, over=axis)(x)
