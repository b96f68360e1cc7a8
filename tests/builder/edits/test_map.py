"""`graph.map` changes nodes by a rule, at any depth."""

from __future__ import annotations

import re
from typing import Any

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.builder.edits.options import Answer
from mimgraph.inspection.nodes import Node
from tests.helpers.edited import GRAPH, SPEC, changed_keys, changed_lines


def gelu(node: Node) -> Answer:
    """Return a GELU for every ReLU."""
    if node.op == "ReLU":
        return layers.GELU()
    if node.options.get("activation") == "ReLU":
        return {"activation": "GELU"}
    return None


def test_every_relu_becomes_a_gelu() -> None:
    new = GRAPH.map(gelu)
    assert new == mg.loads(SPEC.replace("ReLU", "GELU"))
    assert new.dumps() == GRAPH.dumps().replace("ReLU", "GELU")
    assert changed_keys(new) == (set(), set())
    assert "relu" not in new.source()


def test_a_rule_that_keeps_all_gives_an_equal_graph() -> None:
    assert GRAPH.map(lambda node: None) == GRAPH
    assert GRAPH.map(lambda node: node) == GRAPH
    assert GRAPH.map(lambda node: layers.GELU() if node.op == "ReLU" else node) == GRAPH.map(
        lambda node: layers.GELU() if node.op == "ReLU" else None
    )


def test_the_rule_sees_each_node_once_and_no_share() -> None:
    paths: list[str] = []
    GRAPH.map(lambda node: paths.append(node.path))
    assert len(paths) == len({*paths})
    assert "stem.1" in paths
    assert "stage.0.conv" in paths
    assert "stage.1.conv" not in paths
    assert "deep.a.conv" in paths
    assert "deep.b.conv" in paths
    assert "small.1" in paths
    assert "emb" in paths
    assert "fc2" not in paths


def test_uses_of_a_block_may_differ() -> None:
    def rule(node: Node) -> Answer:
        return layers.Identity() if node.path in ("deep.a.conv", "stage.0.conv") else None

    new = GRAPH.map(rule)
    assert "stage: {block: residual_2, from: stem, repeat: 2}" in new.dumps()
    assert "+ a: {block: residual_2, from: x}" in changed_lines(new)
    assert list(new.declared.blocks) == ["residual", "residual_2", "pair", "narrow"]


def test_a_block_that_is_replaced_is_not_entered() -> None:
    def rule(node: Node) -> Answer:
        assert not node.path.startswith("deep.")
        return layers.BatchNorm2d() if node.name == "deep" else None

    assert "deep: {layer: BatchNorm2d, from: stage}" in GRAPH.map(rule).dumps()


def test_the_copies_of_an_each_change_together() -> None:
    old = mg.loads("""\
inputs: {a: [3], b: [4]}
nodes:
  both: {each: [a, b], seq: [{Linear: 5}, ReLU, {Linear: 2}]}
  y: {merge: add, from: both.*}
outputs: y
""")
    assert "seq: [{Linear: 5}, GELU, {Linear: 2}]" in old.map(gelu).dumps()
    assert old.replace("both.1", layers.GELU()) == old.replace("both.*.1", layers.GELU())
    with pytest.raises(mg.SpecError, match=re.escape("write 'both.*.1'")):
        old.replace("both.a.1", layers.GELU())


def test_a_number_in_a_repeated_chain_is_a_repeat_and_not_an_item() -> None:
    old = mg.loads("""\
inputs: {a: [3]}
blocks: {fc: {inputs: [x], seq: [{Linear: 3}, ReLU]}}
nodes: {y: {block: fc, from: a, repeat: 3}}
outputs: y
""")
    with pytest.raises(mg.SpecError, match=re.escape("write 'y', which changes all of them")):
        old.replace("y.1", layers.GELU())
    with pytest.raises(mg.SpecError, match=re.escape("write 'y.*.1'")):
        old.replace("y.0.1", layers.GELU())
    assert old.replace("y.*.1", layers.GELU()) == old.map(gelu)


def test_an_error_of_the_rule_passes_through() -> None:
    def rule(node: Node) -> Answer:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        GRAPH.map(rule)


def test_another_answer_is_a_type_error() -> None:
    answers: list[Any] = [True, 3, "GELU", layers.GELU, [layers.GELU()], {3: 4}]
    for answer in answers:
        with pytest.raises(TypeError, match="what the rule returns"):
            GRAPH.map(lambda node, given=answer: given if node.name == "drop" else None)


def test_a_fault_says_which_node() -> None:
    with pytest.raises(mg.SpecError) as caught:
        GRAPH.map(lambda node: merges.dot() if node.name == "fused" else None)
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.node) == ("wrong-arity", "fused")
    with pytest.raises(mg.SpecError, match="in head") as caught:
        GRAPH.map(lambda node: {"bais": False} if node.op == "Linear" else None)
    assert {fault.node for fault in caught.value.diagnostics} >= {"fc1", "head", "emb.last"}
