"""Tests of functions of weights: they become the layers that own the weights, and the keys stay."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check


class ChannelNorm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class Norm(nn.Module):
    def __init__(self, width: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(width))
        self.bias = nn.Parameter(torch.rand(width)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class GammaNorm(nn.Module):
    """Has weights of other names than torch's."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.rand(width))
        self.beta = nn.Parameter(torch.rand(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, (x.shape[-1],), self.gamma, self.beta)


class NormAct(nn.BatchNorm2d):
    """Counts its batches and has an activation inside, as timm's does."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.act = nn.ReLU()
        assert self.running_mean is not None
        self.running_mean += 1

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        mean, variance, training = self.running_mean, self.running_var, self.training
        x = F.batch_norm(x, mean, variance, self.weight, self.bias, training, 0.1, self.eps)
        y: Tensor = self.act(x)
        return y


class SameConv(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (0, 1, 0, 1)), self.weight, self.bias, self.stride, self.padding)


class Chain(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.first, self.second = layers

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(x))
        return y


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 4)
        self.bias = nn.Parameter(torch.rand(10))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(self.words(x), self.words.weight, self.bias)


class Raw(nn.Module):
    """Multiplies by a parameter of its own, and by the weights of a layer that it does not call."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.rand(5, 4))
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.linear(x, self.w)
        return F.linear(x, self.head.weight, self.head.bias)


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = Norm(4)
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.fc(self.norm(x)))
        return y


class Case(NamedTuple):
    module: nn.Module
    input: Any
    lines: tuple[str, ...]


IMAGE, TOKENS = (3, 6, 6), ("T", 4)
CASES = {
    "channel-norm": Case(
        Chain(nn.Conv2d(3, 8, 3), ChannelNorm(8)),
        IMAGE,
        ("second: {layer: LayerNorm, from: permuted}",),
    ),
    "norm": Case(Chain(Norm(4), Norm(4, bias=False)), TOKENS, ("{layer: LayerNorm, from: first",)),
    "other-names": Case(
        Chain(GammaNorm(4), nn.Linear(4, 2)),
        TOKENS,
        ("gamma: {parameter: [4]", "elementwise_affine: false", "normed * gamma + beta"),
    ),
    "norm-act": Case(
        Chain(nn.Conv2d(3, 8, 3), NormAct(8)), IMAGE, ("second: {layer: BatchNorm2d, from: first",)
    ),
    "same-conv": Case(
        Chain(SameConv(3, 8, 2), nn.ReLU()), IMAGE, ("first: {layer: Conv2d, from: padded",)
    ),
    "tied": Case(Tied(), {"shape": ("T",), "vocab": 10}, ("from: [words, words.weight]",)),
    "raw": Case(Raw(), TOKENS, ("w: {parameter: [5, 4]", "head: {layer: Linear, ")),
    "twice": Case(Twice(), TOKENS, ("share: norm",)),
    "model": Case(Norm(4), TOKENS, ("weight: {parameter: [4]",)),
}


@pytest.mark.parametrize("name", CASES)
def test_weights_keep_their_keys(name: str) -> None:
    case = CASES[name]
    text = check(case.module, x=case.input).graph.dumps()
    for line in case.lines:
        assert line in text


def test_a_convolution_with_computed_weights_stays_python() -> None:
    class Centred(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            mean = self.weight.mean((1, 2, 3), keepdim=True)
            return F.conv2d(x, self.weight - mean, self.bias)

    imported = mg.from_module(Chain(Centred(3, 8, 3), nn.ReLU()), {"x": IMAGE})
    (opaque,) = imported.data()["opaque"]
    assert (opaque["path"], opaque["reason"]) == ("first.conv2d", "weight")
