"""Rows of padding get no gradient where a table is no layer of its own."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg


class Padded(nn.Module):
    padding: ClassVar[int] = 3

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(5, 4))

    def forward(self, text: Tensor) -> Tensor:
        return F.embedding(text, self.table, padding_idx=self.padding) @ self.table.mT


class FromTheEnd(Padded):
    padding = -2


@pytest.mark.parametrize("make", [Padded, FromTheEnd])
def test_the_padding_gets_no_gradient(make: type[nn.Module]) -> None:
    found = mg.from_module(make(), {"text": {"shape": ("T",), "vocab": 5}})
    assert found.proven and not found.data()["opaque"], str(found.report)
    assert "Detach" in found.graph.dumps()
