"""A compiled class equals the one by hand: same weights under a seed, same outputs and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import ROOT
from tests.helpers.handwritten import MODELS


def pair(name: str) -> tuple[nn.Module, nn.Module, dict[str, Tensor]]:
    """Return both modules, made under one seed, and inputs for them."""
    graph = mg.load(ROOT / "specs" / f"{name}.yaml")
    torch.manual_seed(0)
    compiled = graph.compile()
    torch.manual_seed(0)
    by_hand = MODELS[name]()
    inputs = seeded_inputs(graph.typed, 4, 0, choose_sizes(graph.typed, {}))
    return compiled, by_hand, inputs


@pytest.mark.parametrize("name", MODELS)
def test_same_weights_outputs_and_gradients(name: str) -> None:
    compiled, by_hand, inputs = pair(name)
    weights, expected = compiled.state_dict(), by_hand.state_dict()
    assert list(weights) == list(expected)
    assert [key for key in weights if not torch.equal(weights[key], expected[key])] == []
    ours, theirs = compiled(**inputs), by_hand(**inputs)
    assert torch.equal(ours, theirs)
    ours.square().sum().backward()
    theirs.square().sum().backward()
    for (key, mine), (_, other) in zip(
        compiled.named_parameters(), by_hand.named_parameters(), strict=True
    ):
        assert mine.grad is not None and other.grad is not None, key
        assert torch.equal(mine.grad, other.grad), key
