"""Inputs and blocks that the tests of the builder share."""

from __future__ import annotations

import mimgraph as mg
from mimgraph import layers, merges


def image() -> mg.Tensor:
    return mg.Input("image", (3, 32, 32))


def numeric() -> mg.Tensor:
    return mg.Input("numeric", (8,))


def text() -> mg.Tensor:
    return mg.Input("text", ("T", 16))


@mg.block
def residual(x: mg.Tensor, *, stride: int = 1) -> mg.Tensor:
    """Add a convolution and a shortcut."""
    channels, _, _ = x.dims
    y = layers.Conv2d(channels, kernel_size=3, padding=1, stride=stride)(x, name="conv")
    if stride != 1:
        x = layers.Conv2d(channels, kernel_size=1, stride=stride)(x, name="down")
    return merges.add(y, x, name="sum")


@mg.block
def cell(h: mg.Tensor, x: mg.Tensor, *, width: int) -> dict[str, mg.Tensor]:
    new = layers.Linear(width, activation="Tanh")(merges.concat(h, x))
    return {"h": new, "gate": layers.Sigmoid()(new)}
