"""Tests of pooling, resizing, sampling and activations as functions."""

from __future__ import annotations

import torch.nn.functional as F

from tests.importer.support import check_functions

IMAGE = {
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
        IMAGE, x=(4, 8, 8), g=(5, 5, 2), i={"shape": (3,), "dtype": "int64", "vocab": 8}
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
