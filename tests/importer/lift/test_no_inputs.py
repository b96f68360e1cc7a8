"""Tests of modules that read no tensor: what they return depends on their weights alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check


class Bias(nn.Module):
    """The relative positions of a window of attention, as Swin has them."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(5, 2))
        self.register_buffer("index", torch.arange(9) % 5, persistent=False)

    def forward(self) -> Tensor:
        return self.table[self.index].view(3, 3, -1).permute(2, 0, 1).contiguous().unsqueeze(0)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias = Bias()

    def forward(self, x: Tensor) -> Tensor:
        scores = x @ x.transpose(-1, -2)
        y: Tensor = (scores + self.bias()).softmax(-1) @ x
        return y


class Twice(Attention):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x @ self.bias() + self.bias()
        return y


class Inside(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Attention(), Attention()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(x))
        return y


@pytest.mark.parametrize("make", [Attention, Inside])
def test_a_module_that_reads_no_tensor_is_lifted(make: type[nn.Module]) -> None:
    check(make(), x=(2, 3, 3))


def test_a_second_call_of_it_keeps_the_module_around_in_python() -> None:
    model = nn.Sequential(nn.Linear(3, 3), Twice())
    found = mg.from_module(model, {"input": (2, 3, 3)})
    assert found.proven
    assert [one["path"] for one in found.data()["opaque"]] == ["1"]
