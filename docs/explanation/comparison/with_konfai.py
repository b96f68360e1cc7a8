"""Declare the model in a YAML file of KonfAI."""

from __future__ import annotations

from typing import Any

from konfai.utils.model_builder import build_model_from_yaml

# begin model
MODEL = """\
name: ImageNumerical
network: {in_channels: 3, dim: 2}
modules:
  - {name: Conv, type: Conv2d, args: {in_channels: 3, out_channels: 16, kernel_size: 3}}
  - {name: ReLU, type: ReLU}
  - {name: Pool, type: MaxPool, args: {dim: 2, kernel_size: 2}}
  - {name: Flatten, type: Flatten}
  - {name: Numbers, type: Linear, in_branch: [1], out_branch: [1], args: {in_features: 5, out_features: 64}}
  - {name: NumbersReLU, type: ReLU, in_branch: [1], out_branch: [1]}
  - {name: Fused, type: Concat, in_branch: [0, 1]}
  - {name: Score, type: Linear, args: {in_features: 3664, out_features: 1}}
"""
# end model

# begin gated
GATED = """\
name: ImageNumerical
network: {in_channels: 3, dim: 2}
modules:
  - {name: Conv, type: Conv2d, args: {in_channels: 3, out_channels: 16, kernel_size: 3}}
  - {name: ReLU, type: ReLU}
  - {name: Pool, type: MaxPool, args: {dim: 2, kernel_size: 2}}
  - {name: Flatten, type: Flatten}
  - {name: Numbers, type: Linear, in_branch: [1], out_branch: [1], args: {in_features: 5, out_features: 64}}
  - {name: NumbersReLU, type: ReLU, in_branch: [1], out_branch: [1]}
  - {name: Both, type: Concat, in_branch: [0, 1], out_branch: [2]}
  - {name: GateA, type: Linear, in_branch: [2], out_branch: [3], args: {in_features: 3664, out_features: 64}}
  - {name: SigmoidA, type: Sigmoid, in_branch: [3], out_branch: [3]}
  - {name: GateB, type: Linear, in_branch: [2], out_branch: [4], args: {in_features: 3664, out_features: 64}}
  - {name: SigmoidB, type: Sigmoid, in_branch: [4], out_branch: [4]}
  - {name: A, type: Linear, args: {in_features: 3600, out_features: 64}}
  - {name: TanhA, type: Tanh}
  - {name: B, type: Linear, in_branch: [1], out_branch: [1], args: {in_features: 64, out_features: 64}}
  - {name: TanhB, type: Tanh, in_branch: [1], out_branch: [1]}
  - {name: TimesA, type: Multiply, in_branch: [0, 3]}
  - {name: TimesB, type: Multiply, in_branch: [1, 4], out_branch: [1]}
  - {name: Fused, type: Add, in_branch: [0, 1]}
  - {name: Score, type: Linear, args: {in_features: 64, out_features: 1}}
"""
# end gated


def build() -> Any:
    return build_model_from_yaml(yaml_str=MODEL)


def gated() -> Any:
    return build_model_from_yaml(yaml_str=GATED)


def unflattened() -> Any:
    return build_model_from_yaml(yaml_str=MODEL.replace("  - {name: Flatten, type: Flatten}\n", ""))


def misspelt() -> Any:
    return build_model_from_yaml(
        yaml_str=MODEL.replace("kernel_size: 3", "kernel_size: 3, stirde: 2")
    )


def call(model: Any, image: Any, numbers: Any) -> Any:
    *_, (_, result) = model.named_forward(image, numbers)
    return result
