"""Checks that intermediate steps of a merge are locals, deleted after their last use."""

from __future__ import annotations

import pytest
import torch

import mimgraph as mg

SPEC = """
name: Ranker
inputs: {user: [8], item: [8], shop: [8]}
nodes:
  crossed: {merge: dot_interaction, from: [user, item, shop]}
  hidden: {layer: Linear, from: crossed, out_features: 8, activation: ReLU}
  pairs: {merge: factorization, from: [hidden, item, shop], activation: ReLU}
  score: {layer: Linear, from: pairs, out_features: 1}
outputs: score
"""
FORWARD = """\
    def forward(self, *, user: Tensor, item: Tensor, shop: Tensor) -> Tensor:
        crossed_lower = torch.tril_indices(3, 3, -1, device=user.device)
        crossed_dots = torch.stack((user, item, shop), 1)
        crossed_dots = crossed_dots @ crossed_dots.mT
        hidden = torch.cat((user, crossed_dots[:, crossed_lower[0], crossed_lower[1]]), 1)
        del crossed_dots, crossed_lower
        hidden = F.relu(self.hidden(hidden))  # (N, 8)
        x = torch.stack((hidden, item, shop), 1)
        del hidden
        x = F.relu(0.5 * (x.sum(1).square() - x.square().sum(1)).sum(1, keepdim=True), inplace=True)
        return self.score(x)
"""
BLOCKS = """
inputs: {a: [8], b: [8], c: [6], d: [6]}
blocks:
  pair:
    inputs: {x: [D], y: [D]}
    nodes: {dots: {merge: pairwise_dot, from: [x, y]}}
    outputs: dots
nodes:
  one: {block: pair, from: [a, b]}
  two: {block: pair, from: [c, d]}
  both: {merge: concat, from: [one, two]}
outputs: both
"""


def test_steps_are_locals_that_are_deleted() -> None:
    assert mg.loads(SPEC).source().endswith(FORWARD)


def test_one_class_is_used_for_vectors_of_every_width() -> None:
    graph = mg.loads(BLOCKS)
    assert graph.source().count("class ") == 2
    a, b, c, d = (torch.rand(3, width) for width in (8, 8, 6, 6))
    expected = torch.stack(((a * b).sum(1), (c * d).sum(1)), 1)
    torch.testing.assert_close(graph.compile()(a=a, b=b, c=c, d=d), expected)


@pytest.mark.slow
def test_it_compiles_in_one_graph_and_exports_with_a_dynamic_batch() -> None:
    graph = mg.loads(SPEC)
    model = graph.compile()
    inputs = {name: torch.rand(4, 8) for name in graph.inputs}
    expected = model(**inputs)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(**inputs), expected)
    batch = {name: {0: torch.export.Dim.DYNAMIC} for name in inputs}
    exported = torch.export.export(model, (), inputs, dynamic_shapes=batch).module()
    twice = {name: torch.cat((x, x)) for name, x in inputs.items()}
    torch.testing.assert_close(exported(**twice), torch.cat((expected, expected)))
