"""Tests of axes that are folded into the batch: `x.view(N * T, C)`, and `view(N, T, C)` later."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.importer.support import check


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool, self.fc = nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc(self.pool(F.relu(self.conv(x))).flatten(1))
        return y


class Frames(nn.Module):
    """Encodes each frame of a video by one module."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()

    def forward(self, x: Tensor) -> Tensor:
        b, t = x.shape[:2]
        return self.encoder(x.view(b * t, *x.shape[2:])).view(b, t, -1).mean(1)


class FrameLayers(nn.Module):
    """Encodes each frame by layers and functions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        b, t = x.shape[:2]
        y = F.max_pool2d(F.relu(self.norm(self.conv(x.flatten(0, 1)))), 2)
        return F.adaptive_avg_pool2d(y, 1)[:, :, 0, 0].reshape(b, t, 4)


class Projection(nn.Module):
    """Multiplies as the layers of GPT-2 do."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(8, 6))
        self.bias = nn.Parameter(torch.rand(6))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight)
        return y.view(*x.shape[:-1], 6)


class Windows(nn.Module):
    """Attends inside of windows, as Swin does."""

    def __init__(self, width: int = 8, size: int = 2, heads: int = 2) -> None:
        super().__init__()
        self.size, self.heads = size, heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.bias = nn.Parameter(torch.rand(1, heads, size**2, size**2))
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        b, h, w, c = x.shape
        s = self.size
        y = x.view(b, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, s * s, c)
        windows, steps, _ = y.shape
        y = self.qkv(y).reshape(windows, steps, 3, self.heads, c // self.heads)
        q, k, v = y.permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) + self.bias
        scores = scores.view(b, windows // b, self.heads, steps, steps) + 1
        scores = self.drop(scores.view(-1, self.heads, steps, steps).softmax(-1))
        y = self.proj((scores @ v).transpose(1, 2).reshape(windows, steps, c))
        y = y.view(b, h // s, w // s, s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        return x + y


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x: Tensor, scale: Tensor) -> Tensor:
        return torch.softmax(self.fc(x), dim=1) * scale


class Parts(nn.Module):
    """Calls a module with a folded tensor and one that is not, and computes along other axes."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.scale = Inner(), nn.Parameter(torch.rand(8))
        self.conv = nn.Sequential(nn.Conv1d(8, 8, 3, padding=1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        b, t, s, c = x.shape
        y = x.reshape(b * t, s, c)
        y = self.inner(y, self.scale) + y[:, [0]]
        y = self.conv(y.transpose(1, 2)).amax(-1)
        y = torch.cat([y, y.unsqueeze(1).repeat(1, 2, 1).sum(1)], dim=1)
        return torch.einsum("bc,bd->bcd", y, y).mean((1, 2)).view(b, t)


class Copies(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        copies = x.unsqueeze(1).expand(-1, 3, -1).reshape(-1, 8)
        return (self.fc(copies) * y.reshape(-1, 4)).view(x.shape[0], 3, 4)


class Case(NamedTuple):
    module: nn.Module
    inputs: dict[str, Any]
    lines: tuple[str, ...]


VIDEO = {"x": ("T", 3, 8, 8)}
CASES = [
    Case(Frames(), VIDEO, ("encoder: {block: encoder, from: x, over: 1}",)),
    Case(Frames(), {"x": (4, 3, 8, 8)}, ("over: 1",)),
    Case(FrameLayers(), VIDEO, ("conv: {layer: Conv2d, from: x, ", "over: 1")),
    Case(nn.Sequential(Projection()), {"input": ("T", 8)}, ("merge: matmul",)),
    Case(Windows(), {"x": (4, 6, 8)}, ("shape: [6, 4, 8]",)),
    Case(Parts(), {"x": ("T", 5, 8)}, ("inner: {block: inner",)),
    Case(Copies(), {"x": (8,), "y": (3, 4)}, ()),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case.module).__name__)
def test_what_is_computed_on_a_folded_batch(case: Case) -> None:
    text = check(case.module, **case.inputs).graph.dumps()
    for line in case.lines:
        assert line in text
