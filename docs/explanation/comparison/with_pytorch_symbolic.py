"""Declare the model in pytorch-symbolic."""

from __future__ import annotations

from typing import Any

from pytorch_symbolic import Input, SymbolicModel, useful_layers
from torch import nn


# begin model
def model() -> SymbolicModel:
    image, numbers = Input((3, 32, 32)), Input((5,))
    x = nn.MaxPool2d(2)(nn.ReLU()(nn.Conv2d(3, 16, 3)(image)))
    image_vec = nn.Flatten()(x)
    numbers_vec = nn.ReLU()(nn.Linear(5, 64)(numbers))
    fused = useful_layers.ConcatLayer(dim=1)(image_vec, numbers_vec)
    score = nn.Linear(fused.features, 1)(fused)
    return SymbolicModel([image, numbers], score)


# end model


# begin gated
def gated() -> SymbolicModel:
    image, numbers = Input((3, 32, 32)), Input((5,))
    x = nn.MaxPool2d(2)(nn.ReLU()(nn.Conv2d(3, 16, 3)(image)))
    image_vec = nn.Flatten()(x)
    numbers_vec = nn.ReLU()(nn.Linear(5, 64)(numbers))
    both = useful_layers.ConcatLayer(dim=1)(image_vec, numbers_vec)
    z = nn.Sigmoid()(nn.Linear(both.features, 64)(both))
    a = nn.Tanh()(nn.Linear(image_vec.features, 64)(image_vec))
    b = nn.Tanh()(nn.Linear(64, 64)(numbers_vec))
    fused = z * a + (1 - z) * b
    score = nn.Linear(fused.features, 1)(fused)
    return SymbolicModel([image, numbers], score)


# end gated

build = model


def unflattened() -> SymbolicModel:
    image, numbers = Input((3, 32, 32)), Input((5,))
    x = nn.MaxPool2d(2)(nn.ReLU()(nn.Conv2d(3, 16, 3)(image)))
    numbers_vec = nn.ReLU()(nn.Linear(5, 64)(numbers))
    return SymbolicModel([image, numbers], useful_layers.ConcatLayer(dim=1)(x, numbers_vec))


def misspelt() -> Any:
    return nn.Conv2d(3, 16, 3, stirde=2)


def call(model: SymbolicModel, image: Any, numbers: Any) -> Any:
    return model(image, numbers)
