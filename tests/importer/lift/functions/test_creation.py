"""Tests of tensors that a forward makes: constants, positions, triangles and noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check_functions


def rotated(x: Tensor) -> Tensor:
    """Return tokens turned by angles of their positions, as rotary embeddings do."""
    rates = 1.0 / 10000 ** (torch.arange(0, 4, dtype=torch.float32) / 4)
    angles = torch.outer(torch.arange(x.shape[1]).float(), rates)
    cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)
    one, two = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-two, one], dim=-1) * sin


def pairs(x: Tensor) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(x.shape[1]), torch.arange(8), indexing="ij")
    return x + rows * columns


def triangle(x: Tensor) -> Tensor:
    return torch.ones(x.shape[1], x.shape[1])


MADE = {
    "zeros": lambda x: x + torch.zeros(x.shape[0], 1, 8),
    "zeros_like": lambda x: torch.zeros_like(x) + x,
    "full": lambda x: torch.full((x.shape[0], 4), 0.5),
    "full_whole": lambda x: x.new_full((x.shape[0], 1), 3, dtype=torch.long),
    "full_like": lambda x: torch.full_like(x, 0.5),
    "infinite": lambda x: torch.full_like(x, float("-inf")),
    "positions": lambda x: x + torch.arange(x.shape[1])[None, :, None],
    "positions_scaled": lambda x: x + torch.arange(1, x.shape[1] + 1)[None, :, None] * 2,
    "positions_backwards": lambda x: x + torch.arange(x.shape[1] - 1, -1, -1)[None, :, None],
    "causal": lambda x, s: s.masked_fill(torch.triu(triangle(x), 1).bool(), float("-inf")),
    "lower": lambda x, s: s.masked_fill(torch.tril(triangle(x)) == 0, float("-inf")),
    "infinite_mask": lambda x, s: s + torch.triu(triangle(x) * -1e9, diagonal=1),
    "tril": lambda s: s.tril(),
    "triu_of_mask": lambda s: (s > 0).triu(1),
    "rotated": rotated,
    "pairs": pairs,
    "lengths": lambda x, n: x * (torch.arange(x.shape[1])[None, :] < n[:, None])[:, :, None],
    "cls": lambda x: torch.cat([torch.zeros(1, 1, 8).expand(len(x), -1, -1), x], dim=1),
    "batch_second": lambda x: torch.ones(3, 1, 8).repeat(1, x.shape[0], 1) * 2,
}


def test_constants_and_positions() -> None:
    check_functions(MADE, x=("T", 8), s=("T", "T"), n={"shape": (), "dtype": "int64", "vocab": 8})


def test_noise_has_the_shape_of_its_source() -> None:
    class Sampled(nn.Module):
        def forward(self, mean: Tensor) -> Tensor:
            return mean + torch.randn_like(mean)

    text = mg.from_module(Sampled(), {"mean": (4,)}).graph.dumps()
    assert "{random: normal, like: mean}" in text
