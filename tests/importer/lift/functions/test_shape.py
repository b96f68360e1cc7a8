"""Tests of views, and of functions that join and split tensors."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from tests.importer.support import check_functions

TOKENS = {
    "view": lambda x: x.view(x.shape[0], x.shape[1], 2, 4),
    "transpose": lambda x: x.transpose(1, 2),
    "batch_second": lambda x: x.permute(1, 0, 2) * 2,
    "mT": lambda x: x.mT,
    "unsqueeze": lambda x: x.unsqueeze(-1).squeeze(-1),
    "expand": lambda x: x.unsqueeze(1).expand(-1, 5, -1, -1).mean(1),
    "repeat": lambda x: x.repeat(1, 2, 1),
    "repeat_interleave": lambda x: x.repeat_interleave(2, dim=1),
    "tile": lambda x: x.tile(1, 1, 2),
    "flip": lambda x: x.flip(1),
    "flip_dims": lambda x: torch.flip(x, dims=[-1]),
    "pad": lambda x: F.pad(x, (1, 2)),
    "pad_value": lambda x: F.pad(x, (0, 0, 1, 2), value=0.5),
    "reflect": lambda x: F.pad(x, (1, 2), mode="reflect"),
    "cat": lambda x, y: torch.cat([x, y], 1),
    "cat_last": lambda x, y: torch.cat((x, y), dim=-1),
    "cat_dtypes": lambda x: torch.cat((x, x > 0), dim=-1),
    "stack": lambda x, y: torch.stack([x, y], 2),
    "stack_first": lambda x, y: torch.stack([x, y]).mean(0),
    "chunk": lambda x: x.chunk(2, -1),
    "chunk_rest": lambda x: x.chunk(3, dim=2),
    "split": lambda x: x.split([3, 5], dim=-1),
    "split_size": lambda x: x.split(3, dim=2),
    "tensor_split": lambda x: torch.tensor_split(x, 3, dim=2),
    "unbind": lambda x: x.view(x.shape[0], -1, 2, 4).unbind(2),
    "last": lambda x: x[:, -1],
    "ellipsis": lambda x: x[..., :4],
    "new_axes": lambda x: x[:, None, :, None],
    "stride": lambda x: x[:, :, ::2],
    "past_the_end": lambda x: x[:, :, :100],
    "negative": lambda x: x[:, 1:-1],
    "index_size": lambda x: x[:, x.shape[1] - 1],
    "index_middle": lambda x: x[:, x.shape[1] // 2],
    "narrow": lambda x: x.narrow(2, 1, 3),
    "select": lambda x: x.select(1, 0),
    "diff": lambda x: torch.diff(x, dim=1),
}
IMAGE = {
    "flatten": lambda x: x.flatten(1),
    "flatten_view": lambda x: x.reshape(x.shape[0], -1),
    "tokens": lambda x: x.flatten(2).transpose(1, 2),
    "flatten_inner": lambda x: torch.flatten(x, 1, 2),
    "permute": lambda x: x.permute(0, 2, 3, 1),
    "movedim": lambda x: x.movedim(1, -1),
    "roll": lambda x: torch.roll(x, shifts=(-2, 1), dims=(1, 2)),
    "replicate": lambda x: F.pad(x, (1, 2, 1, 1), mode="replicate"),
    "channel_shuffle": lambda x: x.view(-1, 2, 2, 8, 8).transpose(1, 2).reshape(-1, 4, 8, 8),
    "grouped_heads": lambda x: x[:, :, None].expand(-1, -1, 3, -1, -1).reshape(-1, 12, 8, 8),
}


def test_views_of_tokens() -> None:
    text = check_functions(TOKENS, x=("T", 8), y=("T", 8))
    assert "{layer: Reshape, from: x, shape: [-1, 2, 4]}" in text
    assert "{layer: Select, from: x, dim: 1, index: -1}" in text


def test_views_of_images() -> None:
    text = check_functions(IMAGE, x=(4, 8, 8))
    assert "{layer: Flatten, from: x}" in text
