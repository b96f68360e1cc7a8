"""`merge: $fusion`: a param of the spec gives the name of a layer, merge, block or activation."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import mimgraph as mg
from mimgraph import layers
from tests.helpers.cases import each
from tests.helpers.marked import faults

SPEC = """
params: {fusion: joined, merge: add, layer: Tanh, activation: ReLU, width: 4}
inputs: {a: [5], b: [5]}
blocks:
  joined: {inputs: [x, y], nodes: {z: {merge: concat, from: [x, y]}}, outputs: z}
  gated_: {inputs: [x, y], nodes: {z: {merge: gated, from: [x, y], out_features: $width}}, outputs: z}
  narrow: {seq: [{Linear: $width}, $layer]}
nodes:
  block: {block: $fusion, from: [a, b]}
  merge: {merge: $merge, from: [a, b], activation: $activation}
  layer: {layer: $layer, from: a}
  items: {from: block, seq: [{Linear: {out_features: 5, activation: {$activation: {}}}}, $layer, narrow]}
  each: {layer: $layer, each: [a, b]}
outputs: {block: block, merge: merge, layer: layer, items: items, each: each.a}
"""
OTHERS = {"fusion": "gated_", "merge": "maximum", "layer": "Sigmoid", "activation": "GELU"}


def by_hand(params: dict[str, str]) -> mg.Graph:
    """Return the spec with the names written out."""
    text = SPEC
    for name, value in params.items():
        text = text.replace(f"${name}", value)
    return mg.loads(text)


def test_the_graph_equals_the_one_with_names_written_out() -> None:
    names = {"fusion": "joined", "merge": "add", "layer": "Tanh", "activation": "ReLU"}
    assert mg.loads(SPEC) == by_hand(names)


@each("name", [*OTHERS])
def test_an_override_names_another_op(name: str) -> None:
    chosen = mg.loads(SPEC, params={name: OTHERS[name]})
    names = {"fusion": "joined", "merge": "add", "layer": "Tanh", "activation": "ReLU"}
    assert chosen == by_hand({**names, name: OTHERS[name]})
    assert chosen != mg.loads(SPEC)


def test_a_dump_keeps_the_param() -> None:
    assert mg.loads(mg.loads(SPEC).dumps(), params=OTHERS) == by_hand(OTHERS)


def test_a_param_may_take_the_name_from_another_param() -> None:
    text = "params: {all: Tanh, one: $all}\ninputs: {a: [5]}\nnodes: {b: {layer: $one, from: a}}\noutputs: b\n"
    assert "sigmoid" in mg.loads(text, params={"all": "Sigmoid"}).source().lower()


@each("copied", [copy.deepcopy, lambda graph: pickle.loads(pickle.dumps(graph))])
def test_a_copied_graph_keeps_its_names(copied: Any) -> None:
    graph = mg.loads(SPEC)
    assert copied(graph) == graph
    assert mg.loads(copied(graph).dumps(), params=OTHERS) == by_hand(OTHERS)


def test_a_graph_used_as_a_layer_takes_the_name_as_a_param() -> None:
    x = mg.Input("x", (5,))
    part = mg.loads(SPEC)
    found = mg.Graph(part(**OTHERS)(x, x)["items"])
    expected = mg.Graph(by_hand(OTHERS)(x, x)["items"])
    assert "nn.Sigmoid()" in found.source() and "GELU" in found.source()
    assert found.summary().params == expected.summary().params
    assert mg.loads(found.dumps()) == found


def test_a_block_takes_a_name_from_the_params_of_the_spec() -> None:
    x = mg.Input("x", (5,))
    block = mg.loads(SPEC, params=OTHERS).blocks["narrow"]
    expected = mg.Sequential(layers.Linear(4), layers.Sigmoid())(x, name="y")
    assert mg.Graph(block(x, name="y")).shapes["y"] == expected.shape
    assert "nn.Sigmoid()" in mg.Graph(block(x, name="y")).source()


def test_a_fault_in_a_block_names_its_item() -> None:
    (fault,) = faults("""
inputs: {a: [5]}
blocks:
  p: {params: {l: ReLU}, seq: [{Linear: 5}, $l]}
nodes:
  c: {block: p, from: a, l: Tanh}
outputs: c
""")
    assert fault.node == "p.1"


def test_no_param_names_the_module_that_is_shared() -> None:
    (fault,) = faults("""
params: {s: c}
inputs: {a: [5], b: [5]}
nodes:
  c: {layer: ReLU, from: a}
  d: {share: $s, from: b}
outputs: [c, d]
""")
    assert fault.message == "no input or node is called '$s'"
    assert (fault.code, fault.span.line, fault.span.column) == ("unknown-source", 6, 14)
