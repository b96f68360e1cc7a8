"""Tests of the inputs of a block that no parameter of forward names."""

from __future__ import annotations

from torch import Tensor, nn

from tests.importer.support import check


class Rotated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
        cos, sin = angles
        y: Tensor = self.fc(x) * cos + x * sin
        return y


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = Rotated()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.block(x, (x.cos(), x.sin()))
        return y


def test_tensors_in_a_tuple_are_inputs_of_their_own() -> None:
    (block,) = check(Model(), x=("T", 4)).graph.declared.blocks.values()
    assert len({one.name for one in block.inputs}) == 3
