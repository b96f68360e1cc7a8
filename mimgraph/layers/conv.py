"""Convolutions."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from mimgraph.catalogue import bad_option, known, layer, weighted, with_rank
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.layers.window import (
    SHAPES,
    Pads1,
    Pads2,
    Pads3,
    Sizes1,
    Sizes2,
    Sizes3,
    per_axis,
    slide,
)

Padding: TypeAlias = Literal["same", "valid"]
PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]


@layer("in_channels")
def Conv1d(
    input: TensorType,
    /,
    out_channels: Size,
    kernel_size: Sizes1,
    stride: Sizes1 = 1,
    padding: Padding | Pads1 = 0,
    dilation: Sizes1 = 1,
    groups: Positive = 1,
    bias: bool = True,
    padding_mode: PaddingMode = "zeros",
) -> Lowering:
    """Convolution over one axis: (N, C, L) -> (N, out_channels, L')."""
    return _conv(
        input, 1, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
    )


@layer("in_channels")
def Conv2d(
    input: TensorType,
    /,
    out_channels: Size,
    kernel_size: Sizes2,
    stride: Sizes2 = 1,
    padding: Padding | Pads2 = 0,
    dilation: Sizes2 = 1,
    groups: Positive = 1,
    bias: bool = True,
    padding_mode: PaddingMode = "zeros",
) -> Lowering:
    """Convolution over two axes: (N, C, H, W) -> (N, out_channels, H', W')."""
    return _conv(
        input, 2, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
    )


@layer("in_channels")
def Conv3d(
    input: TensorType,
    /,
    out_channels: Size,
    kernel_size: Sizes3,
    stride: Sizes3 = 1,
    padding: Padding | Pads3 = 0,
    dilation: Sizes3 = 1,
    groups: Positive = 1,
    bias: bool = True,
    padding_mode: PaddingMode = "zeros",
) -> Lowering:
    """Convolution over three axes: (N, C, D, H, W) -> (N, out_channels, D', H', W')."""
    return _conv(
        input, 3, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
    )


def _conv(
    input: TensorType,
    axes: int,
    out_channels: Size,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    bias: bool,
    padding_mode: str,
) -> Lowering:
    name = f"Conv{axes}d"
    weighted(input, name)
    with_rank(input, axes + 1, name, SHAPES[axes])
    in_channels, *sizes = input
    in_channels = known(in_channels, "in_channels")
    out_channels = known(out_channels, "out_channels")
    _check_groups(groups, in_channels=in_channels, out_channels=out_channels)
    kernel, strides, dilations = (per_axis(v, axes) for v in (kernel_size, stride, dilation))
    pads = _pads(padding, kernel, strides, dilations)
    requires = _check_mode(padding_mode, sizes, pads)
    spatial = map(slide, sizes, kernel, strides, map(sum, pads), dilations)
    weight = {"weight": (out_channels, in_channels // groups, *kernel)}
    return Lowering(
        input.like(out_channels, *spatial),
        module(
            name,
            weight | ({"bias": (out_channels,)} if bias else {}),
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
        ),
        requires=requires,
    )


def _check_groups(groups: int, **channels: int) -> None:
    for what, count in channels.items():
        if count % groups:
            raise bad_option("groups", f"groups {groups} does not divide {what} {count}")


def _pads(padding: Any, *window: tuple[int, ...]) -> list[tuple[int, int]]:
    """What is added before and after each axis; `window` is the kernel, stride and dilation."""
    kernel, stride, dilation = window
    if padding == "valid":
        padding = 0
    if padding != "same":
        return [(int(pad), int(pad)) for pad in per_axis(padding, len(kernel))]
    if any(step != 1 for step in stride):
        raise bad_option("padding", "padding 'same' needs stride 1")
    totals = [int(d) * (int(k) - 1) for k, d in zip(kernel, dilation, strict=True)]
    return [(total // 2, total - total // 2) for total in totals]


def _check_mode(
    mode: str, sizes: list[Size], pads: list[tuple[int, int]]
) -> tuple[Constraint, ...]:
    """What is copied into the padding must be there: less than a size, or all of it in a circle."""
    if mode not in ("reflect", "circular"):
        return ()
    requires = []
    for size, sides in zip(sizes, pads, strict=True):
        minimum = max(sides) + (mode == "reflect")
        enough = at_least(size, minimum)
        if enough is False:
            raise bad_option("padding", f"{mode} padding {max(sides)} is too large for size {size}")
        if isinstance(size, Dim) and not enough:
            requires.append(Constraint(size, minimum=minimum))
    return tuple(requires)
