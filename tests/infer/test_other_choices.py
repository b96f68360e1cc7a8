"""Where a search chooses an operation, the options of the other choices are left out."""

from __future__ import annotations

import pytest

import mimgraph as mg
from tests.helpers.cases import each
from tests.helpers.marked import locations, split, warnings

SPEC = """\
params:
  fusion: {search: [concat, gated, low_rank], default: DEFAULT}
  h: 8
  r: 2
inputs: {a: [4], b: [4]}
nodes:
  f: {merge: $fusion, from: [a, b], out_features: $h, rank: $r}
outputs: f
"""


@each(
    "fusion, options",
    [("concat", set()), ("gated", {"out_features"}), ("low_rank", {"out_features", "rank"})],
)
def test_an_op_has_its_own_options_alone(fusion: str, options: set[str]) -> None:
    for graph in (
        mg.loads(SPEC.replace("DEFAULT", fusion)),
        mg.loads(SPEC.replace("DEFAULT", "concat"), {"fusion": fusion}),
        mg.loads(SPEC.replace("DEFAULT", "concat")).with_params(fusion=fusion),
    ):
        assert {"out_features", "rank"} & graph.nodes["f"].options.keys() == options
        assert graph.nodes["f"].op == fusion and not graph.warnings


BLOCKS = """\
params: {k: {search: [one, two]}}
blocks: {one: {seq: [ReLU]}, two: {params: {w: null}, seq: [{Linear: $w}]}}
"""
PLACES = {
    "a layer": (
        "params: {k: {search: [Linear, Conv1d]}}\n",
        "{layer: $k, from: x, out_features: 3, out_channels: 3, kernel_size: 1}",
    ),
    "an activation": (
        "params: {k: {search: [ReLU, LeakyReLU]}}\n",
        "{layer: Linear, from: x, out_features: 3, activation: {$k: {negative_slope: 0.1}}}",
    ),
    "an item of a seq": (
        "params: {k: {search: [Linear, ReLU]}}\n",
        "{from: x, seq: [{$k: {out_features: 3}}]}",
    ),
    "an option in with": (
        "params: {k: {search: [ReLU, Linear]}}\n",
        "{layer: $k, each: {a: x, b: x}, with: {out_features: [3, 3]}}, z: {merge: concat, from: y.*}",
    ),
    "a block": (
        BLOCKS,
        "{block: $k, from: x, w: 3}",
    ),
    "a param that gives the name to another": (
        "params: {k: {search: [ReLU, Linear]}, kind: $k}\n",
        "{layer: $kind, from: x, out_features: 3}",
    ),
}


@each("place", [*PLACES])
def test_options_of_both_choices_stand_at_a_node(place: str) -> None:
    head, node = PLACES[place]
    out = "z" if " z: " in node else "y"
    graph = mg.loads(f"{head}inputs: {{x: [4, 5]}}\nnodes: {{y: {node}}}\noutputs: {out}\n")
    for choice in graph.space["k"].values:  # type: ignore[union-attr]
        at = graph.with_params(k=choice)
        assert mg.loads(at.dumps()) == at and not at.space


FAULTS = {
    "an option that no choice has": "f: {merge: $k, from: [a, b], ⟦unknown-option⟧ranks: 2}",
    "an unknown param in an option that is left out": "f: {merge: $k, from: [a, b], rank: $⟦unknown-param⟧nope}",
    "an option of a choice by name": "f: {merge: add, from: [a, b], ⟦unknown-option⟧rank: 2}",
    "a param that is not searched": "f: {merge: $m, from: [a, b], ⟦unknown-option⟧rank: 2}",
}


@each("what", [*FAULTS])
def test_what_is_wrong_stays_wrong(what: str) -> None:
    text, expected = split(
        "params: {k: {search: [add, low_rank]}, m: add}\ninputs: {a: [4], b: [4]}\n"
        f"nodes: {{{FAULTS[what]}}}\noutputs: f\n"
    )
    assert locations(text) == expected


def test_a_size_may_stand_in_an_option_that_is_left_out() -> None:
    text = (
        "params: {k: {search: [Softmax, Unflatten]}}\ninputs: {a: [T, 4]}\n"
        "nodes: {f: {layer: $k, from: a, dim: 1, unflattened_size: [$T, 1]}}\noutputs: f\n"
    )
    assert locations(text) == [] and warnings(text) == []


def test_a_required_option_is_required_by_its_choice_alone() -> None:
    text = SPEC.replace(", out_features: $h, rank: $r", "").replace("DEFAULT", "concat")
    graph = mg.loads(text)
    with pytest.raises(mg.SpecError, match="gated needs out_features"):
        graph.with_params(fusion="gated")


def test_a_param_that_only_another_choice_reads_may_be_given() -> None:
    text = SPEC.replace("DEFAULT", "concat")
    graph = mg.loads(text, {"fusion": "concat", "r": 3})
    assert [*graph.declared.params] == ["fusion", "r"]
    assert [one.code for one in graph.warnings] == ["unused-param"]
    with pytest.raises(ValueError, match="no param is called 'rank'"):
        mg.loads(text, {"fusion": "concat", "rank": 3})
