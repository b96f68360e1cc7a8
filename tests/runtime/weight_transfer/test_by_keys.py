"""A map of keys copies weights without running either model."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

import mimgraph as mg

GRAPH = mg.loads(
    "{inputs: {x: [4]}, nodes: {fc: {layer: Linear, from: x, out_features: 6}}, outputs: fc}"
)
KEYS = {"fc.weight": ("a.weight", "b.weight"), "fc.bias": "biases"}


def theirs() -> dict[str, torch.Tensor]:
    return {
        "a.weight": torch.randn(2, 4),
        "b.weight": torch.randn(4, 4),
        "biases": torch.randn(6),
    }


def test_joins_the_tensors_of_several_keys() -> None:
    state, model = theirs(), GRAPH.compile()
    done = GRAPH.load_state(model, state, keys=KEYS)
    assert torch.equal(model.fc.weight, torch.cat([state["a.weight"], state["b.weight"]]))
    assert done.mapping == KEYS and not done.missing and not done.unused


def test_names_what_does_not_fit() -> None:
    state = theirs() | {"more": torch.zeros(3)}
    del state["biases"]
    model = GRAPH.compile()
    with pytest.raises(ValueError, match=r"no weights for: fc.bias; unused weights: more"):
        GRAPH.load_state(model, state, keys=KEYS)
    done = GRAPH.load_state(model, state, keys=KEYS, strict=False)
    assert (done.missing, done.unused) == (("fc.bias",), ("more",))


def test_tied_weights_of_two_keys_are_used_once() -> None:
    linear = nn.Linear(4, 6)
    state = {"head.weight": linear.weight, "tied.weight": linear.weight, "fc.bias": linear.bias}
    GRAPH.load_state(GRAPH.compile(), state, keys={"fc.weight": "head.weight"})


def test_reads_a_file_by_keys(tmp_path: Path) -> None:
    state, model = theirs(), GRAPH.compile()
    path = tmp_path / "theirs.safetensors"
    safetensors.torch.save_file(state, path)
    GRAPH.load_weights(model, path, keys=KEYS)
    assert torch.equal(model.fc.bias, state["biases"])
    with pytest.raises(ValueError, match="a.weight"):
        GRAPH.load_weights(model, path, keys={"fc.bias": "biases"})


def test_refuses_what_is_no_map() -> None:
    with pytest.raises(TypeError, match="keys"):
        GRAPH.load_state(GRAPH.compile(), theirs(), keys={"fc.weight": 3})  # type: ignore[dict-item]
