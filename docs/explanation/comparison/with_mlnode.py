"""Declare the branch of the image in MLnode's JSON, which has one shape for all inputs."""

from __future__ import annotations

import json
from typing import Any

from mlnode import MLnodeModel

PARTIAL = True

# begin model
MODEL = """\
{
  "mlnode_schema_version": "1.0",
  "input_shape": ["B", 3, 32, 32],
  "nodes": [
    {"id": "image", "type": "Input", "params": {}},
    {"id": "conv", "type": "Conv2d", "params": {"in_channels": 3, "out_channels": 16, "kernel_size": 3}},
    {"id": "relu", "type": "ReLU", "params": {}},
    {"id": "pool", "type": "MaxPool2d", "params": {"kernel_size": 2}},
    {"id": "image_vec", "type": "Flatten", "params": {}},
    {"id": "score", "type": "Linear", "params": {"in_features": 3600, "out_features": 1}}
  ],
  "edges": [
    {"source": "image", "target": "conv"},
    {"source": "conv", "target": "relu"},
    {"source": "relu", "target": "pool"},
    {"source": "pool", "target": "image_vec"},
    {"source": "image_vec", "target": "score"}
  ],
  "output_node": "score"
}
"""
# end model

# the whole model, as far as the format goes: it has no place for the shape (5,)
BOTH = {
    "mlnode_schema_version": "1.0",
    "input_shape": ["B", 3, 32, 32],
    "nodes": [
        *json.loads(MODEL)["nodes"][:-1],
        {"id": "numbers", "type": "Input", "params": {}},
        {"id": "fc", "type": "Linear", "params": {"in_features": 5, "out_features": 64}},
        {"id": "numbers_vec", "type": "ReLU", "params": {}},
        {"id": "fused", "type": "Concat", "params": {"dim": 1}},
        {"id": "score", "type": "Linear", "params": {"in_features": 3664, "out_features": 1}},
    ],
    "edges": [
        *json.loads(MODEL)["edges"][:-1],
        {"source": "numbers", "target": "fc"},
        {"source": "fc", "target": "numbers_vec"},
        {"source": "image_vec", "target": "fused"},
        {"source": "numbers_vec", "target": "fused"},
        {"source": "fused", "target": "score"},
    ],
    "output_node": "score",
}


def both() -> Any:
    return MLnodeModel.from_dict(BOTH).build()


def build() -> Any:
    return MLnodeModel.from_dict(json.loads(MODEL)).build()


def unflattened() -> Any:
    return MLnodeModel.from_dict(json.loads(MODEL.replace('"Flatten"', '"Identity"'))).build()


def misspelt() -> Any:
    text = MODEL.replace('"kernel_size": 3', '"kernel_size": 3, "stirde": 2')
    return MLnodeModel.from_dict(json.loads(text)).build()


def call(model: Any, image: Any, numbers: Any) -> Any:
    return model(image)
