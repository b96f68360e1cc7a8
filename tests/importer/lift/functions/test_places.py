"""Tests of views, indexing, images, and of tensors that a forward makes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check, check_functions

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


SPATIAL = {
    "max_pool": lambda x: F.max_pool2d(x, 2),
    "max_pool_stride": lambda x: F.max_pool2d(x, 3, stride=2, padding=1),
    "avg_pool": lambda x: F.avg_pool2d(x, x.shape[2:]),
    "adaptive_avg": lambda x: F.adaptive_avg_pool2d(x, 1),
    "adaptive_sizes": lambda x: F.adaptive_avg_pool2d(x, (1, 2)),
    "adaptive_max": lambda x: F.adaptive_max_pool2d(x, 1),
    "max_pool1d": lambda x: F.max_pool1d(x.flatten(2), 4),
    "interpolate": lambda x: F.interpolate(x, scale_factor=2, mode="nearest"),
    "interpolate_size": lambda x: F.interpolate(
        x, size=(5, 7), mode="bilinear", align_corners=False
    ),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2),
    "unfold": lambda x: F.unfold(x, 3, padding=1),
    "grid_sample": lambda x, g: F.grid_sample(x, g, align_corners=True),
    "one_hot": lambda i: F.one_hot(i, 8).float(),
    "relu": lambda x: F.relu(x),
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "glu": lambda x: F.glu(x, 1),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "hardswish": lambda x: F.hardswish(x),
    "log_softmax": lambda x: F.log_softmax(x, 1),
}


def test_functions_of_images() -> None:
    text = check_functions(
        SPATIAL, x=(4, 8, 8), g=(5, 5, 2), i={"shape": (3,), "dtype": "int64", "vocab": 8}
    )
    assert "{layer: MaxPool2d, from: x, kernel_size: 2}" in text


def test_an_image_of_any_size_is_resized_to_it() -> None:
    functions = {
        "same": lambda x: F.interpolate(F.avg_pool2d(x, 2), x.shape[2:]),
        "in_a_row": lambda x: F.interpolate(F.avg_pool2d(x, 2).tanh().abs(), x.shape[2:]).sum(1),
    }
    assert check_functions(functions, x=(4, "H", "W")).count("size: [$H, $W]") == 2


def test_windows_over_a_whole_length_are_reductions() -> None:
    pools = {
        "largest": lambda x: F.max_pool1d(x, x.shape[2]),
        "mean": lambda x: F.avg_pool1d(x, x.size(2)).squeeze(2),
    }
    text = check_functions(pools, x=(4, "T"))
    assert "{layer: Max, from: x, dim: 2, keepdim: true}" in text


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
