"""`merge: $fusion`: a param of the spec gives the name of a layer, merge, block or activation."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import mimgraph as mg
from mimgraph import layers
from tests.helpers.marked import faults, locations, split

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


@pytest.mark.parametrize("name", OTHERS)
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


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda graph: pickle.loads(pickle.dumps(graph))])
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


HEAD = "inputs: {a: [5], b: [5]}\nnodes:\n  c: "
CASES = {
    "a merge that does not exist": "params: {m: ad}\n"
    + HEAD
    + "{merge: ⟦unknown-merge⟧$m, from: [a, b]}\noutputs: c\n",
    "a layer that does not exist": "params: {l: Relu}\n"
    + HEAD
    + "{layer: ⟦unknown-layer⟧$l, from: a}\n  d: {merge: add, from: [b, c]}\noutputs: d\n",
    "a block that does not exist": "params: {f: join}\n"
    + HEAD
    + "{block: ⟦unknown-block⟧$f, from: [a, b]}\noutputs: c\n",
    "an activation that does not exist": "params: {f: Relu}\n"
    + HEAD
    + "{merge: add, from: [a, b], activation: ⟦unknown-layer⟧$f}\noutputs: c\n",
    "an activation that is none": "params: {f: Linear}\n"
    + HEAD
    + "{merge: add, from: [a, b], activation: {⟦bad-option⟧$f: {}}}\noutputs: c\n",
    "an item that does not exist": "params: {l: Relu}\n"
    + HEAD
    + "{seq: [{Linear: 5}, ⟦unknown-layer⟧$l, {⟦unknown-layer⟧$l: 3}], from: a}\n  d: {merge: add, from: [b, c]}\noutputs: d\n",
    "an option that the layer chosen does not have": "params: {l: ReLU}\n"
    + HEAD
    + "{layer: $l, from: a, ⟦unknown-option⟧alpha: 1}\n  d: {merge: add, from: [b, c]}\noutputs: d\n",
    "a number": "params: {m: 3}\n" + HEAD + "{merge: ⟦wrong-type⟧$m, from: [a, b]}\noutputs: c\n",
    "an expression": "params: {m: 3}\n"
    + HEAD
    + "{merge: ⟦wrong-type⟧$(m + 1), from: [a, b]}\noutputs: c\n",
    "a list": "params: {m: [add]}\n" + HEAD + "{merge: ⟦wrong-type⟧$m, from: [a, b]}\noutputs: c\n",
    "a param that does not exist": HEAD
    + "{merge: $⟦unknown-param⟧m, from: [a, b]}\n  d: {layer: ReLU, from: c}\noutputs: d\n",
    "what is no expression": HEAD + "{merge: $(m ⟦bad-expression⟧m), from: [a, b]}\noutputs: c\n",
    "a param that is faulty is told once": "params: {m: $⟦unknown-param⟧n}\n"
    + HEAD
    + "{merge: $m, from: [a, b]}\noutputs: c\n",
    "a share": "params: {s: c}\n"
    + HEAD
    + "{layer: ReLU, from: a}\n  d: {share: ⟦unknown-source⟧$s, from: b}\noutputs: [c, d]\n",
    "the param of a block": "inputs: {a: [5]}\nblocks:\n  p: {params: {l: ReLU}, seq: [{Linear: 5}, $⟦bad-expression⟧l]}\nnodes:\n  c: {block: p, from: a, l: Tanh}\noutputs: c\n",
    "the size of a pattern": "inputs: {a: [5]}\nblocks:\n  p: {inputs: {x: [C]}, nodes: {y: {layer: $⟦bad-expression⟧C, from: x}}, outputs: y}\nnodes:\n  c: {block: p, from: a}\noutputs: c\n",
    "blocks in a ring": "params: {f: q}\ninputs: {a: [5]}\nblocks:\n  ⟦cycle⟧p: {inputs: [x], nodes: {y: {block: $f, from: x}}, outputs: y}\n  q: {seq: [p]}\nnodes:\n  b: {block: p, from: a}\noutputs: b\n",
    "faults of the block that is not chosen": "params: {f: p}\ninputs: {a: [5]}\nblocks:\n  p: {seq: [ReLU]}\n  q: {seq: [⟦unknown-layer⟧Relu]}\nnodes:\n  b: {block: $f, from: a}\noutputs: b\n",
}


@pytest.mark.parametrize("marked", CASES.values(), ids=CASES)
def test_each_fault_is_reported_at_its_place(marked: str) -> None:
    text, expected = split(marked)
    assert sorted(locations(text)) == sorted(expected)


def test_messages_of_wrong_names() -> None:
    text, _ = split(CASES["a merge that does not exist"])
    (fault,) = faults(text)
    assert (fault.message, fault.help) == ("no merge is called 'ad'", "did you mean add?")
    text, _ = split(CASES["a number"])
    assert faults(text)[0].message == "$m must be the name of a merge, but it is 3"
    text, _ = split(CASES["the param of a block"])
    (fault,) = faults(text)
    assert fault.message == "l is the block's own, and cannot give the name of a layer"
    assert fault.node == "p.1"
