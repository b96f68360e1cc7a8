"""`graph.rewire("joined", from_=[...])`: a node reads other sources."""

from __future__ import annotations

from typing import Any

import pytest

import mimgraph as mg
from mimgraph import layers, merges

SPEC = """
inputs: {a: [8], b: [8], c: [8], t: [T, 8]}
blocks:
  tower:
    inputs: [x, z]
    nodes:
      p: {layer: Linear, from: x, out_features: 8}
      s: {merge: add, from: [p, x]}
      u: {layer: ReLU, from: z}
      y: {merge: concat, from: [s, u]}
    outputs: y
nodes:
  relu: {layer: ReLU, from: b}
  lstm: {layer: LSTM, from: t, hidden_size: 4}
  joined: {merge: concat, from: [a, relu]}
  head: {layer: Linear, from: joined, out_features: 3}
  deep: {block: tower, from: {x: a, z: c}}
  chain: {from: a, seq: [ReLU, Tanh]}
  attended: {merge: attention, from: {query: t, key: t, value: t}}
outputs: [head, deep, chain, {state: lstm.last}, attended]
"""
GRAPH = mg.loads(SPEC)


@pytest.mark.parametrize(
    ("path", "from_", "expected"),
    [
        ("joined", ["a", "relu", "c"], "joined: {merge: concat, from: [a, relu, c]}"),
        ("joined", ["lstm.last", "relu"], "joined: {merge: concat, from: [lstm.last, relu]}"),
        ("head", "a", "head: {layer: Linear, from: a, out_features: 3}"),
        ("deep.s", ["p", "z"], "s: {merge: add, from: [p, z]}"),
        (
            "attended",
            {"query": "t", "key": "t", "value": "lstm.output"},
            "attended: {merge: attention, from: {query: t, key: t, value: lstm.output}}",
        ),
    ],
)
def test_a_node_reads_other_sources(path: str, from_: Any, expected: str) -> None:
    graph = GRAPH.rewire(path, from_=from_)
    assert expected in graph.dumps()
    assert mg.loads(graph.dumps()) == graph and graph != GRAPH


def test_what_only_the_old_sources_needed_is_gone() -> None:
    graph = GRAPH.rewire("joined", from_=["a", "c"])
    assert {*GRAPH} - {*graph} == {"b", "relu"}
    again = graph.rewire("joined", from_=[*graph.nodes["joined"].sources.values(), "lstm.last"])
    assert str(again.shapes["joined"]) == "(N, 20)"
    assert again.compile().head.in_features == 20


REFUSED: list[tuple[str, Any, str]] = [
    ("joined", ["a", "relv"], "did you mean relu?"),
    ("joined", ["a", "lstm.lst"], "lstm has no port 'lst'"),
    ("joined", ["a", "head"], "nodes feed each other: joined -> head -> joined"),
    ("joined", ["a", "lstm"], "concat along dim 1 needs equal sizes"),
    ("joined", {"x": "a"}, "concat takes a list of sources"),
    ("joined", [], "concat takes at least 2 sources, not 0"),
    ("chain.1", ["a"], "rewire 'chain' as a whole"),
    ("deep.s", ["p", "a"], "no input or node in deep is called 'a'"),
    ("a", ["b"], "an input has no layer"),
]


@pytest.mark.parametrize(("path", "from_", "says"), REFUSED)
def test_faults_are_at_the_call(path: str, from_: Any, says: str) -> None:
    with pytest.raises(mg.SpecError) as caught:
        GRAPH.rewire(path, from_=from_)
    assert says in str(caught.value)
    assert caught.value.diagnostics[0].span.file.name == __file__


@pytest.mark.parametrize("from_", [3, None, ["a", 3], ["a", mg.Input("q", [3])], {"query": 3}])
def test_sources_are_names(from_: Any) -> None:
    with pytest.raises(TypeError, match="from_"):
        GRAPH.rewire("joined", from_=from_)


def test_replace_says_how_to_give_other_sources() -> None:
    handle = merges.concat(GRAPH["a"], GRAPH["b"])
    with pytest.raises(TypeError, match=r'graph.rewire\("joined", from_=\["a", "b"\]\)'):
        GRAPH.replace("joined", handle)  # type: ignore[arg-type]
    assert GRAPH.replace("head", layers.Tanh()).nodes["head"].op == "Tanh"
