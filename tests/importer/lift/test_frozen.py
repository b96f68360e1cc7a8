"""Tests of weights that are not trained: their nodes are frozen."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import mimgraph as mg


class Net(nn.Module):
    """Has a frozen layer, a frozen parameter, and a frozen norm, whose statistics move all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(4, 6).requires_grad_(False)
        self.norm = nn.BatchNorm1d(6).requires_grad_(False)
        self.scale = nn.Parameter(torch.ones(6), requires_grad=False)
        self.head = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.norm(self.stem(x)) * self.scale)
        return y


def test_weights_without_gradients_are_frozen() -> None:
    imported = mg.from_module(Net(), {"x": (4,)})
    trained = {name for name, one in imported.compile().named_parameters() if one.requires_grad}
    assert {"head.weight", "head.bias"} <= trained
    assert not trained & {"stem.weight", "stem.bias", "scale"}
    assert imported.proven
    end = "trained here, but not in the module: norm.weight, norm.bias"
    assert str(imported.report).endswith(end)
