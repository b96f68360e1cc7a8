"""Tests of the inputs of blocks: tensors in a list are inputs of their own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import mimgraph as mg


class Join(nn.Module):
    """Takes a list of tensors, as the layers of a DenseNet do."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Linear(width, 4)

    def forward(self, parts: list[Tensor]) -> Tensor:
        y: Tensor = self.mix(torch.cat(parts, -1)).relu()
        return y


class Dense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Join(4), Join(8), Join(12)])

    def forward(self, x: Tensor) -> Tensor:
        parts = [x]
        for layer in self.layers:
            parts.append(layer(parts))
        return torch.cat(parts, -1)


def test_each_tensor_of_a_list_is_an_input_of_a_block() -> None:
    imported = mg.from_module(Dense(), {"x": (4,)})
    assert imported.proven
    assert imported.data()["opaque"] == []
