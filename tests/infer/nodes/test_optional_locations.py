"""Faults of optional inputs and of outputs for training only are reported where `⟦code⟧` stands."""

from __future__ import annotations

import re

import pytest

from tests.helpers.marked import faults, locations, split

INPUTS = """\
inputs:
  x: [T, 4]
  y: {shape: [T, 4], optional: true}
  z: {shape: [T, 4], optional: true}
  real: {shape: [T], dtype: bool, optional: true}
"""
# a node on these inputs, whose source may be missing
NODES = {
    "a layer of two sources": "{layer: Bilinear, from: [x, ⟦optional-source⟧y], out_features: 3}",
    "by the name of the argument": "{layer: Bilinear, from: {input2: ⟦optional-source⟧y, input1: x}, out_features: 3}",
    "attention's key": "{layer: MultiheadAttention, from: {query: x, key: ⟦optional-source⟧y}, num_heads: 2}",
    "attention's value": "{layer: MultiheadAttention, from: {query: x, key: x, value: ⟦optional-source⟧y}, num_heads: 2}",
    "a presence that the first source needs too": "{layer: MultiheadAttention, from: [y, ⟦optional-source⟧z], num_heads: 2}",
    "a decoder's memory": "{layer: TransformerDecoderLayer, from: {tgt: x, memory: ⟦optional-source⟧y}, nhead: 2}",
    "a merge": "{merge: concat, from: [x, ⟦optional-source⟧y]}",
    "the first of a merge": "{merge: add, from: [⟦optional-source⟧y, x]}",
    "two that are optional": "{merge: add, from: [⟦optional-source⟧y, z]}",
    "the first that may be missing, once": "{merge: add, from: [x, ⟦optional-source⟧y, z]}",
    "a formula": "{merge: formula, expr: x * y, from: [x, ⟦optional-source⟧y]}",
    "a formula by names": "{merge: formula, expr: a * b, from: {a: x, b: ⟦optional-source⟧y}}",
    "a merge that takes a mask": "{merge: attention, from: {query: x, key: ⟦optional-source⟧y, value: x, mask: real}}",
    "a fusion": "{merge: gated, from: [x, ⟦optional-source⟧y], out_features: 3}",
    "a fusion that could skip": "{merge: weighted_sum, from: [x, ⟦optional-source⟧y]}",
    "a fusion of sequences": "{merge: cross_attention, from: {query: x, key: ⟦optional-source⟧y}, num_heads: 2}",
    "no missing: skip": "{merge: add, from: [x, y], missing: ⟦bad-option⟧keep}",
    "skipped and broadcast": "{merge: add, from: [x, y], missing: ⟦bad-option⟧skip, broadcast: true}",
    "a merge that cannot skip": "{merge: multiply, from: [x, y], ⟦unknown-option⟧missing: skip}",
    "a fusion that cannot skip": "{merge: gated, from: [x, y], out_features: 3, ⟦unknown-option⟧missing: skip}",
    "Fill without a value": "⟦missing-option⟧o: {layer: Fill, from: y}",
    "a value that does not exist": "{layer: Fill, from: y, value: ⟦bad-option⟧ones}",
    "present by its dtype": "{layer: Fill, from: {input: y, present: ⟦dtype-mismatch⟧x}, value: zeros}",
    "present by its rank": "{layer: Fill, from: {input: y, present: ⟦rank-mismatch⟧real}, value: zeros}",
    "learned lengths": "{layer: Fill, from: ⟦symbolic-size⟧y, value: learned}",
    "a learned bool": "{layer: Fill, from: ⟦dtype-mismatch⟧real, value: learned}",
    "in a seq": "{from: y, seq: [{Linear: 4}, {⟦optional-source⟧Fill: zeros}]}",
    "a fault of its own comes first": "{merge: add, from: [x, y, ⟦unknown-source⟧w]}",
}

