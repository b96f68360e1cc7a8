"""Fixed tensors are imported as patterns, as numbers, or with the weights if they are many."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import nodes


class Adds(nn.Module):
    """Adds a tensor that is in no state_dict: a buffer, or a plain attribute."""

    def __init__(self, tensor: Tensor, is_buffer: bool) -> None:
        super().__init__()
        self.fc = nn.Linear(10, 10)
        if is_buffer:
            self.register_buffer("table", tensor, persistent=False)
        else:
            self.table = tensor

    def forward(self, x: Tensor) -> Any:
        return self.fc(x) * self.table


SMALL, LARGE = torch.linspace(0, 1, 10), torch.arange(100.0).sin().view(10, 10)


@pytest.mark.parametrize("is_buffer", [True, False])
def test_few_numbers_are_written(is_buffer: bool) -> None:
    found = mg.from_module(Adds(SMALL, is_buffer), {"x": (10, 10)})
    assert found.proven and len(found.compile().state_dict()) == 2
    (buffer,) = (node for node in nodes(found).values() if "buffer" in node)
    assert buffer["init"] == pytest.approx(SMALL.tolist()) and buffer["persistent"] is False


@pytest.mark.parametrize("is_buffer", [True, False])
def test_many_numbers_are_kept_with_the_weights(is_buffer: bool) -> None:
    found = mg.from_module(Adds(LARGE, is_buffer), {"x": (10, 10)})
    assert found.proven and found.data()["opaque"] == []
    (buffer,) = (name for name, node in nodes(found).items() if "buffer" in node)
    assert torch.equal(found.compile().state_dict()[buffer], LARGE)


class Regions(nn.Module):
    """Numbers the regions of a grid by assignments in place, as shifted windows do."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(10, 10)

    def forward(self, x: Tensor) -> Any:
        regions = x.new_zeros((10, 10))
        for number, rows in enumerate((slice(0, 4), slice(4, 7), slice(7, 10))):
            regions[rows, rows] = number + 1
        return self.fc(x) * regions.view(10, 10)


def test_numbers_that_no_function_makes_are_kept_with_the_weights() -> None:
    found = mg.from_module(Regions(), {"x": (10, 10)})
    assert found.proven and not found.data()["opaque"]
    assert "init: zeros" in found.dumps()
