"""Declare the branch of the image in a YAML file of Ultralytics, which knows one input."""

from __future__ import annotations

from typing import Any

import yaml
from ultralytics.nn.tasks import BaseModel, parse_model

PARTIAL = True

# begin model
MODEL = """\
nc: 1
backbone:
  - [-1, 1, nn.Conv2d, [3, 16, 3]]
  - [-1, 1, nn.ReLU, []]
  - [-1, 1, nn.MaxPool2d, [2]]
  - [-1, 1, nn.Flatten, []]
head:
  - [-1, 1, nn.Linear, [3600, 1]]
"""
# end model


def _build(text: str) -> Any:
    model = BaseModel()
    model.model, model.save = parse_model(yaml.safe_load(text), ch=3, verbose=False)
    return model


def build() -> Any:
    return _build(MODEL)


def unflattened() -> Any:
    text = MODEL.replace("  - [-1, 1, nn.Flatten, []]\n", "")
    return _build(text)


def call(model: Any, image: Any, numbers: Any) -> Any:
    return model(image)
