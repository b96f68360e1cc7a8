"""`co_attention` of several layers feeds the results of a layer to the next; one layer has no list."""

from __future__ import annotations

import torch

import mimgraph as mg

SPEC = """\
inputs: {a: [3, 8], b: [5, 8]}
nodes:
  y: {merge: co_attention, from: [a, b], num_heads: 2, dim_feedforward: 4, dropout: 0, num_layers: COUNT}
outputs: {a: y.a, b: y.b}
"""


def model_of(count: int) -> torch.nn.Module:
    torch.manual_seed(0)
    return mg.loads(SPEC.replace("COUNT", str(count))).compile().eval()


def test_one_layer_is_the_module_itself() -> None:
    parts = {name.split(".")[1] for name in model_of(1).state_dict()}
    assert parts == {"stream_a", "stream_b"}


def test_several_layers_run_in_a_row() -> None:
    one, model = model_of(1), model_of(2)
    state = model.state_dict()
    assert {name.split(".")[1] for name in state} == {"layers"}
    inputs = {"a": torch.randn(2, 3, 8), "b": torch.randn(2, 5, 8)}
    expected = inputs
    for layer in ("y.layers.0.", "y.layers.1."):
        weights = {name.replace(layer, "y."): x for name, x in state.items() if layer in name}
        one.load_state_dict(weights)
        expected = one(**expected)
    torch.testing.assert_close(model(**inputs), expected)
