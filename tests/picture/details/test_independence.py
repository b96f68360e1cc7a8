"""A branch of an `each` depends on its own source, and not on the sources of other branches."""

from __future__ import annotations

import pytest

import mimgraph as mg
from mimgraph.picture.details.independence import independent
from tests.conftest import ROOT

APART = """
inputs: {a: [4], b: [4], c: [8]}
nodes:
  both: {layer: Linear, each: [a, b], out_features: 2}
  one: {layer: ReLU, from: both.a}
  all: {merge: concat, from: both.*}
  rest: {merge: concat, from: [both.b, c]}
outputs: {one: one, all: all, rest: rest, direct: both.b}
"""


def test_readers_of_one_branch_do_not_depend_on_the_source_of_another() -> None:
    assert independent(mg.loads(APART).typed.body) == {
        "one": ["b"],
        "rest": ["a"],
        "output one": ["b"],
        "output rest": ["a"],
        "output direct": ["a"],
    }


@pytest.mark.parametrize("name", ["resnet18", "bert_base", "dlrm"])
def test_without_separate_branches_nothing_is_apart(name: str) -> None:
    assert independent(mg.load(ROOT / "specs" / f"{name}.yaml").typed.body) == {}


def test_the_towers_of_a_retrieval_model_are_apart() -> None:
    found = independent(mg.load(ROOT / "specs" / "two_tower_retrieval.yaml").typed.body)
    assert "context" in found["output item"] and "country" in found["candidate"]
    assert "scores" not in found
