"""`graph.to_dict` and `mg.from_dict`: a spec as plain data, there and back."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given, settings

import mimgraph as mg
from mimgraph import layers, merges
from tests.conftest import ROOT
from tests.helpers.cases import each
from tests.helpers.strategies import Spec, specs, to_yaml

SPEC = """\
name: Named
doc: a model of a table
params: {hidden: 64, kind: gated, rate: 0.5}
inputs:
  x: [5]
  words: {shape: [T], vocab: 50}
blocks:
  res:
    params: {width: 8}
    inputs: [v]
    nodes:
      fc: {layer: Linear, from: v, out_features: $width}
      drop: {layer: Dropout, from: fc, p: $(rate / 2)}
    outputs: drop
nodes:
  fc: {layer: Linear, from: x, out_features: $(hidden // 2), activation: {GELU: {approximate: tanh}}}
  emb: {layer: Embedding, from: words, embedding_dim: 16}
  lstm: {layer: LSTM, from: emb, hidden_size: $hidden, take: last}
  fused: {merge: $kind, from: [fc, lstm], out_features: 8}
  stage: {block: res, from: fused, repeat: {times: 3}}
  mixed: {merge: formula, expr: "a * $(hidden) + b", from: {a: stage, b: fused}}
outputs: {score: {from: mixed, doc: the score}, aux: {from: fc, only: training}}
"""
PLAIN = (dict, list, str, int, float, bool, type(None))


def assert_plain(value: Any) -> None:
    assert type(value) in PLAIN
    if isinstance(value, dict | list):
        for key in value:
            assert type(key) is str or isinstance(value, list)
            assert_plain(value[key] if isinstance(value, dict) else key)


def assert_round_trip(graph: mg.Graph) -> None:
    """Check that a graph is that of its dict, and of the dict as JSON."""
    found = graph.to_dict()
    assert_plain(found)
    again = mg.from_dict(found)
    assert again == graph and again.to_dict() == found and again.dumps() == graph.dumps()
    assert mg.from_dict(json.loads(json.dumps(found))) == graph


def test_a_dict_has_what_the_spec_says() -> None:
    found = mg.loads(SPEC).to_dict()
    assert [*found] == ["name", "doc", "params", "inputs", "blocks", "nodes", "outputs"]
    assert found["params"] == {"hidden": 64, "kind": "gated", "rate": 0.5}
    assert found["inputs"] == {"x": [5], "words": {"shape": ["T"], "vocab": 50}}
    assert found["nodes"]["fc"] == {
        "layer": "Linear",
        "from": "x",
        "out_features": "$(hidden // 2)",
        "activation": {"GELU": {"approximate": "tanh"}},
    }
    assert found["nodes"]["fused"]["merge"] == "$kind"
    assert found["nodes"]["mixed"]["expr"] == "a * $(hidden) + b"
    assert found["outputs"]["aux"] == {"from": "fc", "only": "training"}


def test_round_trip() -> None:
    assert_round_trip(mg.loads(SPEC))


def test_round_trip_of_every_spec(spec: Path) -> None:
    assert_round_trip(mg.load(spec))


@settings(max_examples=25)
@given(specs())
def test_round_trip_of_random_graphs(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    assert_round_trip(graph)
    assert mg.from_dict(spec) == graph


def test_a_graph_of_python() -> None:
    x = mg.Input("x", (3, 8, 8))
    y = layers.Flatten()(layers.Conv2d(4, 3, activation="ReLU")(x, name="conv"))
    assert_round_trip(mg.Graph(merges.concat(y, layers.Linear(2)(y), name="out")))


def test_params_replace_those_of_the_spec() -> None:
    graph = mg.from_dict(mg.loads(SPEC).to_dict(), {"hidden": 8})
    assert str(graph.shapes["fc"]) == "(N, 4)"


def test_the_dict_is_a_copy() -> None:
    graph = mg.loads(SPEC)
    spec = graph.to_dict()
    before = copy.deepcopy(spec)
    mg.from_dict(spec)
    assert spec == before
    spec["nodes"]["fc"]["out_features"] = 128
    assert mg.from_dict(spec) != graph == mg.loads(SPEC)
    assert graph.to_dict() == before


def simple(**changes: Any) -> dict[str, Any]:
    fc = {"layer": "Linear", "from": "x", "out_features": 2, **changes}
    return {"inputs": {"x": [4]}, "nodes": {"fc": fc}, "outputs": "fc"}


class Bias(Enum):
    NO = 0


class Name(str, Enum):  # noqa: UP042 - its `str` is not its text
    RELU = "ReLU"


PLAIN_ENOUGH = {
    "an int of numpy": simple(out_features=numpy.int64(2)),
    "an int of torch": simple(out_features=torch.tensor(2)),
    "a bool of numpy": simple(bias=numpy.bool_(True)),
    "a text of numpy": simple(layer=numpy.str_("Linear")),
    "a key of numpy": {numpy.str_(k): v for k, v in simple().items()},
    "an array as shape": simple() | {"inputs": {"x": numpy.array([4])}},
    "a tuple": simple() | {"inputs": {"x": (4,)}},
    "a read-only mapping": MappingProxyType(simple()),
}


@each("spec", PLAIN_ENOUGH)
def test_numbers_of_numpy_and_tuples_are_plain_data(spec: dict[str, Any]) -> None:
    assert mg.from_dict(spec) == mg.from_dict(simple())


def test_the_options_of_a_node_are_plain_data() -> None:
    graph = mg.from_dict(simple())
    assert mg.from_dict(simple(**graph.nodes["fc"].options)) == graph


def test_a_text_that_is_an_enum() -> None:
    assert mg.from_dict(simple(activation=Name.RELU)).nodes["fc"].options["activation"] == "ReLU"


TEXTS = [
    *("true", "null", "3", "1e3", "a: b", "# no", "", " ", "two\nlines", "ä\u2028", "'", '"', "$"),
    *("é" * 99, "\U0001f600"),
]


@each("text", TEXTS)
def test_a_text_stays_a_text(text: str) -> None:
    spec = simple() | {"doc": text}
    assert mg.from_dict(spec).to_dict().get("doc", "") == text


def cyclic() -> dict[str, Any]:
    spec = simple()
    spec["nodes"]["fc"]["bias"] = spec
    return spec


def deep(levels: int) -> Any:
    return {"a": deep(levels - 1)} if levels else 1


def doubled(times: int) -> list[Any]:
    """Return a list of 2 ** times numbers that takes no memory."""
    found: list[Any] = [1]
    for _ in range(times):
        found = [found, found]
    return found


FAULTS: dict[str, tuple[Callable[[], Any], str]] = {
    "a typo": (lambda: simple(layer="Linaer"), r"did you mean Linear\?"),
    "a wrong size": (lambda: simple(in_features=5), r"--> <dict>:4:\d+"),
    "a text for a number": (lambda: simple(out_features="2"), "out_features"),
    "an unknown key": (lambda: simple() | {"nodse": {}}, "unknown-key"),
    "nothing": (dict, "missing-key"),
    "no mapping of nodes": (lambda: simple() | {"nodes": [1]}, "wrong-type"),
    "no mapping of blocks": (lambda: simple() | {"blocks": {"b": 3}}, "wrong-type"),
    "not a number": (lambda: simple(out_features=float("nan")), r"not nan\n.*<dict>:4:46"),
    "an endless number": (lambda: simple(out_features=10**200), "error"),
    "half a character": (lambda: simple(layer="\ud800"), "error"),
    "a zero character": (lambda: simple(layer="\0"), "error"),
    "a name of another language": (lambda: simple() | {"outputs": "é"}, "error"),
    "a long key": (lambda: simple(**{"a" * 5000: 1}), "error"),
    "a cycle": (cyclic, "nested more than 64 levels deep"),
    "depth": (lambda: simple(bias=deep(500)), "nested more than 64 levels deep"),
    "depth that YAML counts": (lambda: simple(bias=deep(62)), "error"),
    "one list many times": (lambda: simple(bias=doubled(60)), "more than 1,048,576 bytes"),
    "a long text": (lambda: simple() | {"doc": "a" * (1 << 20)}, "more than 1,048,576 bytes"),
    "escapes that make it long": (lambda: simple() | {"doc": "\0" * 400_000}, "1,048,576"),
}


@each("make, message", FAULTS)
def test_a_fault_is_shown_in_the_text_of_the_spec(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(mg.SpecError, match=message) as error:
        mg.from_dict(make())
    for found in error.value.diagnostics:
        assert found.span.file.name == "<dict>" and found.span.line >= 1


WRONG: dict[str, tuple[Any, str]] = {
    "a text": ("inputs: {}", "mg.loads takes the text"),
    "a number": (3, "a dict as graph.to_dict"),
    "a key that is a number": ({**simple(), 3: 4}, "a key in the spec is 3, not a string"),
    "a key without a name": (simple(activation={None: 1}), "a key in nodes.fc.activation is None"),
    "a set": (simple(bias={1}), r"nodes.fc.bias is \{1\}"),
    "bytes": (simple(layer=b"Linear"), "nodes.fc.layer is b'Linear'"),
    "a path": (simple(layer=Path("x")), "nodes.fc.layer is PosixPath"),
    "a class": (simple(layer=torch.nn.Linear), "nodes.fc.layer is <class"),
    "a member of an enum": (simple(bias=Bias.NO), "nodes.fc.bias is <Bias.NO"),
    "a complex number": (simple(out_features=2j), "nodes.fc.out_features is 2j"),
    "a number that Python does not print": (simple(out_features=1 << 99_999), "fc.out_features is"),
    "a matrix": (simple(out_features=numpy.ones((2, 2))), "nodes.fc.out_features is array"),
    "an item of a list": (simple() | {"outputs": ["fc", {1}]}, r"outputs.1 is \{1\}"),
}


@each("spec, message", WRONG)
def test_what_is_no_plain_data_is_a_type_error(spec: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        mg.from_dict(spec)


def test_a_graph_and_a_handle_are_no_plain_data() -> None:
    with pytest.raises(TypeError, match="a dict as graph.to_dict"):
        mg.from_dict(mg.from_dict(simple()))
    with pytest.raises(TypeError, match="nodes.fc.from is"):
        mg.from_dict(simple(**{"from": mg.Input("x", (4,))}))


def test_a_dict_in_place_of_a_text_or_path() -> None:
    for load in (mg.loads, mg.load):
        with pytest.raises(TypeError, match=re.escape("mg.from_dict takes a dict")):
            load(simple())  # type: ignore[operator]


def test_a_stage_has_no_spec() -> None:
    stage, _ = mg.load(ROOT / "specs" / "residual_cnn.yaml").split(2)
    with pytest.raises(ValueError, match="is a stage and has no spec"):
        stage.to_dict()
