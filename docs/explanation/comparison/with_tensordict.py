"""Declare the model in tensordict."""

from __future__ import annotations

from typing import Any

import torch
from tensordict import TensorDict
from tensordict.nn import TensorDictModule as Step
from tensordict.nn import TensorDictSequential
from torch import nn


# begin model
def model() -> TensorDictSequential:
    image_vec = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    numbers_vec = nn.Sequential(nn.Linear(5, 64), nn.ReLU())
    return TensorDictSequential(
        Step(image_vec, ["image"], ["image_vec"]),
        Step(numbers_vec, ["numbers"], ["numbers_vec"]),
        Step(lambda a, b: torch.cat((a, b), 1), ["image_vec", "numbers_vec"], ["fused"]),
        Step(nn.Linear(16 * 15 * 15 + 64, 1), ["fused"], ["score"]),
    )


# end model


# begin gated
class Gate(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.to_image = nn.Linear(16 * 15 * 15, 64)
        self.to_numbers = nn.Linear(64, 64)
        self.gate = nn.Linear(16 * 15 * 15 + 64, 64)

    def forward(self, image_vec: torch.Tensor, numbers_vec: torch.Tensor) -> torch.Tensor:
        z = self.gate(torch.cat((image_vec, numbers_vec), 1)).sigmoid()
        a, b = self.to_image(image_vec).tanh(), self.to_numbers(numbers_vec).tanh()
        return z * a + (1 - z) * b


def gated() -> TensorDictSequential:
    image_vec = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    numbers_vec = nn.Sequential(nn.Linear(5, 64), nn.ReLU())
    return TensorDictSequential(
        Step(image_vec, ["image"], ["image_vec"]),
        Step(numbers_vec, ["numbers"], ["numbers_vec"]),
        Step(Gate(), ["image_vec", "numbers_vec"], ["fused"]),
        Step(nn.Linear(64, 1), ["fused"], ["score"]),
    )


# end gated

build = model


def unflattened() -> TensorDictSequential:
    image_vec = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2))
    numbers_vec = nn.Sequential(nn.Linear(5, 64), nn.ReLU())
    return TensorDictSequential(
        Step(image_vec, ["image"], ["image_vec"]),
        Step(numbers_vec, ["numbers"], ["numbers_vec"]),
        Step(lambda a, b: torch.cat((a, b), 1), ["image_vec", "numbers_vec"], ["fused"]),
        Step(nn.Linear(16 * 15 * 15 + 64, 1), ["fused"], ["score"]),
    )


def misspelt() -> Any:
    return nn.Conv2d(3, 16, 3, stirde=2)


def call(model: TensorDictSequential, image: Any, numbers: Any) -> Any:
    return model(TensorDict({"image": image, "numbers": numbers}, [len(image)]))["score"]
