"""Costs of a search space: checking its points, against loading the spec anew for each."""

from __future__ import annotations

from collections.abc import Iterator

import mimgraph as mg
from mimgraph.infer import rules
from tests.benchmarks.case import Case, Cost, clocked

POINTS, NODES = 1_000, 50
LOADS = 50  # of the points, as loading each takes as long


def searched() -> str:
    """Return a spec of 50 nodes whose widths, activation, rate and fusion are searched."""
    nodes = "".join(
        f"  n{i + 1}: {{layer: Linear, from: n{i}, out_features: {width}, activation: $act}}\n"
        for i, width in enumerate(["$wide", "$thin"] * (NODES // 2 - 1))
    )
    return f"""\
params:
  wide: {{search: [64, 128, 256, 512]}}
  thin: {{search: [16, 32]}}
  act: {{search: [ReLU, GELU, Tanh]}}
  rate: {{search: {{float: [0.0, 0.5]}}}}
  fusion: {{search: [add, gated, low_rank]}}
inputs: {{n0: [64]}}
nodes:
{nodes}\
  f: {{merge: $fusion, from: [n{NODES - 2}, n{NODES - 4}], out_features: $wide}}
  y: {{layer: Dropout, from: f, p: $rate}}
outputs: y
"""


def proved_against_loaded() -> tuple[Cost, Cost]:
    """Return the costs of a point: checked by a proof, and by a load with its params."""
    text = searched()
    graph = mg.loads(text)
    assert len(graph.typed.body.nodes) == NODES

    def prove() -> None:
        rules.forget()
        proof = graph.space.prove(POINTS)
        assert (proof.checked, proof.failed) == (POINTS, 0)

    def load() -> None:
        rules.forget()
        for i in range(LOADS):
            mg.loads(text, {"wide": (64, 128, 256, 512)[i % 4], "rate": i / 100})

    return clocked(prove, POINTS), clocked(load, LOADS)


def cases() -> Iterator[Case]:
    """Yield the case."""
    yield Case(
        f"check a point of a search, {NODES} nodes",
        "loading the spec anew",
        proved_against_loaded,
        at_most=0.5,
        rounds=3,
    )
