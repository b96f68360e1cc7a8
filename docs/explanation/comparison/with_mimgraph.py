"""Declare the model in mimgraph."""

from __future__ import annotations

from typing import Any

import mimgraph as mg

# begin model
MODEL = """\
name: ImageNumerical
inputs: {image: [3, 32, 32], numbers: [5]}
nodes:
  image_vec: {from: image, seq: [{Conv2d: {out_channels: 16, kernel_size: 3}}, ReLU, {MaxPool2d: 2}, Flatten]}
  numbers_vec: {layer: Linear, from: numbers, out_features: 64, activation: ReLU}
  fused: {merge: concat, from: [image_vec, numbers_vec]}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""
# end model

# begin gated
GATED = """\
name: ImageNumerical
inputs: {image: [3, 32, 32], numbers: [5]}
nodes:
  image_vec: {from: image, seq: [{Conv2d: {out_channels: 16, kernel_size: 3}}, ReLU, {MaxPool2d: 2}, Flatten]}
  numbers_vec: {layer: Linear, from: numbers, out_features: 64, activation: ReLU}
  fused: {merge: gated, from: [image_vec, numbers_vec], out_features: 64}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""
# end gated


def build() -> Any:
    return mg.loads(MODEL, name="model.yaml").compile()


def gated() -> Any:
    return mg.loads(GATED, name="model.yaml").compile()


def unflattened() -> Any:
    return mg.loads(MODEL.replace(", Flatten", ""), name="model.yaml").compile()


def misspelt() -> Any:
    return mg.loads(
        MODEL.replace("kernel_size: 3", "kernel_size: 3, stirde: 2"), name="model.yaml"
    ).compile()


def call(model: Any, image: Any, numbers: Any) -> Any:
    return model(image=image, numbers=numbers)
