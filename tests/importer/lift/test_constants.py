"""Fixed tensors are imported as patterns or as numbers, or named if a spec cannot hold them."""

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


class Positions(nn.Module):
    """Computes a table by functions that no input reaches."""

    def forward(self, x: Tensor) -> Any:
        return x * torch.arange(100.0).view(10, 10).sin()


def test_a_table_that_functions_make_is_computed() -> None:
    found = mg.from_module(Positions(), {"x": (10, 10)})
    assert found.proven and "arange: 100" in found.dumps()


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


MANY = {
    "a buffer": (Adds(LARGE, True), "table"),
    "an attribute": (Adds(LARGE, False), "table"),
    "an attribute of a part": (nn.Sequential(nn.Tanh(), Adds(LARGE, False)), "1.table"),
    "computed in forward": (Regions(), "constant"),
}


@pytest.mark.parametrize("case", MANY)
def test_many_numbers_are_named_as_the_spec_has_zeros_for_them(case: str) -> None:
    module, path = MANY[case]
    found = mg.from_module(module, [(10, 10)])
    (lost,) = found.data()["left_out"]
    key = lost["name"]
    assert not found.proven and not found.data()["opaque"] and key.endswith(path)
    assert lost["reason"] == "large-constant" and "10 x 10 numbers" in lost["message"]
    assert lost["file"] == __file__ and lost["line"] > 1
    last = str(found.report).splitlines()[-1]
    assert last == f"not proven without --weights: the spec has zeros for {key}"
    assert f"# N{last[1:]}\n" in found.dumps()

    x, written = torch.randn(2, 10, 10), mg.loads(found.dumps())
    alone = written.compile()
    written.load_state(alone, module.state_dict(), keys=found.keys, strict=False)
    assert not torch.allclose(mg.positional(alone)(x), module(x))
    assert torch.equal(mg.positional(found.compile())(x), module(x))  # has the constants


def test_a_large_buffer_of_the_state_dict_is_not_lost() -> None:
    module = Adds(LARGE, is_buffer=True)
    module.register_buffer("table", LARGE)
    found = mg.from_module(module, {"x": (10, 10)})
    assert found.proven and not found.data()["left_out"]
