"""Inputs, nodes and ports of an existing graph as sources of new layers: `graph["fc"]`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings

import mimgraph as mg
from mimgraph import layers, merges
from tests.conftest import ROOT
from tests.helpers.handles import image, residual
from tests.helpers.running import seeded
from tests.helpers.strategies import Spec, specs, to_yaml


def from_handles(graph: mg.Graph) -> mg.Graph:
    """Return a new graph of the handles of all outputs."""
    outputs = {
        one.name: mg.Output(
            graph[one.source.text],
            doc=one.doc,
            only="training" if one.only_training else None,
            batch_dim=one.batch_dim.value if one.batch_dim else None,
        )
        for one in graph.declared.outputs
    }
    return mg.Graph(outputs, graph.name, graph.declared.doc)


def test_a_spec_rebuilt_from_its_handles_is_equal(spec: Path) -> None:
    graph = mg.load(spec)
    assert from_handles(graph) == graph


@settings(max_examples=12)
@given(specs())
def test_a_random_graph_rebuilt_from_its_handles_is_equal(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    again = from_handles(graph)
    assert again == graph
    assert again.source() == graph.source()
    assert mg.loads(again.dumps()) == graph


BASE = """
name: Base
params: {width: 4, T: 3}
inputs: {x: [T, 8], y: [8], p: {shape: [$T], optional: true}}
nodes:
  lstm: {layer: LSTM, from: x, hidden_size: $width}
  fc: {layer: Linear, from: y, out_features: $(2 * width), freeze: true}
  again: {share: fc, from: y}
  heads: {layer: Linear, each: [fc, again], with: {out_features: [2, $width]}}
  joined: {merge: concat, from: [lstm.last, fc, again, heads.fc, heads.again]}
  gate: {layer: Linear, from: p, out_features: 2}
  combined: {merge: concat, from: [joined, gate], missing: skip}
outputs: {scores: combined}
"""


def test_transfer_learning_keeps_names_and_weights() -> None:
    base = mg.loads(BASE)
    graph = mg.Graph(layers.Linear(3)(base["joined"], name="head"), name="New")
    assert list(graph.inputs) == ["x", "y"]
    assert str(graph.shapes["head"]) == "(N, 3)"
    old, new = seeded(base.compile), graph.compile()
    ours, theirs = new.state_dict(), old.state_dict()
    assert ours.keys() - theirs.keys() == {"head.weight", "head.bias"}
    new.load_state_dict({**ours, **{key: theirs[key] for key in ours if key in theirs}})
    assert not new.fc.weight.requires_grad
    assert mg.loads(graph.dumps()) == graph


def test_handles_are_the_same_each_time() -> None:
    base = mg.loads(BASE)
    assert base["fc"] == base["fc"]
    assert base["lstm.last"] == base["lstm"]["last"]
    assert base["x"].is_input
    assert base["fc"].name == "fc"
    graph = mg.Graph([base["joined"], layers.Linear(1)(base["fc"])])
    assert list(graph.outputs) == ["joined", "linear"]


def test_new_names_avoid_those_of_the_graph() -> None:
    x = mg.Input("x", (4,))
    base = mg.Graph(layers.Linear(4)(x))
    graph = mg.Graph(layers.Linear(2)(base["linear"]))
    assert [*graph.shapes] == ["x", "linear", "linear_1"]


def test_parts_of_two_graphs() -> None:
    one = mg.Graph(layers.Linear(4)(mg.Input("a", (3,)), name="left"))
    other = mg.Graph(layers.Linear(4)(mg.Input("b", (3,)), name="right"))
    graph = mg.Graph(merges.add(one["left"], other["right"]))
    assert [*graph.inputs] == ["a", "b"]


def test_blocks_of_python_and_their_outer_layers() -> None:
    shared = layers.Linear(8)

    @mg.block
    def tower(x: mg.Tensor) -> mg.Tensor:
        return layers.ReLU()(shared(x))

    x = mg.Input("x", (8,))
    graph = mg.Graph(merges.add(shared(x, name="first"), tower(x), name="sum"))
    assert from_handles(graph) == graph
    only_tower = mg.Graph(graph["tower"])  # its module has the name `first`
    assert [*only_tower.compile().state_dict()] == ["first.weight", "first.bias"]

    blocks = mg.Graph(residual(residual(image(), stride=2), name="last"))
    assert from_handles(blocks).source() == blocks.source()


def test_values_of_params_are_taken_over() -> None:
    base = mg.loads(BASE, {"width": 5})
    graph = mg.Graph(base["fc"])
    assert str(graph.shapes["fc"]) == "(N, 10)"
    assert mg.loads(graph.dumps()) == graph


def test_the_new_graph_computes_the_same() -> None:
    base = mg.loads(BASE)
    model, part = seeded(base.compile), mg.Graph(base["heads"]["again"]).compile()
    part.load_state_dict({k: v for k, v in model.state_dict().items() if k in part.state_dict()})
    y = torch.randn(2, 8)
    expected = model.heads["again"](model.fc(y))
    assert torch.equal(part(y=y), expected)


@pytest.mark.parametrize(
    ("key", "message", "help"),
    [
        ("combine", "no input or node in Base is called 'combine'", "did you mean combined?"),
        ("scores", "is called 'scores'", "the output scores is the result of combined"),
        ("lstm.lats", "no port 'lats'", "did you mean last?"),
        ("stage.conv", "conv is inside stage, and its result is known only there", "outputs of"),
        ("row.0", "0 is inside row", "take the result of row"),
    ],
)
def test_unknown_names(key: str, message: str, help: str) -> None:
    more = """  row: {seq: [{Linear: 4}], from: y}
  stage: {block: conv, from: row}
  combined: {merge: concat, from: [joined, gate, stage], missing: skip}