CASES = {
    "an init that does not exist": "inputs: {x: [4], y: {shape: [4], optional: true}}\nnodes:\n  f: {layer: Fill, from: y, value: learned, init: ⟦bad-option⟧nothing}\noutputs: [f, x]\n",
    "a mask that is needed": "inputs: {x: [4], y: {shape: [4], dtype: bool, optional: true}}\nnodes:\n  f: {merge: masked_fill, from: [x, ⟦optional-source⟧y], value: 0}\noutputs: f\n",
    "a condition": "inputs: {x: [4], y: {shape: [4], dtype: bool, optional: true}}\nnodes:\n  f: {merge: where, from: [⟦optional-source⟧y, x, x]}\noutputs: f\n",
    "a node that is missing": "inputs: {x: [4], y: {shape: [4], optional: true}}\nnodes:\n  r: {layer: ReLU, from: y}\n  s: {merge: add, from: [x, ⟦optional-source⟧r]}\noutputs: s\n",
    "a reader of a fault stays silent": "inputs: {x: [4], y: {shape: [4], optional: true}}\nnodes:\n  s: {merge: add, from: [x, ⟦optional-source⟧y]}\n  t: {merge: add, from: [x, s, y]}\n  u: {layer: ReLU, from: t}\noutputs: [s, u]\n",
    "an output": "inputs: {x: [4], y: {shape: [4], optional: true}}\nnodes:\n  r: {layer: ReLU, from: y}\noutputs: {x: x, r: ⟦optional-source⟧r}\n",
    "an input that is an output": "inputs: {x: [4], y: {shape: [4], optional: true}}\nnodes:\n  r: {layer: ReLU, from: x}\noutputs: [r, ⟦optional-source⟧y]\n",
    "an output of training": "inputs: {x: [4], y: {shape: [4], optional: true}}\nnodes:\n  r: {layer: ReLU, from: y}\noutputs: {x: x, r: {from: ⟦optional-source⟧r, only: training}}\n",
    "a port": "inputs: {x: [4], y: {shape: [6, 4], optional: true}}\nnodes:\n  g: {layer: GRU, from: y, hidden_size: 4}\n  s: {merge: add, from: [x, ⟦optional-source⟧g.last]}\noutputs: s\n",
    "a port of an each": "inputs: {x: [4], y: {shape: [4], optional: true}}\nnodes:\n  e: {layer: Linear, each: [x, y], out_features: 4}\n  s: {merge: add, from: [e.x, ⟦optional-source⟧e.y]}\noutputs: s\n",
    "inside a block, once": "inputs: {x: [4], y: {shape: [4], optional: true}}\nblocks:\n  b: {inputs: [p, q], nodes: {s: {merge: add, from: [p, ⟦optional-source⟧q]}}, outputs: s}\nnodes:\n  a: {block: b, from: [x, y]}\n  c: {block: b, from: [a, y]}\n  d: {block: b, from: [x, x]}\noutputs: [a, c, d]\n",
    "the result of a block": "inputs: {x: [4], y: {shape: [4], optional: true}}\nblocks:\n  b: {inputs: [p, q], nodes: {s: {layer: ReLU, from: q}, t: {layer: ReLU, from: p}}, outputs: {s: s, t: t}}\nnodes:\n  a: {block: b, from: [x, y]}\noutputs: {t: a.t, s: ⟦optional-source⟧a.s}\n",
    "a block that runs on a missing input": "inputs: {x: [4], y: {shape: [4], optional: true}}\nblocks:\n  b: {inputs: [p, q], nodes: {s: {layer: ReLU, from: q}, t: {layer: ReLU, from: p}}, outputs: {s: s, t: t}}\nnodes:\n  a: {block: b, from: [y, x]}\noutputs: {x: x, s: ⟦optional-source⟧a.s}\n",
    "a missing output of a repeat": "inputs: {x: [4], y: {shape: [4], optional: true}}\nblocks:\n  b: {inputs: [p, q], nodes: {t: {merge: add, from: [p, q], missing: skip}, u: {layer: ReLU, from: q}}, outputs: {q: t, p: u}}\nnodes:\n  a: {block: b, from: [x, y], repeat: ⟦optional-source⟧2}\noutputs: {q: a.q, p: a.p}\n",
    "a shared repeat that fills": "inputs: {x: [4], y: {shape: [4], optional: true}}\nblocks:\n  b: {inputs: [p, q], nodes: {t: {merge: add, from: [p, q], missing: skip}}, outputs: {q: t, p: p}}\nnodes:\n  a: {block: b, from: [x, y], repeat: ⟦optional-source⟧{times: 2, shared: true}}\noutputs: {q: a.q, p: a.p}\n",
    "a length that only the optional input has": "inputs: {x: [4], y: {shape: [T, 4], optional: true}}\nnodes:\n  f: {layer: Fill, from: ⟦symbolic-size⟧y, value: zeros}\noutputs: [f, x]\n",
    "all are optional": "inputs:\n  ⟦bad-option⟧x: {shape: [4], optional: true}\n  y: {shape: [4], optional: true}\nnodes:\n  s: {merge: add, from: [x, y], missing: skip}\noutputs: s\n",
    "optional is no number": "inputs: {x: {shape: [4], optional: ⟦wrong-type⟧1}}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs: s\n",
    "optional by a param of another type": "params: {k: 1}\ninputs: {x: {shape: [4], optional: ⟦wrong-type⟧$k}}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs: s\n",
    "optional by an unknown param": "inputs: {x: {shape: [4], optional: $⟦unknown-param⟧k}}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs: s\n",
    "optional by a param": "params: {k: true}\ninputs:\n  ⟦bad-option⟧x: {shape: [4], optional: $k}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs: s\n",
    "optional in a block": "inputs: {x: [4]}\nblocks:\n  b: {inputs: {⟦bad-option⟧p: {shape: [C], optional: true}}, nodes: {s: {layer: ReLU, from: p}}, outputs: s}\nnodes:\n  a: {block: b, from: x}\noutputs: a\n",
    "all outputs are of training": "inputs: {x: [4]}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs:\n  ⟦bad-option⟧s: {from: s, only: training}\n  t: {from: x, only: training}\n",
    "only: of another value": "inputs: {x: [4]}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs: {s: {from: s, only: ⟦bad-option⟧eval}}\n",
    "only: of another type": "inputs: {x: [4]}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs: {s: {from: s, only: ⟦bad-option⟧true}}\n",
    "an output's doc of another type": "inputs: {x: [4]}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs: {s: {from: s, doc: ⟦wrong-type⟧3}}\n",
    "an output without a source": "inputs: {x: [4]}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs: {⟦missing-key⟧t: {only: training}, s: s}\n",
    "an output's unknown key": "inputs: {x: [4]}\nnodes:\n  s: {layer: ReLU, from: x}\noutputs: {s: {from: s, ⟦unknown-key⟧onyl: training}}\n",
    "only: in a block": "inputs: {x: [4]}\nblocks:\n  b: {inputs: [p], nodes: {s: {layer: ReLU, from: p}}, outputs: {s: s, p: {from: p, ⟦unknown-key⟧only: training}}}\nnodes:\n  a: {block: b, from: x}\noutputs: {s: a.s}\n",
}

