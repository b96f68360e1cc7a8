"""`graph.inputs` and `graph.outputs` have the types and what the spec says of each."""

from __future__ import annotations

import copy
import pickle
import traceback
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg
from mimgraph import layers
from mimgraph.ir.types import TensorType
from tests.conftest import ROOT

SPEC = """\
inputs:
  image: {shape: [3, 8, 8], doc: an RGB image}
  words: {shape: [T], vocab: 50, optional: true}
nodes:
  pooled: {layer: Flatten, from: image}
  lstm: {layer: LSTM, from: steps, hidden_size: 4}
  embedded: {layer: Embedding, from: words, embedding_dim: 3}
  pooled_words: {merge: mean_pool, from: embedded}
  filled: {layer: Fill, from: pooled_words, value: zeros}
  steps: {layer: Unsqueeze, from: filled, dim: 1}
  fc: {layer: Linear, from: pooled, out_features: 2}
outputs:
  score: {from: fc, doc: the score}
  states: {from: lstm.last, only: training}
  moved: {from: fc, batch_dim: 1}
"""


@pytest.fixture(scope="module")
def graph() -> mg.Graph:
    return mg.loads(SPEC, name="model.yaml")


def test_inputs(graph: mg.Graph) -> None:
    image, words = graph.inputs.values()
    assert (image.name, str(image.shape), image.dtype) == ("image", "(N, 3, 8, 8)", "float32")
    assert (image.optional, image.doc, image.vocab) == (False, "an RGB image", None)
    assert (words.optional, words.doc, words.vocab) == (True, "", 50)
    assert [str(one.origin) for one in (image, words)] == ["model.yaml:2", "model.yaml:3"]
    assert repr(words) == "<Input words: (N, T) int64, vocab 50, optional>"


def test_outputs(graph: mg.Graph) -> None:
    score, states, moved = graph.outputs.values()
    assert (score.name, score.source, score.only, score.doc) == ("score", "fc", None, "the score")
    assert (states.source, states.only, states.batch_dim) == ("lstm.last", "training", None)
    assert (str(moved.shape), moved.batch_dim) == ("(2, N)", 1)
    assert [str(one.origin) for one in graph.outputs.values()] == [
        "model.yaml:13",
        "model.yaml:14",
        "model.yaml:15",
    ]
    assert repr(states) == "<Output states: (N, 4) float32 of lstm.last, only training>"


def test_an_end_has_the_attributes_of_its_type(graph: mg.Graph) -> None:
    for end in (*graph.inputs.values(), *graph.outputs.values()):
        public = [name for name in dir(TensorType) if not name.startswith("_")]
        attributes = [name for name in public if not callable(getattr(end.type, name))]
        internal = {"below", "cast_from", "has_batch", "has_moved_batch", "key", "marks", "past"}
        for name in {*attributes} - internal:
            assert getattr(end, name) == getattr(end.type, name)
        assert str(end) == str(end.type) and [*end] == [*end.type]
        assert end == end.type and end.type == end and hash(end) == hash(end.type)
    assert graph.inputs["image"] != graph.inputs["words"]


def test_ends_are_frozen_and_picklable(graph: mg.Graph) -> None:
    image: Any = graph.inputs["image"]
    with pytest.raises(FrozenInstanceError):
        image.doc = "another"
    for ends in (graph.inputs, graph.outputs):
        assert pickle.loads(pickle.dumps(ends)) == copy.deepcopy(ends) == ends
        with pytest.raises(TypeError):
            ends["image"] = 1  # type: ignore[index]


def test_ends_in_python() -> None:
    x = mg.Input("x", (3,), doc="the features")
    graph = mg.Graph({"y": mg.Output(layers.Linear(2)(x), doc="the score")})
    assert graph.inputs == mg.loads(graph.dumps()).inputs
    assert graph.outputs == mg.loads(graph.dumps()).outputs
    assert str(graph.inputs["x"].origin).startswith(f"{Path(__file__).name}:")
    assert (graph.outputs["y"].doc, graph.outputs["y"].source) == ("the score", "linear")


def test_a_stage_has_origins_for_what_the_spec_declares(graph: mg.Graph) -> None:
    first, second = mg.load(ROOT / "specs" / "residual_cnn.yaml").split(2)
    assert all(one.origin is not None for one in first.inputs.values())
    assert all(one.origin is None for one in second.inputs.values())
    assert all(one.origin is not None for one in second.outputs.values())


def test_a_graph_iterates_over_the_names_of_inputs_and_nodes(graph: mg.Graph) -> None:
    names = [
        "image",
        "words",
        "pooled",
        "lstm",
        "embedded",
        "pooled_words",
        "filled",
        "steps",
        "fc",
    ]
    assert [*graph] == names and [*reversed(graph)] == names[::-1] and len(graph) == 9
    assert "fc" in graph and "image" in graph
    assert "score" not in graph and "lstm.last" not in graph and 3 not in graph
    assert "1.weight" not in graph and bool(graph)


def test_an_unknown_name_is_told_which_was_meant() -> None:
    graph = mg.Graph({"score": layers.Linear(1)(mg.Input("image", (3,)))})
    with pytest.raises(KeyError) as caught:
        graph.inputs["imge"]
    assert str(caught.value) == "no input is called 'imge': did you mean image?"
    assert traceback.extract_tb(caught.tb)[-1].filename == __file__
    with pytest.raises(KeyError, match="no output is called 'scor': did you mean score"):
        graph.outputs["scor"]
    assert graph.inputs.get("imge") is None
    assert "imge" not in graph.inputs
    assert pickle.loads(pickle.dumps(graph.inputs)) == graph.inputs
