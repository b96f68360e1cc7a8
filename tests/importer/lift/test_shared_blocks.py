"""Tests of a module that is called several times, whose results are not read alike after each call."""

from __future__ import annotations

from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check


class Cell(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        state = self.fc(x).tanh()
        return state, state * 2


class LessLater(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = Cell()

    def forward(self, x: Tensor) -> Tensor:
        hidden, carry = self.cell(x)
        last: Tensor = self.cell(hidden + carry)[0]
        return last.relu()


class MoreLater(LessLater):
    def forward(self, x: Tensor) -> Tensor:
        hidden, _ = self.cell(x)
        last, carry = self.cell(hidden)
        total: Tensor = last + carry
        return total


def test_a_result_is_chosen_where_the_other_is_not_read() -> None:
    check(LessLater(), x=("T", 8))


def test_a_result_that_the_first_call_does_not_give_keeps_the_module_in_python() -> None:
    found = mg.from_module(MoreLater(), {"x": ("T", 8)})
    assert found.proven
    (opaque,) = found.data()["opaque"]
    assert opaque["path"] == "cell"
    assert "after another call" in opaque["message"]
