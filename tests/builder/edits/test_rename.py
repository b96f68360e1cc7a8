"""`graph.rename("fc1", "head")`: the name, and all that names it, in the spec and in the weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.edited import GRAPH, changed_lines
from tests.helpers.running import by_name, seeded
from tests.helpers.strategies import Spec, specs, to_yaml


def check_rename(graph: mg.Graph, path: str, new: str) -> mg.Graph:
    """Rename and check that the way back leads to the same graph, and that the weights are the same
    under names with other parts."""
    renamed = graph.rename(path, new)
    before, _, old = path.rpartition(".")
    assert renamed != graph
    assert renamed.rename(f"{before}.{new}".lstrip("."), old) == graph
    assert mg.loads(renamed.dumps()) == renamed
    was, now = graph.compile().state_dict(), renamed.compile().state_dict()
    keys = [".".join(new if part == old else part for part in key.split(".")) for key in now]
    mine = [".".join(new if part == old else part for part in key.split(".")) for key in was]
    assert keys == mine
    assert [tensor.shape for tensor in now.values()] == [tensor.shape for tensor in was.values()]
    return renamed


def test_sources_shares_and_outputs_follow() -> None:
    assert {*changed_lines(check_rename(GRAPH, "fc1", "first"))} == {
        "- fc1: {layer: Linear, from: numeric, out_features: $hidden, activation: ReLU}",
        "- fc2: {share: fc1, from: numeric}",
        "- small: {block: narrow, from: fc1, width: 8}",
        "+ first: {layer: Linear, from: numeric, out_features: $hidden, activation: ReLU}",
        "+ fc2: {share: first, from: numeric}",
        "+ small: {block: narrow, from: first, width: 8}",
    }
    assert [*check_rename(GRAPH, "head", "top").outputs] == ["score", "last"]
    assert [*check_rename(GRAPH, "numeric", "numbers").inputs] == ["image", "numbers", "words"]
    graph = mg.Graph([layers.Linear(2)(mg.Input("x", (3,)), name="a")])
    assert [*graph.rename("a", "b").outputs] == ["b"]


def test_ports_of_an_each_follow_their_sources() -> None:
    renamed = check_rename(GRAPH, "small", "little")
    assert "little" in renamed.compile().emb
    text = """
inputs: {city: {vocab: 5}, day: {vocab: 7}, old: {vocab: 5}}
nodes:
  emb: {layer: Embedding, each: [city, day], embedding_dim: 4}
  was: {share: emb.city, from: old}
  both: {share: emb, each: {city: old, day: day}}
  more: {layer: Linear, each: emb.*, out_features: 3}
  y: {merge: concat, from: [emb.city, was, more.city, both.city, both.day, more.day]}
outputs: {y: y, city: more.city}
"""
    graph = mg.loads(text)
    assert {*changed_lines(graph.rename("city", "town"), graph)} == {
        "- city: {vocab: 5}",
        "+ town: {vocab: 5}",
        "- emb: {layer: Embedding, each: [city, day], embedding_dim: 4}",
        "- was: {share: emb.city, from: old}",
        "- both: {share: emb, each: {city: old, day: day}}",
        "+ emb: {layer: Embedding, each: [town, day], embedding_dim: 4}",
        "+ was: {share: emb.town, from: old}",
        "+ both: {share: emb, each: {town: old, day: day}}",
        "- y: {merge: concat, from: [emb.city, was, more.city, both.city, both.day, more.day]}",
        "+ y: {merge: concat, from: [emb.town, was, more.town, both.town, both.day, more.day]}",
        "- outputs: {y: y, city: more.city}",
        "+ outputs: {y: y, city: more.town}",
    }
    check_rename(graph, "city", "town")


def test_names_that_a_formula_or_block_reads_stay() -> None:
    text = """
inputs: {a: [4], b: [4], city: {vocab: 5}, day: {vocab: 7}}
blocks:
  interact:
    inputs: [fields]
    nodes: {product: {merge: multiply, from: [fields.city, fields.day]}}
    outputs: product
nodes:
  emb: {layer: Embedding, each: [city, day], embedding_dim: 4}
  pairs: {block: interact, from: emb.*}
  y: {merge: formula, from: [a, b, pairs], expr: "a - 2 * b * pairs"}
