"""The layers of timm that are layers of ours draw the same noise in training."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

import mimgraph as mg


class Residual(nn.Module):
    def __init__(self, **options: bool) -> None:
        super().__init__()
        from timm.layers.drop import DropPath

        self.fc = nn.Linear(4, 4)
        self.drop_path = DropPath(0.3, **options)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop_path(self.fc(x))


@pytest.mark.slow  # timm takes seconds to import
def test_a_dropped_path_is_a_layer() -> None:
    found = mg.from_module(Residual(), {"x": (4,)})
    assert found.data()["proven"]
    assert "DropPath" in found.graph.dumps()
    assert not found.data()["opaque"]


@pytest.mark.slow
def test_a_dropped_path_that_does_not_scale_stays_python() -> None:
    found = mg.from_module(Residual(scale_by_keep=False), {"x": (4,)})
    (opaque,) = found.data()["opaque"]
    assert "does not scale" in opaque["message"]
