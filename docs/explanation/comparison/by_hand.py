"""Write the model by hand, in torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu


# begin model
class ImageNumerical(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(5, 64)
        self.score = nn.Linear(16 * 15 * 15 + 64, 1)

    def forward(self, image: Tensor, numbers: Tensor) -> Tensor:
        image_vec = self.pool(relu(self.conv(image))).flatten(1)
        numbers_vec = relu(self.fc(numbers))
        return self.score(torch.cat((image_vec, numbers_vec), 1))


# end model


# begin gated
class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(5, 64)
        self.to_image = nn.Linear(16 * 15 * 15, 64)
        self.to_numbers = nn.Linear(64, 64)
        self.gate = nn.Linear(16 * 15 * 15 + 64, 64)
        self.score = nn.Linear(64, 1)

    def forward(self, image: Tensor, numbers: Tensor) -> Tensor:
        image_vec = self.pool(relu(self.conv(image))).flatten(1)
        numbers_vec = relu(self.fc(numbers))
        z = self.gate(torch.cat((image_vec, numbers_vec), 1)).sigmoid()
        a, b = self.to_image(image_vec).tanh(), self.to_numbers(numbers_vec).tanh()
        return self.score(z * a + (1 - z) * b)


# end gated


class Unflattened(ImageNumerical):
    def forward(self, image: Tensor, numbers: Tensor) -> Tensor:
        image_vec = self.pool(relu(self.conv(image)))
        numbers_vec = relu(self.fc(numbers))
        return self.score(torch.cat((image_vec, numbers_vec), 1))


def build() -> nn.Module:
    return ImageNumerical()


def gated() -> nn.Module:
    return Gated()


def unflattened() -> nn.Module:
    return Unflattened()


def misspelt() -> nn.Module:
    return nn.Conv2d(3, 16, 3, stirde=2)


def call(model: nn.Module, image: Tensor, numbers: Tensor) -> Tensor:
    return model(image, numbers)