outputs: y
"""
    graph = mg.loads(text)
    renamed = check_rename(graph, "a", "left")
    values = {"a": torch.randn(2, 4), "b": torch.randn(2, 4)}
    codes = {"city": torch.tensor([1, 2]), "day": torch.tensor([3, 4])}
    expected = seeded(graph.compile)(**values, **codes)
    inputs = {"left": values["a"], "b": values["b"], **codes}
    assert torch.equal(seeded(renamed.compile)(**inputs), expected)
    assert "from: {a: left, b: b, pairs: pairs}" in renamed.dumps()
    town = graph.rename("city", "town")
    assert "each: {city: town, day: day}" in town.dumps()
    moved = {**values, "town": codes["city"], "day": codes["day"]}
    assert torch.equal(seeded(town.compile)(**moved), expected)


def test_a_formula_that_a_param_names() -> None:
    graph = mg.loads("""
params: {kind: formula}
inputs: {a: [4], b: [4]}
nodes: {y: {merge: $kind, from: [a, b], expr: "a - b"}}
outputs: y
""")
    assert (
        "{merge: $kind, expr: a - b, from: {a: left, b: b}}"
        in check_rename(graph, "a", "left").dumps()
    )


def test_a_path_into_a_block_changes_one_use() -> None:
    renamed = check_rename(GRAPH, "deep.a.conv", "filter")
    assert {"deep.a.filter.weight", "deep.b.conv.weight", "stage.0.conv.weight"} <= {
        *renamed.compile().state_dict()
    }
    everywhere = check_rename(GRAPH, "stage.conv", "filter")
    assert "stage.1.filter.weight" in everywhere.compile().state_dict()
    assert [*everywhere.declared.blocks] == ["residual", "residual_2", "pair", "narrow"]
    check_rename(GRAPH, "stage.x", "image")
    check_rename(GRAPH, "deep.x", "image")


def test_inputs_of_blocks_that_are_carried() -> None:
    text = """
inputs: {frames: [T, 3], h0: [4], c0: [4], bias: [4]}
blocks:
  cell:
    inputs: [x, h]
    nodes:
      joined: {merge: concat, from: [x, h]}
      new: {layer: Linear, from: joined, out_features: 4}
      gate: {layer: Sigmoid, from: new}
    outputs: {h: new, gate: gate}
  twin:
    inputs: [a, b, by]
    nodes:
      left: {merge: add, from: [a, b]}
      right: {merge: multiply, from: [b, by]}
    outputs: {a: left, b: right}
nodes:
  steps: {scan: cell, over: {x: 1}, from: {x: frames}, carry: {h: h0}, take: h}
  mean: {layer: Tanh, from: steps.h}
  again: {block: twin, from: {a: mean, b: c0, by: bias}, repeat: 3}
outputs: {a: again.a, b: again.b, h: mean}
"""
    graph = mg.loads(text)
    inputs = {"frames": torch.randn(2, 5, 3)}
    inputs |= {name: torch.randn(2, 4) for name in ("h0", "c0", "bias")}
    expected = by_name(seeded(graph.compile)(**inputs))
    for path in ("steps.h", "steps.x", "again.a", "again.by", "steps.new", "again.left"):
        renamed = check_rename(graph, path, "other")
        found = by_name(seeded(renamed.compile)(**inputs))
        assert all(torch.equal(found[name], expected[name]) for name in expected), path


def test_blocks_that_share_an_outer_layer() -> None:
    tokens = layers.Linear(8)

    @mg.block
    def inner(x: mg.Tensor) -> mg.Tensor:
        return layers.ReLU()(tokens(x))

    @mg.block
    def tower(x: mg.Tensor) -> mg.Tensor:
        return inner(inner(x))

    x = mg.Input("x", (8,))
    graph = mg.Graph(merges.add(tokens(x, name="tokens"), tower(x), inner(x), name="sum"))
    renamed = check_rename(graph, "tokens", "words")
    assert [*renamed.compile().state_dict()] == ["words.weight", "words.bias"]
    assert [*renamed.declared.blocks] == ["inner", "tower"]
    with pytest.raises(mg.SpecError, match="relu is a name in inner, which shares tokens"):
        graph.rename("tokens", "relu")
    with pytest.raises(mg.SpecError, match="shares tokens, a node around the block"):
        graph.rename("tower.inner", "tokens")


@settings(max_examples=8)
@given(st.data(), specs())
def test_a_name_of_a_random_graph(data: st.DataObject, spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    names = [*graph.inputs, *graph.typed.body.by_name]
    check_rename(graph, data.draw(st.sampled_from(names)), "renamed_9")


def test_a_public_name_that_is_taken() -> None:
    x = mg.Input("x", (3,))
    a, b = layers.Linear(2)(x, name="a"), layers.Linear(2)(x, name="b")
    graph = mg.Graph({"a": a, "c": b})
    with pytest.raises(mg.SpecError, match="an output is called c already"):
        graph.rename("a", "c")
    assert [*GRAPH.rename("drop", "score").outputs] == ["score", "last"]  # a node may have its name
