"""Declared operations: their options and names, and how they are rebuilt with others."""

from __future__ import annotations

import pytest
from hypothesis import given

import mimgraph as mg
from mimgraph.ir.declared_graph import Node, operations
from mimgraph.ir.declared_values import Option
from mimgraph.ir.rewrite import Rewriter
from tests.helpers.strategies import Spec, specs, to_yaml
from tests.ir.test_typed_walks import thorough

TEXT = """
name: Kinds
params: {width: 6}
inputs: {a: [6], b: [6]}
blocks:
  cell:
    params: {units: 6}
    inputs: [x]
    nodes:
      fc: {layer: Linear, from: x, out_features: $units}
    outputs: fc
nodes:
  layer: {layer: Linear, from: a, out_features: 1, activation: {ELU: {alpha: 2.0}}}
  seq: {from: layer, seq: [{Linear: 3}, ReLU, {cell: {units: 4}}]}
  use: {block: cell, from: seq, units: 5, repeat: 6}
  each: {layer: Linear, each: {left: a, right: b}, with: {out_features: [7, 8]}, bias: false}
  share: {share: seq, from: layer}
  shares: {share: each, each: {left: b, right: a}}
outputs: {use: use, left: each.left, right: each.right, share: share, again: shares.left}
"""


@pytest.fixture(scope="module")
def nodes() -> tuple[Node, ...]:
    return mg.loads(TEXT).declared.nodes


def values(nodes: tuple[Node, ...]) -> list[object]:
    return [option.value for one in operations(nodes) for option in one.every_option()]


def test_every_option_is_found(nodes: tuple[Node, ...]) -> None:
    """Options and lone values are found, also in activations, repeats, `with` and chains."""
    assert values(nodes) == [1, 2.0, 3, 4, 5, 6, [7, 8], False]


def test_every_name_is_found(nodes: tuple[Node, ...]) -> None:
    found = [name for one in operations(nodes) for name in one.names()]
    assert found == ["Linear", "ELU", "Linear", "ReLU", "cell", "cell", "Linear"]


def test_an_each_applies_an_operation_to_each_source(nodes: tuple[Node, ...]) -> None:
    assert [node.name for node in nodes if node.has_branches] == ["each", "shares"]
    for node in nodes:
        assert node.has_branches == (node.applied is not node.operation)


def test_named_options_are_those_of_the_layer_or_block(nodes: tuple[Node, ...]) -> None:
    by_name = {node.name: node.applied for node in nodes}
    given = {name: list(one.named) for name, one in by_name.items() if one is not None}
    assert given == {
        "layer": ["out_features"],
        "seq": [],
        "use": ["units"],
        "each": ["bias"],
        "share": [],
        "shares": [],
    }


def test_rewriting_changes_every_option(nodes: tuple[Node, ...]) -> None:
    def doubled(option: Option) -> Option:
        return option._replace(value=[option.value] * 2)

    found = Rewriter(option=doubled).nodes(nodes)
    assert values(found) == [[value] * 2 for value in values(nodes)]
    assert [node.name for node in found] == [node.name for node in nodes]


def test_rewriting_changes_every_name(nodes: tuple[Node, ...]) -> None:
    """The callback gets the kind of thing that is named, and the name of the node."""
    asked = []

    def renamed(kind: str, name: str, path: str) -> str:
        asked.append((kind, path))
        return name + "_"

    found = Rewriter(name=renamed).nodes(nodes, "top.")
    names = [name for one in operations(found) for name in one.names()]
    assert names == ["Linear_", "ELU_", "Linear_", "ReLU_", "cell_", "cell_", "Linear_"]
    assert asked == [
        ("activation", "top.layer"),
        ("layer", "top.layer"),
        ("layer", "top.seq.0"),
        ("layer", "top.seq.1"),
        ("block", "top.seq.2"),
        ("block", "top.use"),
        ("layer", "top.each"),
    ]
    assert values(found) == values(nodes)


def test_a_node_whose_name_is_lost_has_no_operation(nodes: tuple[Node, ...]) -> None:
    def without(lost: str) -> dict[str, Node]:
        rewriter = Rewriter(name=lambda _, name, __: None if name == lost else name)
        return {node.name: node for node in rewriter.nodes(nodes)}

    assert without("ELU")["layer"].operation is None
    assert without("Linear")["each"].operation is None
    found = without("ReLU")["seq"].operation
    assert found is not None
    assert [item.operation is None for item in found.items] == [False, True, False]


@thorough(max_examples=60)
@given(spec=specs())
def test_unchanged_nodes_are_the_same_objects(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec)).declared
    same = Rewriter(option=lambda option: option, name=lambda _, name, __: name)
    for nodes in (graph.nodes, *(block.nodes for block in graph.blocks.values())):
        assert same.nodes(nodes) is nodes
