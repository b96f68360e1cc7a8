"""Classifiers of torchvision are layers, which compute what torchvision computes."""

from __future__ import annotations

import pickle

import pytest
import torch
import torchvision
from torch.testing import assert_close

import mimgraph as mg
from mimgraph import layers

SPEC = """
inputs: {image: [3, 64, 64]}
nodes:
  vec: {layer: torchvision.resnet18, from: image, num_classes: 10}
outputs: vec
"""


def test_a_classifier_computes_what_torchvision_computes() -> None:
    graph = mg.loads(SPEC)
    assert "self.vec = torchvision.models.resnet18(num_classes=10)" in graph.source()
    model = graph.compile().eval()
    theirs = torchvision.models.resnet18(num_classes=10).eval()
    model.vec.load_state_dict(theirs.state_dict())
    image = torch.rand(2, 3, 64, 64)
    assert_close(model(image=image), theirs(image))


def test_summary_counts_the_weights_of_a_classifier() -> None:
    theirs = torchvision.models.resnet18(num_classes=10)
    total = sum(weight.numel() for weight in theirs.parameters())
    assert mg.loads(SPEC).summary().total.params == total


def test_python_calls_a_classifier_as_a_layer() -> None:
    image = mg.Input("image", (3, 64, 64))
    graph = mg.Graph(
        outputs={"vec": layers.torchvision.resnet18(num_classes=10)(image, name="vec")}
    )
    assert mg.loads(graph.dumps()).source() == graph.source()
    assert pickle.loads(pickle.dumps(graph)).source() == graph.source()


def test_a_name_that_is_no_model_gets_the_nearest() -> None:
    with pytest.raises(AttributeError, match="no model 'resnet19': did you mean resnet18"):
        _ = layers.torchvision.resnet19
