"""`graph.edges`, and `graph.to_networkx` with the same edges and the fields of nodes."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import networkx as nx
import pytest
from hypothesis import given, settings

import mimgraph as mg
from mimgraph.inspection.facts import Edge
from tests.helpers.strategies import Spec, specs, to_yaml

SPEC = """\
inputs: {t: [T, 8], city: {vocab: 4}, job: {vocab: 5}}
nodes:
  l: {layer: LSTM, from: t, hidden_size: 8}
  z: {merge: attention, from: {query: l.output, key: t, value: t}}
  e: {each: [city, job], layer: Embedding, embedding_dim: 3}
  c: {merge: concat, from: [e.city, l.last, e.job]}
  f: {layer: Linear, from: c, out_features: 2}
  seq: {from: f, seq: [Tanh, {Linear: 2}]}
  none: {block: skip, from: f, repeat: 0}
  q: {merge: matmul, from: [none, f.weight]}
blocks: {skip: {inputs: [v], seq: [Tanh]}}
outputs: {z: z, seq: seq, q: q}
"""


@pytest.fixture(scope="module")
def graph() -> mg.Graph:
    return mg.loads(SPEC, name="model.yaml")


def test_edges(graph: mg.Graph) -> None:
    assert [*map(tuple, graph.edges)] == [
        ("t", "l", "input", ""),
        ("l", "z", "query", "output"),
        ("t", "z", "key", ""),
        ("t", "z", "value", ""),
        ("city", "e", "city", ""),
        ("job", "e", "job", ""),
        ("e", "c", "0", "city"),
        ("l", "c", "1", "last"),
        ("e", "c", "2", "job"),
        ("c", "f", "input", ""),
        ("f", "seq", "input", ""),
        ("f", "none", "v", ""),
        ("none", "q", "0", ""),
        ("f", "q", "1", "weight"),
    ]


def test_a_pair_of_names_is_among_the_edges(graph: mg.Graph) -> None:
    assert ("t", "l") in graph.edges and ("l", "t") not in graph.edges
    assert Edge("l", "c", "1", "last") in graph.edges and Edge("l", "c", "1", "") not in graph.edges
    assert "t" not in graph.edges and ["t", "l"] not in graph.edges


def test_edges_are_a_sequence(graph: mg.Graph) -> None:
    first, *_ = graph.edges
    assert graph.edges[0] == first and graph.edges[:1] == (first,)
    assert (first.source, first.target, first.argument, first.port) == ("t", "l", "input", "")
    assert isinstance(graph.edges, Sequence) and [*reversed(graph.edges)] == [*graph.edges][::-1]
    assert pickle.loads(pickle.dumps(graph.edges)) == graph.edges
    assert repr(mg.loads(SPEC).edges).startswith("<Edges t -> l, l -> z")


def test_networkx_has_the_fields_of_nodes(graph: mg.Graph) -> None:
    found = graph.to_networkx()
    assert [*found] == [*graph]
    names = ("op", "kind", "options", "shape", "dtype", "ports", "parameters", "macs", "origin")
    for name, node in graph.nodes.items():
        attributes = dict(found.nodes[name])
        attributes.pop("layer")
        assert attributes == {field: getattr(node, field) for field in names}
    layers = [found.nodes[name]["layer"] for name in ("t", "l", "z", "e", "seq", "none")]
    assert layers == ["Input", "LSTM", "attention", "Embedding", "Sequential", "Identity"]
    image = found.nodes["t"]
    assert {field: image[field] for field in ("op", "kind", "dtype", "parameters", "macs")} == {
        "op": "Input",
        "kind": "input",
        "dtype": "float32",
        "parameters": 0,
        "macs": 0,
    }
    assert image.keys() == found.nodes["l"].keys() and str(image["origin"]) == "model.yaml:1"


def test_networkx_has_arguments_and_ports_on_edges(graph: mg.Graph) -> None:
    found = graph.to_networkx()
    assert found.edges["l", "z"] == {
        "argument": "query",
        "port": "output",
        "edges": (("l", "z", "query", "output"),),
    }
    twice = found.edges["t", "z"]
    assert (twice["argument"], twice["port"]) == ("key, value", "")
    assert found.edges["e", "c"]["port"] == "city, job"
    assert [*found.predecessors("c")] == ["e", "l"]
    every = [edge for *_, edges in found.edges(data="edges") for edge in edges]
    assert sorted(every) == sorted(graph.edges)


@settings(max_examples=15)
@given(specs())
def test_edges_of_random_graphs(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    assert all(edge.source in graph and edge.target in graph.nodes for edge in graph.edges)
    assert nx.is_directed_acyclic_graph(graph.to_networkx())
    for name, node in graph.nodes.items():
        read = {edge.argument for edge in graph.edges if edge.target == name}
        assert read == node.sources.keys()
