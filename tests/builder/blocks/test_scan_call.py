"""`.scan` of a block runs it once for each step, as `scan` in a spec does."""

from __future__ import annotations

import mimgraph as mg
from mimgraph import layers, merges


@mg.block
def cell(x: mg.Tensor, h: mg.Tensor, *, width: int = 4) -> dict[str, mg.Tensor]:
    h = layers.Linear(width, activation="Tanh")(merges.concat(x, h), name="next")
    return {"y": layers.Linear(2)(h, name="y"), "h": h}


SPEC = """\
name: M
inputs: {x: [T, 8], h0: [4]}
blocks:
  cell:
    params: {width: 4}
    inputs: [x, h]
    nodes:
      concat: {merge: concat, from: [x, h]}
      next: {layer: Linear, from: concat, out_features: $width, activation: Tanh}
      y: {layer: Linear, from: next, out_features: 2}
    outputs: {y: y, h: next}
nodes:
  states: {scan: cell, over: x, carry: {h: h0}, width: 4}
  again: {share: states, from: {x: x, h: states.h}}
outputs: {y: states, z: again}
"""


def test_it_declares_what_a_spec_declares() -> None:
    x, h0 = mg.Input("x", ("T", 8)), mg.Input("h0", (4,))
    step = cell(width=4)
    states = step.scan(x, carry={"h": h0}, name="states")
    again = step.scan(x=x, carry={"h": states["h"]}, name="again")
    graph = mg.Graph({"y": states, "z": again}, name="M")
    assert graph == mg.loads(SPEC) and mg.loads(graph.dumps()) == graph
    assert graph.source() == mg.loads(SPEC).source()
    assert str(states.shape) == "(N, T, 2)" and str(states["h"].shape) == "(N, 4)"


def test_axes_by_source_and_sources_that_stay_the_same() -> None:
    @mg.block
    def inner(memory: mg.Tensor, x: mg.Tensor, m: mg.Tensor) -> mg.Tensor:
        return merges.add(memory, x, m)

    @mg.block
    def outer(x: mg.Tensor, m: mg.Tensor, c: mg.Tensor) -> mg.Tensor:
        return inner().scan(c, x=x, m=m, over={"x": 1, "m": 2})

    x, m, c = mg.Input("x", (5, 8)), mg.Input("m", (8, 5)), mg.Input("c", (8,))
    graph = mg.Graph({"y": outer(x, m, c)})
    assert "{scan: inner, from: {memory: c}, over: {x: 1, m: 2}}" in graph.dumps()
    assert mg.loads(graph.dumps()) == graph
    assert str(graph.outputs["y"]) == "(N, 5, 8)"


def test_a_block_of_one_input_and_a_block_of_a_spec() -> None:
    graph = mg.loads(
        "{inputs: {a: [3]}, nodes: {b: {layer: Linear, from: a, out_features: 2}}, outputs: b}"
    )
    rows = mg.Input("rows", (6, 3))
    by_axis, by_name = graph().scan(rows), graph().scan(a=rows, over={"a": 1})
    whole = mg.Graph({"one": by_axis, "two": by_name})
    assert {str(type_) for type_ in whole.outputs.values()} == {"(N, 6, 2)"}
    assert mg.loads(whole.dumps()) == whole


def test_python_code_in_the_block_sees_one_step() -> None:
    seen = []

    @mg.block
    def step(x: mg.Tensor, h: mg.Tensor) -> dict[str, mg.Tensor]:
        seen.append((str(x.shape), str(h.shape)))
        return {"h": merges.add(x, h)}

    x, h0 = mg.Input("x", ("T", 8)), mg.Input("h0", (8,))
    states = step().scan(x, carry={"h": h0})
    assert set(seen) == {("(N, 8)", "(N, 8)")} and str(states.shape) == "(N, T, 8)"
