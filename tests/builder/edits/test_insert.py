"""`graph.insert` puts a layer between a result and all that reads it, `graph.remove` takes one away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import mimgraph as mg
from mimgraph import layers
from tests.helpers.edited import GRAPH, changed_keys, changed_lines

STEM = "- stem: {from: image, seq: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU, {MaxPool2d: 2}]}"

# the lines of the spec that an edit changes
CASES: dict[str, tuple[Callable[[], mg.Graph], list[str]]] = {
    "after a node, whose readers may be outputs": (
        lambda: GRAPH.insert("drop", layers.Linear(8)),
        [
            "+ linear: {layer: Linear, from: drop, out_features: 8}",
            "- fused: {merge: concat, from: [drop, fc2, mean, emb.*]}",
            "+ fused: {merge: concat, from: [linear, fc2, mean, emb.*]}",
            "- outputs: {score: head, last: drop}",
            "+ outputs: {score: head, last: linear}",
        ],
    ),
    "after an input": (
        lambda: GRAPH.insert("words", layers.Linear(8), name="projected"),
        [
            "+ projected: {layer: Linear, from: words, out_features: 8}",
            "- lstm: {layer: LSTM, from: words, hidden_size: 8}",
            "+ lstm: {layer: LSTM, from: projected, hidden_size: 8}",
            "- read: {layer: MultiheadAttention, from: {query: lstm, key: words, value: words}, num_heads: 2}",
            "+ read:",
            "+ layer: MultiheadAttention",
            "+ from: {query: lstm, key: projected, value: projected}",
            "+ num_heads: 2",
        ],
    ),
    "after an input that a share reads": (
        lambda: GRAPH.insert("numeric", layers.BatchNorm1d()),
        [
            "+ batch_norm1d: {layer: BatchNorm1d, from: numeric}",
            "- fc1: {layer: Linear, from: numeric, out_features: $hidden, activation: ReLU}",
            "+ fc1: {layer: Linear, from: batch_norm1d, out_features: $hidden, activation: ReLU}",
            "- fc2: {share: fc1, from: numeric}",
            "+ fc2: {share: fc1, from: batch_norm1d}",
        ],
    ),
    "after a port, whose readers keep the names of their results": (
        lambda: GRAPH.insert("lstm.last", layers.Dropout(0.1)),
        [
            "+ dropout: {layer: Dropout, from: lstm.last, p: 0.1}",
            "- emb: {layer: Linear, each: [small, lstm.last], with: {out_features: [3, 4]}}",
            "+ emb: {layer: Linear, each: {small: small, last: dropout}, with: {out_features: [3, 4]}}",
        ],
    ),
    "after an item of a seq": (
        lambda: GRAPH.insert("stem.0", layers.BatchNorm2d()),
        [
            STEM,
            "+ stem:",
            "+ from: image",
            "+ seq:",
            "+ - Conv2d: {out_channels: 4, kernel_size: 3}",
            "+ - BatchNorm2d",
            "+ - ReLU",
            "+ - MaxPool2d: 2",
        ],
    ),
    "several after an item of a seq": (
        lambda: GRAPH.insert("small.1", mg.Sequential(layers.Dropout(0.1), layers.Linear(8))),
        ["+ - Dropout: 0.1", "+ - Linear: 8"],
    ),
    "after an input of a block": (
        lambda: GRAPH.insert("deep.x", layers.BatchNorm2d()),
        [
            "+ batch_norm2d: {layer: BatchNorm2d, from: x}",
            "- a: {block: residual, from: x}",
            "+ a: {block: residual, from: batch_norm2d}",
        ],
    ),
    "after the last node of a block": (
        lambda: GRAPH.insert("deep.b", layers.BatchNorm2d(), name="norm"),
        ["+ norm: {layer: BatchNorm2d, from: b}", "- outputs: b", "+ outputs: {b: norm}"],
    ),
    "remove a node": (
        lambda: GRAPH.remove("drop"),
        [
            "- drop: {layer: Dropout, from: flat}",
            "- fused: {merge: concat, from: [drop, fc2, mean, emb.*]}",
            "+ fused: {merge: concat, from: [flat, fc2, mean, emb.*]}",
            "- outputs: {score: head, last: drop}",
            "+ outputs: {score: head, last: flat}",
        ],
    ),
    "remove the only use of a block": (
        lambda: GRAPH.remove("small"),
        [
            "- narrow:",
            "- params: {width: null}",
            "- inputs: [x]",
            "- seq:",
            "- - Linear: $width",
            "- - ReLU",
            "- small: {block: narrow, from: fc1, width: 8}",
            "- emb: {layer: Linear, each: [small, lstm.last], with: {out_features: [3, 4]}}",
            "+ emb: {layer: Linear, each: {small: fc1, last: lstm.last}, with: {out_features: [3, 4]}}",
        ],
    ),
    "remove an item of a seq": (
        lambda: GRAPH.remove("stem.1"),
        [
            STEM,
            "+ stem: {from: image, seq: [{Conv2d: {out_channels: 4, kernel_size: 3}}, {MaxPool2d: 2}]}",
        ],
    ),
    "remove a node of a block": (
        lambda: GRAPH.remove("deep.b"),
        [
            "- params: {hidden: 64, kind: residual}",
            "+ params: {hidden: 64}",
            "- b: {block: $kind, from: a}",
            "- outputs: b",
            "+ outputs: {b: a}",
        ],
    ),
    "remove the head, whose output keeps its name": (
        lambda: GRAPH.remove("head"),
        [
            "- head: {layer: Linear, from: fused, out_features: 2}",
            "- outputs: {score: head, last: drop}",
            "+ outputs: {score: fused, last: drop}",
        ],
    ),
}


def test_readers_read_another_result() -> None:
    found = {}
    for case, (edit, _) in CASES.items():
        new = edit()
        found[case] = changed_lines(new)
        assert mg.loads(new.dumps()) == new, case
        assert new.source()
    assert found == {case: lines for case, (_, lines) in CASES.items()}


def test_the_weights_of_all_other_layers_keep_their_keys() -> None:
    new = GRAPH.insert("stage.conv", layers.BatchNorm2d())
    gone, added = changed_keys(new)
    assert not gone
    assert {key.rpartition(".")[0] for key in added} == {
        "stage.0.batch_norm2d",
        "stage.1.batch_norm2d",
    }
    assert changed_keys(new.remove("stage.batch_norm2d")) == (set(), set())


def test_later_items_of_a_seq_have_other_keys() -> None:
    x = mg.Input("x", (4,))
    old = mg.Graph(mg.Sequential(layers.Linear(5), layers.Linear(6))(x, name="fc"))
    assert changed_keys(old.insert("fc.0", layers.ReLU()), old) == (
        {"fc.1.weight", "fc.1.bias"},
        {"fc.2.weight", "fc.2.bias"},
    )


def test_a_formula_keeps_the_names_of_its_variables() -> None:
    old = mg.loads("""\
