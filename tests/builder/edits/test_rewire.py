"""`graph.rewire("joined", from_=[...])`: a node reads other sources."""

from __future__ import annotations

from typing import Any

import mimgraph as mg

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


def test_what_only_the_old_sources_needed_is_gone() -> None:
    graph = GRAPH.rewire("joined", from_=["a", "c"])
    assert {*GRAPH} - {*graph} == {"b", "relu"}
    again = graph.rewire("joined", from_=[*graph.nodes["joined"].sources.values(), "lstm.last"])
    assert str(again.shapes["joined"]) == "(N, 20)"
    assert again.compile().head.in_features == 20


SOURCES: list[tuple[str, Any, str]] = [
    ("joined", ["a", "relu", "c"], "joined: {merge: concat, from: [a, relu, c]}"),
    ("joined", ["lstm.last", "relu"], "joined: {merge: concat, from: [lstm.last, relu]}"),
    ("head", "a", "head: {layer: Linear, from: a, out_features: 3}"),
    ("deep.s", ["p", "z"], "s: {merge: add, from: [p, z]}"),
    (
        "attended",
        {"query": "t", "key": "t", "value": "lstm.output"},
        "attended: {merge: attention, from: {query: t, key: t, value: lstm.output}}",
    ),
]


def test_a_node_reads_other_sources() -> None:
    for path, sources, expected in SOURCES:
        graph = GRAPH.rewire(path, from_=sources)
        assert expected in graph.dumps()
        assert mg.loads(graph.dumps()) == graph and graph != GRAPH
