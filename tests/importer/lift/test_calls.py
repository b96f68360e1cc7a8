"""Calls of modules: with tensors in lists and tuples, with none, and several times."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check


class Join(nn.Module):
    """Takes a list of tensors, as the layers of a DenseNet do."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Linear(width, 4)

    def forward(self, parts: list[Tensor]) -> Tensor:
        y: Tensor = self.mix(torch.cat(parts, -1)).relu()
        return y


class Dense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Join(4), Join(8), Join(12)])

    def forward(self, x: Tensor) -> Tensor:
        parts = [x]
        for layer in self.layers:
            parts.append(layer(parts))
        return torch.cat(parts, -1)


def test_each_tensor_of_a_list_is_an_input_of_a_block() -> None:
    imported = mg.from_module(Dense(), {"x": (4,)})
    assert imported.proven
    assert imported.data()["opaque"] == []


class Rotated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
        cos, sin = angles
        y: Tensor = self.fc(x) * cos + x * sin
        return y


class Rotates(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = Rotated()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.block(x, (x.cos(), x.sin()))
        return y


def test_tensors_in_a_tuple_are_inputs_of_their_own() -> None:
    (block,) = check(Rotates(), x=("T", 4)).graph.declared.blocks.values()
    assert len({one.name for one in block.inputs}) == 3


class Bias(nn.Module):
    """The relative positions of a window of attention, as Swin has them."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(5, 2))
        self.register_buffer("index", torch.arange(9) % 5, persistent=False)

    def forward(self) -> Tensor:
        return self.table[self.index].view(3, 3, -1).permute(2, 0, 1).contiguous().unsqueeze(0)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias = Bias()

    def forward(self, x: Tensor) -> Tensor:
        scores = x @ x.transpose(-1, -2)
        y: Tensor = (scores + self.bias()).softmax(-1) @ x
        return y


class Twice(Attention):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x @ self.bias() + self.bias()
        return y


class Attentions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Attention(), Attention()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(x))
        return y


@pytest.mark.parametrize("make", [Attention, Attentions])
def test_a_module_that_reads_no_tensor_is_lifted(make: type[nn.Module]) -> None:
    check(make(), x=(2, 3, 3))


def test_a_second_call_of_it_keeps_the_module_around_in_python() -> None:
    model = nn.Sequential(nn.Linear(3, 3), Twice())
    found = mg.from_module(model, {"input": (2, 3, 3)})
    assert found.proven
    assert [one["path"] for one in found.data()["opaque"]] == ["1"]


class Carries(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        state = self.fc(x).tanh()
        return state, state * 2


class LessLater(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = Carries()

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