inputs: {a: [3], b: [3]}
nodes: {y: {merge: formula, expr: a * 2 + b, from: [a, b]}}
outputs: y
""")
    new = old.insert("a", layers.ReLU())
    assert "expr: a * 2 + b, from: {a: relu, b: b}" in new.dumps()
    assert new.remove("relu") == old


def test_a_new_name_hides_no_node_that_a_block_shares() -> None:
    old = mg.loads("""\
inputs: {ids: {shape: [T], vocab: 9}, x: [T, 4]}
blocks:
  decode:
    inputs: [ids, x]
    nodes: {h: {share: linear, from: x}, e: {layer: Embedding, from: ids, embedding_dim: 4}, y: {merge: add, from: [e, h]}}
    outputs: y
nodes:
  linear: {layer: Linear, from: x, out_features: 4}
  y: {block: decode, from: [ids, linear]}
outputs: y
""")
    assert "linear_1: {layer: Linear, from: e" in old.insert("y.e", layers.Linear(4)).dumps()
    with pytest.raises(mg.SpecError, match="is called linear already"):
        old.insert("y.e", layers.Linear(4), name="linear")


def test_an_identity_that_is_inserted_and_removed_changes_nothing() -> None:
    for path in (
        "image",
        "stem",
        "stem.0",
        "stage",
        "stage.conv",
        "deep.a.sum",
        "lstm.last",
        "fc1",
    ):
        new = GRAPH.insert(path, layers.Identity())
        name = "identity"
        if path == "stem.0":
            name = "stem.1"
        elif "." in path and path != "lstm.last":
            name = f"{path.rpartition('.')[0]}.identity"
        assert new != GRAPH
        assert new.remove(name) == GRAPH


def test_the_help_names_the_port_that_is_read() -> None:
    lstm = layers.LSTM(4)(mg.Input("x", ("T", 3)), name="lstm")
    graph = mg.Graph(layers.Tanh()(lstm["last"], name="y"))
    with pytest.raises(mg.SpecError, match=r"nothing reads lstm, (.|\n)*read: 'lstm\.last'"):
        graph.insert("lstm", layers.ReLU())
