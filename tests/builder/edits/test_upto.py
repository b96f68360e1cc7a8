"""`graph.upto("fc")`: the graph whose outputs are some of the nodes, without what only others need."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings

import mimgraph as mg
from mimgraph import layers
from tests.helpers.edited import GRAPH
from tests.helpers.running import seeded
from tests.helpers.strategies import Spec, specs, to_yaml


def test_what_nothing_needs_is_gone() -> None:
    graph = GRAPH.upto("fc2")
    assert graph.dumps() == (
        "name: Both\nparams: {hidden: 64}\ninputs:\n  numeric: [5]\nnodes:\n"
        "  fc1: {layer: Linear, from: numeric, out_features: $hidden, activation: ReLU}\n"
        "  fc2: {share: fc1, from: numeric}\noutputs: fc2\n"
    )
    assert graph.warnings == ()
    assert [*GRAPH.upto("deep").declared.blocks] == ["residual", "pair"]
    assert [*GRAPH.upto("stage").declared.blocks] == ["residual"]


def test_several_results_and_ports() -> None:
    graph = GRAPH.upto("fc1", "lstm.last")
    assert {name: str(type_) for name, type_ in graph.outputs.items()} == {
        "fc1": "(N, 64)",
        "lstm_last": "(N, 8)",
    }
    assert [*graph.inputs] == ["numeric", "words"]
    assert [*GRAPH.upto("lstm.last").outputs] == ["lstm"]
    assert [*GRAPH.upto("lstm.output", "lstm.last").outputs] == ["lstm_output", "lstm_last"]


def test_weights_and_values_are_those_of_the_whole() -> None:
    whole, part = seeded(GRAPH.compile), GRAPH.upto("mean").compile()
    state = whole.state_dict()
    part.load_state_dict({key: state[key] for key in part.state_dict()})
    words = torch.randn(2, 3, 8)
    lstm, _ = whole.lstm(words)
    expected = whole.read(lstm, words, words)[0].mean(1)
    assert torch.allclose(part(words=words), expected, atol=1e-6)


def test_a_sole_input_is_not_optional() -> None:
    graph = mg.loads(
        "inputs: {x: [4], p: {shape: [2], optional: true}}\nnodes:\n"
        "  a: {layer: Linear, from: x, out_features: 3}\n"
        "  b: {layer: Linear, from: p, out_features: 3}\n"
        "  y: {merge: add, from: [a, b], missing: skip}\noutputs: y\n"
    )
    assert graph.upto("b")(mg.Input("q", (2,))).type == graph["a"].type
    assert not graph.upto("b").declared.inputs[0].optional


def test_a_size_of_an_input_that_is_gone() -> None:
    spec = """
params: {T: 3, L: 4}
inputs: {x: [T, 4], a: [L]}
nodes:
  f: {merge: formula, from: [a], expr: "a * $T"}
  k: {merge: formula, from: [a], expr: "a * $L"}
  z: {layer: Tanh, from: x}
outputs: {z: z, f: f, k: k}
"""
    graph = mg.loads(spec)
    with pytest.raises(
        mg.SpecError, match="reads the size T of the input x(.|\n)*depends on x too"
    ):
        graph.upto("f")
    assert graph.upto("f", "z").shapes["f"] == graph.shapes["f"]
    assert "T" not in graph.upto("k").declared.params


@settings(max_examples=8)
@given(specs())
def test_upto_an_output_is_the_graph_of_its_handle(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    for name in {one.source.name for one in graph.declared.outputs} & {*graph.typed.body.by_name}:
        try:
            expected = mg.Graph({name: graph[name]}, graph.name)
        except mg.SpecError:  # of several ports, or without an input that must be given
            continue
        if expected.inputs:
            assert graph.upto(name) == expected


def test_a_graph_has_inputs() -> None:
    x = mg.Input("x", (3,))
    graph = mg.Graph(layers.Linear(3)(x) + mg.Parameter("p", (3,), init="zeros", batched=True))
    with pytest.raises(mg.SpecError, match="no input of the graph leads to p"):
        graph.upto("p")
    with pytest.raises(ValueError, match="is a stage and has no spec"):
        graph.split(1)[0].upto("linear")


def test_a_block_that_nothing_uses_keeps_the_blocks_inside_it() -> None:
    graph = mg.loads(
        "inputs: {x: [4]}\n"
        "blocks:\n"
        "  wide: {seq: [{Linear: 8}, {Linear: 4}]}\n"
        "  spare: {seq: [wide, ReLU]}\n"
        "nodes:\n"
        "  a: {layer: ReLU, from: x}\n"
        "  b: {block: wide, from: a}\n"
        "outputs: [a, b]\n"
    )
    assert [*graph.upto("a").declared.blocks] == ["wide", "spare"]
