"""References of models of tables."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.gallery.published import reference


class GatedUnit(nn.Sequential):
    def __init__(self, before: int, width: int) -> None:
        super().__init__(nn.Linear(before, 4 * width, bias=False), nn.BatchNorm1d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(super().forward(x))


def sparsemax(z: Tensor) -> Tensor:
    """Return the projection of each row onto the simplex, by bisection of its threshold."""
    low, high = z.max(1, keepdim=True).values - 1, z.max(1, keepdim=True).values
    for _ in range(60):
        middle = (low + high) / 2
        is_below = (z - middle).relu().sum(1, keepdim=True) > 1
        low, high = torch.where(is_below, middle, low), torch.where(is_below, high, middle)
    return (z - low).relu()


class Transform(nn.Module):
    """Arik and Pfister 2019, figure 4 (c), without the shared layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.more, self.last = GatedUnit(2 * width, width), GatedUnit(2 * width, width)

    def forward(self, x: Tensor, shared: tuple[nn.Module, nn.Module]) -> tuple[Tensor, Tensor]:
        x = shared[0](x)
        for layer in (shared[1], self.more, self.last):
            x = (x + layer(x)) * math.sqrt(0.5)
        decision, attended = x.chunk(2, 1)
        return decision, attended


class Step(nn.Module):
    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        linear = nn.Linear(width, columns, bias=False)
        self.wanted = nn.Sequential(linear, nn.BatchNorm1d(columns))
        self.features = Transform(width)


@reference("tabnet", columns=6, width=4, steps=3, classes=3)
class TabNet(nn.Module):
    def __init__(self, columns: int, width: int, steps: int, classes: int) -> None:
        super().__init__()
        self.normed = nn.BatchNorm1d(columns)
        self.shared_first = GatedUnit(columns, width)
        self.shared_second = GatedUnit(2 * width, width)
        first = Transform(width)
        self.more, self.last = first.more, first.last
        self.decide = nn.ModuleList(Step(columns, width) for _ in range(steps))
        self.logits = nn.Linear(width, classes, bias=False)

    def forward(self, row: Tensor) -> tuple[Tensor, Tensor]:
        shared = self.shared_first, self.shared_second
        x = self.normed(row)
        start = x
        start = shared[0](start)
        for layer in (shared[1], self.more, self.last):
            start = (start + layer(start)) * math.sqrt(0.5)
        total, attended = torch.zeros_like(start.chunk(2, 1)[0]), start.chunk(2, 1)[1]
        prior, masks = torch.ones_like(x), []
        for step in self.decide:
            mask = sparsemax(step.wanted(attended) * prior)
            masks.append(mask)
            prior = prior * (1.5 - mask)
            decision, attended = step.features(mask * x, shared)
            total = total + decision.relu()
        return self.logits(total), torch.stack(masks, 1)