LEGAL = {
    "a parameter is always present": "p: {parameter: [4], init: ones, batched: true}\n  m: {layer: Mean, from: y, dim: 1}\n  s: {merge: average, from: [m, p], missing: skip}\n  o: {layer: ReLU, from: s}",
    "missing together": "r: {layer: ReLU, from: y}\n  s: {merge: concat, from: [y, r]}\n  o: {layer: Fill, from: s, value: zeros}",
    "parameters need no fill": "p: {parameter: [4], init: zeros}\n  s: {merge: add, from: [y, p], broadcast: true}\n  o: {layer: Fill, from: s, value: zeros}",
    "a missing mask is left out": "o: {merge: mean_pool, from: {input: x, mask: real}}",
    "nothing to fill": "o: {layer: Fill, from: x, value: zeros}",
    "nothing to skip": "o: {merge: add, from: [x, x], missing: skip}",
    "missing: null": "o: {merge: add, from: [x, x], missing: null}",
}


@pytest.mark.parametrize("marked", NODES.values(), ids=NODES.keys())
def test_a_fault_of_a_node_is_reported_at_its_place(marked: str) -> None:
    text, expected = split(spec(marked if marked[0] != "{" else f"o: {marked}"))
    assert locations(text) == expected


@pytest.mark.parametrize("marked", CASES.values(), ids=CASES.keys())
def test_a_fault_is_reported_at_its_place(marked: str) -> None:
    text, expected = split(marked)
    assert locations(text) == expected


@pytest.mark.parametrize("nodes", LEGAL.values(), ids=LEGAL.keys())
def test_a_right_spec_has_no_fault(nodes: str) -> None:
    assert locations(spec(nodes)) == []


def spec(nodes: str) -> str:
    """Return the spec of nodes on the inputs that they name; `x` is always used."""
    words = {"inputs", "x", *re.findall(r"\w+", re.sub("⟦.*?⟧", "", nodes))}
    inputs = [line for line in INPUTS.splitlines() if line.partition(":")[0].strip() in words]
    return "\n".join([*inputs, "nodes:", f"  {nodes}", "outputs: {x: x, o: o}", ""])


def test_a_fault_labels_the_input_and_proposes_a_fill() -> None:
    (fault,) = faults(spec("o: {merge: add, from: [x, y]}"))
    assert fault.message == "y is optional: add must say what to do without it"
    assert [(label.span.line, label.text) for label in fault.labels] == [(3, "optional")]
    assert (
        fault.help == "fill it first: {layer: Fill, from: y, value: zeros}, or write missing: skip"
    )
