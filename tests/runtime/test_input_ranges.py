"""Made inputs are legal positions of the axis that they are read at."""

from __future__ import annotations

import pytest
import torch

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs

PICK = "{merge: pick, from: [tokens, place]}"
IN_BLOCK = (
    "blocks: {b: {inputs: [t, p], nodes: {y: {merge: pick, from: [t, p]}}, outputs: y}}\n"
    "nodes: {y: {block: b, from: {t: tokens, p: place}}}\n"
)


@pytest.mark.parametrize("nodes", [f"nodes: {{y: {PICK}}}\n", IN_BLOCK], ids=["node", "block"])
def test_the_only_position_of_an_axis_of_one_is_picked(nodes: str) -> None:
    inputs = "inputs: {tokens: [1, S, 4], place: {shape: [], dtype: int64}}\n"
    graph = mg.loads(f"{inputs}{nodes}outputs: y\n")
    given = seeded_inputs(graph.typed, 8, 0, choose_sizes(graph.typed, {}))
    assert not given["place"].any()
    with torch.no_grad():
        graph.compile()(**given)
