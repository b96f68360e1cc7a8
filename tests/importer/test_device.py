"""Tests of models whose weights have no data: on the meta device, and fake tensors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode

import mimgraph as mg


class Encoder(nn.Module):
    """Has positions that are made in the forward, an operation in place, and a module that is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 8)
        self.positions = nn.Embedding(64, 8)
        self.kept = nn.Sequential(nn.Linear(8, 8))
        self.norm = nn.BatchNorm1d(8)

    def forward(self, text: Tensor) -> Tensor:
        x = self.words(text) + self.positions(torch.arange(text.shape[1], device=text.device))
        x = x.mul_(2)
        y: Tensor = self.norm(self.kept(x).mean(1))
        return y


INPUTS = {"text": {"shape": ("T",), "vocab": 50}}


def test_a_model_on_the_meta_device_gives_the_same_spec() -> None:
    with torch.device("meta"):
        model = Encoder()
    found = mg.from_module(model, INPUTS, opaque=["kept"])
    wanted = mg.from_module(Encoder(), INPUTS, opaque=["kept"])
    assert found.graph.dumps() == wanted.graph.dumps()
    assert wanted.proven and not found.proven
    assert str(found.report).endswith("not proven: the weights of the module have no data")
    assert all(one.is_meta for one in found.compile().state_dict().values())


def test_a_model_of_fake_tensors_gives_the_same_spec() -> None:
    with FakeTensorMode():
        model = Encoder()
    found = mg.from_module(model, INPUTS)
    assert found.graph.dumps() == mg.from_module(Encoder(), INPUTS).graph.dumps()
    assert not found.proven


def test_code_that_reads_values_needs_data() -> None:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.scale(x) / x.max().item()
            return y

    with torch.device("meta"):
        model = Reader()
    with pytest.raises(ValueError, match="meta tensors"):
        mg.from_module(model, {"x": (3,)})
