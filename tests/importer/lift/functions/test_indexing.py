"""Tests of indexing by tensors, and of assignments to slices."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check, check_functions


def assigned(x: Tensor, y: Tensor) -> Tensor:
    x = x * 1
    x[:, :1] = y[:, None]
    x[:, -1] = y
    return x


INDICES = {
    "list": lambda x: x[:, :, [0, 2, 3]],
    "pick": lambda x, i: x[torch.arange(x.shape[0]), i],
    "gather": lambda x, j: x.gather(1, j.unsqueeze(-1).expand(-1, -1, 4)),
    "take_along_dim": lambda x: torch.take_along_dim(x, x.argsort(1), dim=1),
    "index_select": lambda x: x.index_select(2, torch.tensor([3, 1])),
    "each_sample": lambda x, j: x[torch.arange(len(x)).unsqueeze(1), j],
    "assigned": assigned,
}


def test_indices_of_known_kinds() -> None:
    text = check_functions(
        INDICES,
        x=(8, 4),
        y=(4,),
        i={"shape": (), "dtype": "int64", "vocab": 8},
        j={"shape": (3,), "dtype": "int64", "vocab": 8},
    )
    assert "merge: pick, from: {input: x, index: i}" in text


def test_indices_that_number_all_items_only_add_axes() -> None:
    functions = {
        "mask": lambda m: m[
            torch.arange(len(m))[:, None, None, None], torch.arange(m.shape[1])[None, None, None]
        ],
        "all": lambda m: m[torch.arange(len(m))[:, None], torch.arange(m.shape[1])],
    }
    text = check_functions(functions, m=("T",))
    assert "{Unsqueeze: 1}, {Unsqueeze: 2}" in text
    assert "take" not in text


class Bias(nn.Module):
    """Reads a table at a fixed index, as relative position biases do."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(5, 2))
        place = torch.arange(3)[:, None] - torch.arange(3)[None, :] + 2
        self.register_buffer("place", place, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        bias = self.table[self.place.view(-1)].view(3, 3, -1).permute(2, 0, 1)
        return x + bias.unsqueeze(0)


def test_a_table_at_a_fixed_index() -> None:
    assert "merge: take" in check(Bias(), x=(2, 3, 3)).graph.dumps()


def test_an_index_by_a_mask_is_refused() -> None:
    class Masked(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[x > 0]

    with pytest.raises(Exception, match="index by a mask"):
        mg.from_module(Masked(), {"x": (4,)})
