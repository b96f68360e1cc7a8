"""`graph.nodes` has every node by name, with what was inferred about it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.inspection.nodes import Node
from tests.conftest import ROOT
from tests.helpers.strategies import Spec, specs, to_yaml

SPEC = """\
params: {w: 4}
inputs: {x: [8], ids: {vocab: 10}, city: {vocab: 5}, t: [T, 8], image: [3, 8, 8]}
blocks:
  b: {params: {n: 3}, inputs: {v: [C]}, nodes: {f: {layer: Linear, from: v, out_features: $n}, g: {layer: ReLU, from: f}}, outputs: g}
  chain: {inputs: [v], seq: [{Linear: 3}, Tanh]}
  cell: {inputs: [x, h], nodes: {s: {merge: concat, from: [x, h]}, y: {layer: Linear, from: s, out_features: 8}}, outputs: {y: y, h: y}}
nodes:
  a: {layer: Linear, from: x, out_features: $w, activation: {GELU: {approximate: tanh}}}
  s: {share: a, from: x}
  q: {from: s, seq: [{Linear: 4}, {Dropout: 0.5}]}
  m: {merge: add, from: [a, q]}
  u: {block: b, from: m}
  r: {block: b, from: u, repeat: {times: 3, with: {n: [5, 6, 7]}}}
  k: {block: chain, from: u}
  e: {each: [ids, city], layer: Embedding, embedding_dim: 3}
  p: {parameter: [3], init: zeros}
  c: {merge: concat, from: [e.ids, e.city, r]}
  l: {layer: LSTM, from: t, hidden_size: $(2 * w), take: last}
  z: {merge: attention, from: {query: t, key: l.output, value: l.output}}
  fu: {merge: gated, from: [c, l], out_features: 5}
  o: {layer: Linear, from: t, over: 1, out_features: 8}
  h: {layer: Linear, from: x, out_features: 8, freeze: true}
  n: {scan: cell, over: {x: 1}, carry: {h: h}, from: {x: t}}
  conv: {layer: Conv2d, from: image, out_channels: 4, kernel_size: 3}
