"""Little modules with equal parts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    """Adds what a convolution of as many channels gives."""

    def __init__(self, width: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x)


class Widen(nn.Module):
    """Convolves, with a shortcut where the width changes."""

    def __init__(self, width: int, wider: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, wider, 3, stride, 1)
        self.shortcut = nn.Conv2d(width, wider, 1, stride) if wider != width else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y + (x if self.shortcut is None else self.shortcut(x))


class Masked(nn.Module):
    """A layer of a text model that reads a mask beside what it hands on."""

    def __init__(self, width: int, mask_first: bool = False) -> None:
        super().__init__()
        self.fc = nn.Linear(width, width)
        self.mask_first = mask_first

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return mask * self.fc(x) if self.mask_first else self.fc(x) * mask


class Pair(nn.Module):
    """Hands two tensors on."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.a = nn.Linear(width, width)
        self.b = nn.Linear(width, width)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.a(x) + y, self.b(y)


class Listed(nn.Module):
    """Runs the modules of a ModuleList one after the other, with what else was given."""

    def __init__(self, layers: list[nn.Module], order: list[int] | None = None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.order = order or [*range(len(layers))]

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for index in self.order:
            x = self.layers[index](x) if mask is None else self.layers[index](x, mask)
        return x


class Pairs(nn.Module):
    """Hands two tensors through a ModuleList."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Pair(width) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self.layers:
            x, y = layer(x, y)
        return x + y


class Again(nn.Module):
    """Runs one module several times."""

    def __init__(self, layer: nn.Module, times: int) -> None:
        super().__init__()
        self.layer = layer
        self.times = times

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(self.times):
            x = self.layer(x)
        return x


class Collected(nn.Module):
    """Reads the result of every module of a ModuleList."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for layer in self.layers:
            x = layer(x)
            found.append(x)
        return torch.cat(found, dim=1)


def random_module(random: Any, width: int, depth: int = 3) -> nn.Module:
    """Return a nested module that maps (N, width, H, W) to itself."""
    kind = random.choice(["conv", "residual", "sequential", "list", "again"] if depth else ["conv"])
    count = random.randint(1, 3)
    equal = random.random() < 0.5

    def inner() -> list[nn.Module]:
        if equal:
            kernel = random.choice([1, 3])
            return [Residual(width, kernel) for _ in range(count)]
        return [random_module(random, width, depth - 1) for _ in range(count)]

    match kind:
        case "sequential":
            return nn.Sequential(*inner())
        case "list":
            return Listed(inner(), random.sample(range(count), count))
        case "again":
            return Again(random_module(random, width, depth - 1), count)
        case "residual":
            return Residual(width, random.choice([1, 3]))
    kernel = random.choice([1, 3])
    return nn.Conv2d(width, width, kernel, padding=kernel // 2)
