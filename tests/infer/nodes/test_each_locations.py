"""Faults of an `each` are reported once, at the place that `⟦code⟧` marks in the spec."""

from __future__ import annotations

import pytest

from tests.helpers.marked import locations, split

HEAD = """\
inputs: {a: [4], b: [4], city: {vocab: 9}}
blocks:
  tower: {params: {width: 3}, seq: [{Linear: $width}, ReLU]}
  two:
    inputs: [x]
    nodes: {u: {layer: Linear, from: x, out_features: 2}, v: {layer: ReLU, from: x}}
    outputs: [u, v]
nodes:
  city_vec: {layer: Embedding, from: city, embedding_dim: 4}
  plain: {layer: Linear, from: city_vec, out_features: 2}
  pair: {layer: Linear, each: [a, b], out_features: 2}
"""
TAIL = "  all: {merge: concat, from: [a, b, plain, pair.*, e.a]}\noutputs: all\n"

# a faulty node `e` between right nodes
CASES = {
    # its sources
    "from beside each": "{layer: Linear, each: [a, b], ⟦unknown-key⟧from: a, out_features: 3}",
    "no source": "{layer: Linear, each: [], out_features: 3}",
    "no sources by name": "{layer: Linear, each: {}, out_features: 3}",
    "a number without a source": "{layer: Linear, each: 3, out_features: 3}",
    "a fraction": "{layer: Linear, each: ⟦wrong-type⟧1.5, out_features: 3}",
    "nothing": "{layer: Linear, each: ⟦wrong-type⟧null, out_features: 3}",
    "a list in a list": "{layer: Linear, each: [⟦wrong-type⟧[a]], out_features: 3}",
    "several for one port": "{layer: Linear, each: {x: ⟦wrong-type⟧[a, b]}, out_features: 3}",
    "unknown source": "{layer: Linear, each: [a, ⟦unknown-source⟧zz], out_features: 3}",
    "unknown source by name": "{layer: Linear, each: {a: ⟦unknown-source⟧zz}, out_features: 3}",
    "unknown port of a source": "{layer: Linear, each: [a, pair.⟦unknown-port⟧zz], out_features: 3}",
    "all ports of a node with one result": "{layer: Linear, each: [a, b.⟦unknown-port⟧*], out_features: 3}",
    "a source of several results": "{layer: Linear, each: [a, ⟦unknown-port⟧pair], out_features: 3}",
    "itself": "{layer: Linear, each: [a, e.a], out_features: 3}",
    "a shape that does not fit": "{layer: Conv1d, each: [⟦rank-mismatch⟧a, ⟦rank-mismatch⟧b], out_channels: 3, kernel_size: 1}",
    "one dtype that does not fit": "{layer: Linear, each: [a, ⟦dtype-mismatch⟧city], out_features: 3}",
    "a vocabulary that is not known": "{layer: Embedding, each: [⟦dtype-mismatch⟧a], embedding_dim: 3, num_embeddings: 5}",
    # its ports
    "a source twice": "{layer: Linear, each: [a, ⟦duplicate-name⟧a], out_features: 3}",
    "two ports with one name": "{layer: Linear, each: [a, ⟦duplicate-name⟧pair.a], out_features: 3}",
    "a name twice": "{layer: Linear, each: {a: a, ⟦duplicate-key⟧a: b}, out_features: 3}",
    "a name that is not allowed": "{layer: Linear, each: {a: a, ⟦bad-name⟧x-y: b}, out_features: 3}",
    "a keyword of Python as a name": "{layer: Linear, each: {a: a, ⟦bad-name⟧__init__: b}, out_features: 3}",
    "a name with a dot": "{layer: Linear, each: {a: a, ⟦bad-name⟧x.y: b}, out_features: 3}",
    "a name that is empty": '{layer: Linear, each: {a: a, ⟦bad-name⟧"": b}, out_features: 3}',
    # its operation
    "nothing to do": "{each: [a, b]}",
    "two things to do": "{layer: Linear, ⟦unknown-key⟧merge: add, each: [a, b]}",
    "each of a parameter": "{parameter: [3], ⟦unknown-key⟧each: [a, b], init: zeros}",
    "each of a buffer": "{buffer: [3], ⟦unknown-key⟧each: [a, b], init: zeros}",
    "each of an arange": "{arange: a, ⟦unknown-key⟧each: [a, b], dim: 1}",
    "each in a chain": "{from: a, seq: [{Linear: {out_features: 3, ⟦unknown-option⟧each: [b]}}]}",
    "unknown layer": "{layer: ⟦unknown-layer⟧Liner, each: [a, b]}",
    "unknown block": "{block: ⟦unknown-block⟧towr, each: [a, b]}",
    "a merge of one": "{merge: concat, each: [a, b]}",
    "a block of several results": "{block: two, each: [a, b]}",
    "an unknown take": "{block: two, each: [a, b], take: ⟦unknown-port⟧w}",
    "an unknown take of a layer": "{layer: Linear, each: [a, b], out_features: 3, take: ⟦unknown-port⟧w}",
    "repeat of a layer": "{layer: Linear, each: [a, b], out_features: 3, ⟦unknown-option⟧repeat: 2}",
    "unknown activation": "{layer: Linear, each: [a, b], out_features: 3, activation: ⟦unknown-layer⟧Rlu}",
    # its options
    "unknown option": "{layer: Linear, each: [a, b], ⟦unknown-option⟧out_feature: 3}",
    "missing option": "{layer: Linear, each: [a, b]}",
    "bad option": "{layer: Linear, each: [a, b], out_features: ⟦bad-option⟧0}",
    "unknown param": "{layer: Linear, each: [a, b], out_features: $⟦unknown-param⟧width}",
    "unknown option in a chain": "{each: [a, b], seq: [{Linear: {⟦unknown-option⟧width: 3}}]}",
    # with
    "with a list": "{layer: Linear, each: [a, b], with: ⟦wrong-type⟧[3, 4]}",
    "with no list": "{layer: Linear, each: [a, b], with: {out_features: ⟦bad-option⟧3}}",
    "with a list too short": "{layer: Linear, each: [a, b], with: {out_features: ⟦bad-option⟧[3]}}",
    "with a list too long": "{layer: Linear, each: [a, b], with: {out_features: ⟦bad-option⟧[3, 4, 5]}}",
    "with an empty list": "{layer: Linear, each: [a, b], with: {out_features: ⟦bad-option⟧[]}}",
    "with a wrong value": "{layer: Linear, each: [a, b], with: {out_features: [3, ⟦bad-option⟧x]}}",
    "with an unknown option": "{layer: Linear, each: [a, b], with: {⟦unknown-option⟧out_feature: [3, 4]}}",
    "with an unknown param": "{layer: Linear, each: [a, b], with: {out_features: $⟦unknown-param⟧widths}}",
    "with a param that the block does not have": "{block: tower, each: [a, b], with: {⟦unknown-option⟧widht: [3, 4]}}",
    "with a key of the node": "{block: tower, each: [a, b], with: {⟦unknown-option⟧repeat: [3, 4]}}",
    "with an activation": "{layer: Linear, each: [a, b], out_features: 3, with: {⟦unknown-option⟧activation: [ReLU, Tanh]}}",
    "with an option that is given beside it": "{layer: Linear, each: [a, b], out_features: 3, with: {⟦duplicate-key⟧out_features: [3, 4]}}",
    "with a param that is given after it": "{block: tower, each: [a, b], with: {width: [3, 4]}, ⟦duplicate-key⟧width: 3}",
    "with, of a chain": "{each: [a, b], seq: [{Linear: 3}], ⟦unknown-key⟧with: {out_features: [3, 4]}}",
    "with, of a share": "{share: plain, each: [a, b], ⟦unknown-option⟧with: {out_features: [3, 4]}}",
    "with, without each": "{layer: Linear, from: a, ⟦unknown-option⟧with: {out_features: [3]}}",
    # share
    "share of an each": "{share: ⟦unknown-port⟧pair, from: a}",
    "share of an unknown item": "{share: pair.⟦unknown-port⟧zz, from: a}",
    "share of the weight of an item": "{share: pair.⟦unknown-port⟧a.weight, from: a}",
    "each shares an each that lacks an item": "{share: ⟦unknown-port⟧pair, each: {a: a, zz: b}}",
    "each shares itself": "{share: e, each: [a, b]}",
    "each shares an unknown node": "{share: ⟦unknown-source⟧pairs, each: [a, b]}",
    "a shape that the shared module does not take": "{share: pair, each: {a: ⟦shape-mismatch⟧plain, b: b}}",
}
AT_THE_NODE = {
    "no source": "wrong-arity",
    "no sources by name": "wrong-arity",
    "a number without a source": "missing-key",
    "itself": "cycle",
    "nothing to do": "missing-key",
    "a merge of one": "wrong-arity",
    "a block of several results": "unknown-port",
    "missing option": "missing-option",
    "each shares itself": "cycle",
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_of_an_each_is_reported_once_at_its_place(name: str) -> None:
    mark = f"⟦{AT_THE_NODE[name]}⟧" if name in AT_THE_NODE else ""
    text, expected = split(f"{HEAD}  {mark}e: {CASES[name]}\n{TAIL}")
    assert expected
    assert locations(text) == expected


# whole lists of nodes
GRAPHS = {
    "a reader of a faulty each stays silent": """\
  e: {layer: Linear, each: [a, b], out_features: ⟦bad-option⟧0}
  f: {layer: Linear, each: e.*, out_features: 2}
  g: {share: e, each: {a: a, zz: b}}
  h: {share: e.zz, from: a}
  all: {merge: concat, from: [e.zz, f.*, g.a, h, plain, pair.*]}
outputs: all
""",
    "a cycle through a share of one": """\
  ⟦cycle⟧e: {layer: Linear, each: [a, f], out_features: 4}
  f: {share: e.a, from: b}
  all: {merge: concat, from: [e.*, plain, pair.*]}
outputs: all
""",
    "a shape that the shared module does not take": """\
  e: {share: pair.a, from: ⟦shape-mismatch⟧plain}
  all: {merge: concat, from: [e, pair.*]}
outputs: all
""",
    "shares in a ring": """\
  ⟦cycle⟧e: {share: f, each: [a]}
  f: {share: e, each: [a]}
  all: {merge: concat, from: [e.*, b, plain, pair.*]}
outputs: all
""",
    "unknown ports": """\
  e: {merge: concat, from: [⟦unknown-port⟧pair, pair.⟦unknown-port⟧c, pair.⟦unknown-port⟧weight, plain]}
outputs: {y: ⟦unknown-port⟧pair, z: pair.⟦unknown-port⟧city, e: e}
""",
    "an unused each is one fault": """\
  ⟦unused-node⟧e: {layer: Linear, each: [a, b], out_features: 2}
  all: {merge: concat, from: [plain, pair.*]}
outputs: all
""",
    "all ports as outputs need names": """\
outputs: [plain, ⟦wrong-type⟧pair.*]
""",
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_with_an_each_reports_its_faults(name: str) -> None:
    text, expected = split(HEAD + GRAPHS[name])
    assert locations(text) == expected


def test_a_fault_in_a_block_of_an_each_is_reported_once_in_the_block() -> None:
    text, expected = split(
        "inputs: {a: [4], b: [5]}\n"
        "blocks:\n  p: {seq: [{⟦rank-mismatch⟧Conv1d: {out_channels: 3, kernel_size: 1}}]}\n"
        "nodes:\n  e: {block: p, each: [a, b]}\n  f: {merge: concat, from: e.*}\noutputs: f\n"
    )
    assert locations(text) == expected
