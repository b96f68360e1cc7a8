"""Modules whose evaluation returns more than training does, and those that keep what a forward made."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

import mimgraph as mg


class Detector(nn.Module):
    """Returns boxes beside the raw numbers in evaluation, as detectors do, and keeps its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.norm = nn.BatchNorm2d(2)
        self.shape: Any = None

    def forward(self, image: Tensor) -> Any:
        raw = self.norm(self.conv(image))
        if self.training:
            return {"raw": raw}
        if self.shape != raw.shape:
            self.anchors = torch.arange(raw.shape[3]) + 0.5
            self.shape = raw.shape
        return raw + self.anchors, {"raw": raw}


def test_outputs_of_evaluation_alone_are_proven() -> None:
    module = Detector()
    module(torch.zeros(2, 3, 7, 12))
    for shape in [(3, 4, 5), (3, "H", "W")]:
        found = mg.from_module(module, {"image": shape})
        assert found.proven and found.report.remarks == [], str(found.report)
        assert "not returned by the module in training: sum" in str(found.report)


def test_a_forward_leaves_the_module_as_it_was() -> None:
    module = Detector().eval()
    mg.from_module(module, {"image": (3, 4, 5)})
    assert module.shape is None and not hasattr(module, "anchors")


class Probabilities(nn.Module):
    """Returns something else in evaluation than in training."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc(x)
        return x if self.training else x.softmax(1)


class Around(nn.Module):
    """Reads what training computes otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Probabilities()
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.fc(self.inner(x))
        return found


def test_another_output_of_evaluation_stays_python() -> None:
    found = mg.from_module(Around(), {"x": (4,)})
    assert found.proven
    assert [one["path"] for one in found.data()["opaque"]] == ["inner"]