outputs: {c: c, k: k, p: p, z: z, fu: fu, o: o, n: n.y, conv: conv}
"""


@pytest.fixture(scope="module")
def graph() -> mg.Graph:
    return mg.loads(SPEC, name="specs/model.yaml")


KINDS = {
    "a": "layer Linear",
    "s": "share Linear",
    "q": "seq seq",
    "m": "merge add",
    "u": "block b",
    "r": "block b",
    "e": "each Embedding",
    "p": "tensor parameter",
    "fu": "merge gated",
    "n": "scan cell",
    "r.2": "block b",
    "r.2.f": "layer Linear",
    "k.1": "layer Tanh",
    "q.0": "layer Linear",
    "e.city": "layer Embedding",
    "n.y": "layer Linear",
}


def test_a_node_has_its_kind_and_op(graph: mg.Graph) -> None:
    assert {name: f"{graph.nodes[name].kind} {graph.nodes[name].op}" for name in KINDS} == KINDS


LINEAR = {"bias": True, "weight_norm": False, "spectral_norm": False}
GELU = {"GELU": {"approximate": "tanh"}}
OPTIONS: dict[str, dict[str, Any]] = {
    "a": {"in_features": 8, "out_features": 4, **LINEAR, "activation": GELU},
    "s": {"in_features": 8, "out_features": 4, **LINEAR, "activation": GELU, "share": "a"},
    "q": {},
    "u": {"n": 3},
    "r": {"n": (5, 6, 7), "repeat": 3},
    "r.1": {"n": 6},
    "r.1.f": {"in_features": 5, "out_features": 6, **LINEAR},
    "h": {"in_features": 8, "out_features": 8, **LINEAR, "freeze": True},
    "o": {"in_features": 8, "out_features": 8, **LINEAR, "over": 1},
    "n": {"over": {"x": 1}, "carry": ("h",)},
    "fu": {"out_features": 5, "gate": "sigmoid", "bias": True},
}


def test_options_are_resolved(graph: mg.Graph) -> None:
    assert {name: graph.nodes[name].options for name in OPTIONS} == OPTIONS


def test_numbers_in_options_are_those_of_python(graph: mg.Graph) -> None:
    assert type(graph.nodes["l"].options["hidden_size"]) is int
    assert graph.nodes["l"].options["take"] == "last"
    assert graph.nodes["e"].options["num_embeddings"] == (10, 5)


SOURCES = {
    "a": {"input": "x"},
    "m": {"0": "a", "1": "q"},
    "c": {"0": "e.ids", "1": "e.city", "2": "r"},
    "z": {"query": "t", "key": "l.output", "value": "l.output"},
    "fu": {"0": "c", "1": "l"},
    "u": {"v": "m"},
    "n": {"x": "t", "h": "h"},
    "e": {"ids": "ids", "city": "city"},
    "p": {},
    "u.g": {"input": "f"},
    "q.1": {"input": "0"},
}


def test_sources_are_named_by_argument(graph: mg.Graph) -> None:
    assert {name: graph.nodes[name].sources for name in SOURCES} == SOURCES


def test_shapes_and_ports(graph: mg.Graph) -> None:
    lstm, each = graph.nodes["l"], graph.nodes["e"]
    assert (str(lstm.shape), lstm.dtype) == ("(N, 8)", "float32")
    assert {name: str(type_.shape) for name, type_ in lstm.ports.items()}["output"] == "(N, T, 8)"
    assert (each.shape, each.dtype, [*each.ports]) == (None, None, ["ids", "city"])
    assert repr(each.ports) == "{'ids': <(N, 3) float32>, 'city': <(N, 3) float32>}"
    assert not graph.nodes["a"].ports
    for name, shape in graph.shapes.items():
        head, _, port = name.partition(".")
        if head in graph.nodes:
            node = graph.nodes[head]
            assert shape == (node.ports[port].shape if port else node.shape)


def test_nodes_inside(graph: mg.Graph) -> None:
    inside = {name: [*node.nodes] for name, node in graph.nodes.items() if node.nodes}
    assert inside == {
        "q": ["0", "1"],
        "u": ["f", "g"],
        "r": ["0", "1", "2"],
        "k": ["0", "1"],
        "e": ["ids", "city"],
        "n": ["s", "y"],
    }
    assert graph.nodes["u.f"] is graph.nodes["u"].nodes["f"]
    assert graph.nodes["r.f"] == graph.nodes["r.0.f"] != graph.nodes["r.2.f"]


def walked(nodes: Mapping[str, Node]) -> Iterator[Node]:
    for node in nodes.values():
        yield node
        yield from walked(node.nodes)


def test_paths_are_keys_of_the_state_dict(graph: mg.Graph) -> None:
    modules = dict(graph.compile().named_modules())
    for node in walked(graph.nodes):
        if node.path in modules and node.kind == "layer":
            parameters = sum(p.numel() for p in modules[node.path].parameters())
            assert parameters == node.parameters, node.path
    assert graph.nodes["r.f"].path == "r.0.f"
    leaves = [node for node in walked(graph.nodes) if not node.nodes]
    assert sum(node.parameters for node in leaves) == graph.summary().params
    assert graph.nodes["r.2.f"].path in modules and graph.nodes["e.city"].path in modules


def test_numbers_are_those_of_the_summary(graph: mg.Graph) -> None:
    def compare(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["layer"] != "Input":
                node = graph.nodes[row["name"]]
                assert (node.parameters, node.macs) == (row["params"], row["macs"]), row["name"]
                compare(row.get("children", []))

    compare(graph.summary().data())
    assert graph.nodes["s"].parameters == 0 and graph.nodes["o"].macs == "64*T"


def test_origins(graph: mg.Graph) -> None:
    origin = graph.nodes["a"].origin
    assert str(origin) == "model.yaml:8" and origin.file == "specs/model.yaml"
    assert (origin.line, origin.span.column) == (8, 3)
    assert graph.nodes["r.2.f"].origin.line == 4


def test_a_line_says_what_a_node_is(graph: mg.Graph) -> None:
    assert repr(graph.nodes["h"]) == "<Node h: Linear(out_features=8, freeze=True) of x -> (N, 8)>"
    assert repr(graph.nodes["r.1"].nodes) == "<Nodes f, g>"
    assert all("\n" not in repr(node) for node in walked(graph.nodes))


def test_a_name_that_no_node_has_is_a_key_error(graph: mg.Graph) -> None:
    names: Any = ["cnv", "u.h", "r.3", "r.03", "r.-1", "a.0", "u.", ".u", "", "fu.x", 3]
    assert [name for name in names if name in graph.nodes or graph.nodes.get(name)] == []
    for name in names:
        with pytest.raises(KeyError, match="no node"):
            graph.nodes[name]


MESSAGES = {
    "cnv": "no node is called 'cnv': did you mean conv?",
    "u.ff": "no node is called 'u.ff'",
    "image": "image is an input and no node: graph.inputs['image']",
}


def test_the_error_says_what_to_write(graph: mg.Graph) -> None:
    for name, message in MESSAGES.items():
        with pytest.raises(KeyError) as error:
            graph.nodes[name]
        assert str(error.value) == message


def test_a_node_is_frozen_and_hashable(graph: mg.Graph) -> None:
    node: Any = graph.nodes["r"]
    with pytest.raises(FrozenInstanceError):
        node.op = "ReLU"
    for mapping in (graph.nodes, node.options, node.sources, node.ports, node.nodes):
        with pytest.raises(TypeError):
            mapping["a"] = 1
    assert len({*graph.nodes.values(), *mg.loads(SPEC).nodes.values()}) == len(graph.nodes)


def test_the_order_of_nodes_makes_no_difference() -> None:
    lines = SPEC.splitlines()
    lines.insert(8, lines.pop(9))
    graph, other = mg.loads(SPEC), mg.loads("\n".join(lines))
    assert [*graph.nodes] != [*other.nodes]
    assert graph.nodes == other.nodes and hash(graph.nodes) == hash(other.nodes)


def test_nodes_pickle_with_what_is_inside(graph: mg.Graph) -> None:
    copied = pickle.loads(pickle.dumps(graph.nodes))
    assert copied == graph.nodes and copied["r.2.f"] == graph.nodes["r.2.f"]
    assert [(n.parameters, n.macs, str(n.origin)) for n in copied.values()] == [
        (n.parameters, n.macs, str(n.origin)) for n in graph.nodes.values()
    ]


def test_nodes_of_python_are_equal_to_those_of_the_spec() -> None:
    x = mg.Input("x", (3, 8, 8))
    y = layers.Conv2d(4, 3, activation="ReLU")(x, name="conv")
    z = mg.Sequential(layers.Flatten(), layers.Linear(2))(y, name="head")
    graph = mg.Graph(merges.concat(z, layers.Linear(2)(z), name="out"))
    assert graph.nodes == mg.loads(graph.dumps()).nodes
    assert str(graph.nodes["conv"].origin).startswith(f"{Path(__file__).name}:")
    assert [*graph.nodes] == ["conv", "head", "linear", "out"]


def test_a_stage_has_the_nodes_of_its_part(graph: mg.Graph) -> None:
    whole = mg.load(ROOT / "specs" / "residual_cnn.yaml")
    stages = whole.split(2)
    names = [name for stage in stages for name in stage.nodes]
    assert set(whole.nodes) == set(names)
    assert all(str(n.origin).startswith("residual_cnn.yaml") for n in stages[1].nodes.values())


@settings(max_examples=25)
@given(specs())
def test_every_node_of_a_random_graph_can_be_looked_at(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    for node in walked(graph.nodes):
        assert repr(node) and hash(node) is not None and node.parameters >= 0
        assert node.macs is None or isinstance(node.macs, int | str)
    copied = pickle.loads(pickle.dumps(graph.nodes))
    assert copied == graph.nodes == mg.loads(graph.dumps()).nodes