outputs: {scores: combined}
blocks:
  conv:
    inputs: [x]
    nodes: {conv: {layer: Linear, from: x, out_features: 4}, relu: {layer: ReLU, from: conv}}
    outputs: relu
"""
    base = mg.loads(BASE[: BASE.index("  combined")] + more)
    with pytest.raises(mg.SpecError) as error:
        base[key]
    (fault,) = error.value.diagnostics
    assert message in fault.message
    assert help in fault.help
    assert fault.span.excerpt().text.strip() == "base[key]"


def test_a_handle_beside_the_same_of_a_graph() -> None:
    x = mg.Input("x", (4,))
    base = mg.Graph(layers.Linear(4)(x, name="fc"))
    with pytest.raises(mg.SpecError, match=r"two inputs x(.|\n)*take it from the graph, graph"):
        mg.Graph(merges.concat(base["fc"], x))
    with pytest.raises(mg.SpecError, match=r"fc is the name of a new node(.|\n)*another name"):
        mg.Graph(layers.Linear(4)(base["fc"], name="fc"))
    other = mg.Graph(base["fc"], "Other")
    with pytest.raises(mg.SpecError, match=r"two graphs have a part x: Model and Other"):
        mg.Graph(merges.concat(base["fc"], other["fc"]))


def test_a_stage_has_no_handles() -> None:
    first, _ = mg.load(ROOT / "specs" / "resnet18.yaml").split(2)
    with pytest.raises(ValueError, match="is a stage and has no spec"):
        first["image"]


def test_a_block_takes_no_handle_of_a_graph() -> None:
    base = mg.Graph(layers.Linear(4)(mg.Input("x", (4,)), name="fc"))

    @mg.block
    def adds(z: mg.Tensor) -> mg.Tensor:
        return merges.add(z, base["fc"])

    with pytest.raises(mg.SpecError, match="fc was made outside the block adds"):
        adds(mg.Input("q", (4,)))


def test_a_size_of_an_input_that_is_left_behind_is_a_fault_of_the_call() -> None:
    base = mg.loads(
        "inputs: {x: [T, 4]}\nnodes:\n  table: {parameter: [9, 4], init: zeros}\n"
        "  places: {layer: Slice, from: table, dim: 0, end: $T}\n"
        "  y: {merge: add, from: [x, places], broadcast: true}\noutputs: y\n"
    )
    with pytest.raises(mg.SpecError, match="only sizes of inputs on which the outputs") as caught:
        mg.Graph([mg.Input("z", (4,)), layers.Tanh()(base["places"])])
    (fault,) = caught.value.diagnostics
    assert fault.code == "unknown-param"
    assert (
        fault.span.excerpt().text
        == 'mg.Graph([mg.Input("z", (4,)), layers.Tanh()(base["places"])])'
    )
    assert [label.span.line for label in fault.labels] == [4]
