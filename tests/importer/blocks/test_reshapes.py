"""A length that is a number in one use of a module, and named in another."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tests.importer.support import check


class Heads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc(x).view(*x.shape[:-1], -1, 4).transpose(1, 2)
        return y.softmax(-1)


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image, self.text = Heads(), Heads()

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        return torch.cat([self.image(image), self.text(text)], dim=2)


def test_a_number_in_a_shape_is_no_param_where_another_use_has_the_rest_of_the_axes() -> None:
    check(Pair(), image=(6, 8), text=("T", 8))
