"""Models of other precisions have the spec of the model in float32, and are compiled in their own dtype."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(5, 4)
        self.norm = nn.LayerNorm(4)
        self.scale = torch.full((4,), 0.5)

    def forward(self, x: Tensor) -> Any:
        return self.norm(torch.relu(self.fc(x))) * self.scale.to(x.dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_a_model_of_another_precision(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    net = Net().to(dtype).eval()
    found = mg.from_module(net, {"x": (5,)})
    assert found.proven and not found.data()["opaque"], found.report
    assert "dtype" not in found.dumps()
    x = torch.randn(3, 5, dtype=dtype)
    (result,) = [found.compile()(x=x)]
    assert result.dtype == dtype and torch.equal(result, net(x))
    assert net.fc.weight.dtype == dtype


def test_an_example_of_another_precision() -> None:
    found = mg.from_module(Net().double(), {"x": torch.randn(3, 5, dtype=torch.float64)})
    assert found.proven and str(found.graph.inputs["x"].dtype) == "float32"
