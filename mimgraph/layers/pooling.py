"""Pools: the largest or the mean of each window."""

from __future__ import annotations

from typing import Any, TypeAlias

from mimgraph.catalogue import bad_option, dtype_fault, floating, layer, with_rank
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import TensorType
from mimgraph.layers.window import (
    SHAPES,
    Pads1,
    Pads2,
    Pads3,
    Sizes1,
    Sizes2,
    Sizes3,
    per_axis,
    plain,
    slide,
    too_large,
    unless_same,
)

OrSame: TypeAlias = Positive | None


@layer()
def MaxPool1d(
    input: TensorType,
    /,
    kernel_size: Sizes1,
    stride: Sizes1 | None = None,
    padding: Pads1 = 0,
    dilation: Sizes1 = 1,
    ceil_mode: bool = False,
) -> Lowering:
    """The largest of each window: (N, C, L) -> (N, C, L')."""
    floating(input, "MaxPool1d")
    return _max_pool(input, 1, kernel_size, stride, padding, dilation, ceil_mode)


@layer()
def MaxPool2d(
    input: TensorType,
    /,
    kernel_size: Sizes2,
    stride: Sizes2 | None = None,
    padding: Pads2 = 0,
    dilation: Sizes2 = 1,
    ceil_mode: bool = False,
) -> Lowering:
    """The largest of each window: (N, C, H, W) -> (N, C, H', W')."""
    return _max_pool(input, 2, kernel_size, stride, padding, dilation, ceil_mode)


@layer()
def MaxPool3d(
    input: TensorType,
    /,
    kernel_size: Sizes3,
    stride: Sizes3 | None = None,
    padding: Pads3 = 0,
    dilation: Sizes3 = 1,
    ceil_mode: bool = False,
) -> Lowering:
    """The largest of each window: (N, C, D, H, W) -> (N, C, D', H', W')."""
    return _max_pool(input, 3, kernel_size, stride, padding, dilation, ceil_mode)


@layer()
def AvgPool1d(
    input: TensorType,
    /,
    kernel_size: Sizes1,
    stride: Sizes1 | None = None,
    padding: Pads1 = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Lowering:
    """The mean of each window: (N, C, L) -> (N, C, L')."""
    return _avg_pool(
        input, 1, kernel_size, stride, padding, ceil_mode, count_include_pad=count_include_pad
    )


@layer()
def AvgPool2d(
    input: TensorType,
    /,
    kernel_size: Sizes2,
    stride: Sizes2 | None = None,
    padding: Pads2 = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Lowering:
    """The mean of each window: (N, C, H, W) -> (N, C, H', W')."""
    _check_divisor(divisor_override)
    return _avg_pool(
        input,
        2,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


@layer()
def AvgPool3d(
    input: TensorType,
    /,
    kernel_size: Sizes3,
    stride: Sizes3 | None = None,
    padding: Pads3 = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Lowering:
    """The mean of each window: (N, C, D, H, W) -> (N, C, D', H', W')."""
    if input.dtype in ("float16", "bfloat16"):
        raise dtype_fault(input, "AvgPool3d", "float32 or float64")
    _check_divisor(divisor_override)
    return _avg_pool(
        input,
        3,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


@layer()
def AdaptiveAvgPool1d(input: TensorType, /, output_size: Sizes1) -> Lowering:
    """Means over windows such that `output_size` are left: (N, C, L) -> (N, C, output_size)."""
    return _adaptive(input, 1, output_size)


@layer()
def AdaptiveAvgPool2d(
    input: TensorType, /, output_size: Positive | tuple[OrSame, OrSame]
) -> Lowering:
    """Means over windows such that `output_size` are left, null for as many as there are."""
    return _adaptive(input, 2, output_size)


@layer()
def AdaptiveAvgPool3d(
    input: TensorType, /, output_size: Positive | tuple[OrSame, OrSame, OrSame]
) -> Lowering:
    """Means over windows such that `output_size` are left, null for as many as there are."""
    return _adaptive(input, 3, output_size)


def _max_pool(
    input: TensorType,
    axes: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Lowering:
    name = f"MaxPool{axes}d"
    if not (input.is_floating or input.is_integer):
        raise dtype_fault(input, name, "a tensor of real numbers")
    return Lowering(
        _pooled(input, name, axes, kernel_size, stride, padding, dilation, ceil_mode),
        module(
            name,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            ceil_mode=ceil_mode,
        ),
    )


def _avg_pool(
    input: TensorType,
    axes: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    **how: Any,
) -> Lowering:
    name = f"AvgPool{axes}d"
    if input.dtype != "int64":
        floating(input, name)
    return Lowering(
        _pooled(input, name, axes, kernel_size, stride, padding, 1, ceil_mode),
        module(
            name,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            ceil_mode=ceil_mode,
            **how,
        ),
    )


def _check_divisor(divisor: int | None) -> None:
    if divisor == 0:
        raise bad_option("divisor_override", "divisor_override may not be 0")


def _pooled(
    input: TensorType,
    name: str,
    axes: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> TensorType:
    """The type of a pool's result; without a stride the windows stand side by side."""
    with_rank(input, axes + 1, name, SHAPES[axes])
    channels, *sizes = input
    kernel = per_axis(kernel_size, axes)
    strides = kernel if stride is None else per_axis(stride, axes)
    pads, dilations = per_axis(padding, axes), per_axis(dilation, axes)
    for width, pad in zip(kernel, pads, strict=True):
        if 2 * pad > width:
            raise bad_option("padding", f"padding {pad} is more than half of kernel {width}")
    if ceil_mode:
        spatial = map(_slide_up, sizes, kernel, strides, pads, dilations)
    else:
        spatial = map(slide, sizes, kernel, strides, (2 * int(pad) for pad in pads), dilations)
    return input.like(channels, *spatial)


def _slide_up(size: Size, kernel: int, stride: int, padding: int, dilation: int) -> Size:
    """How many windows it takes to cover an axis, of which the last may hang over.

    That is `ceil((size + 2*padding - reach) / stride) + 1`, less the last if it would start in the
    padding at the end: the smaller of two floors with one divisor, so the floor of the smaller.
    """
    stride, padding = int(stride), int(padding)
    reach = int(dilation) * (int(kernel) - 1) + 1
    last = plain(size) + padding - 1 + min(padding + stride - reach, 0)
    if isinstance(last, int) and last < 0:
        raise too_large(int(kernel), int(dilation), last + 1 + reach - stride + padding)
    return unless_same(size, last // stride + 1)


def _adaptive(input: TensorType, axes: int, output_size: Any) -> Lowering:
    name = f"AdaptiveAvgPool{axes}d"
    floating(input, name)
    with_rank(input, axes + 1, name, SHAPES[axes])
    channels, *sizes = input
    wanted = per_axis(output_size, axes)
    spatial = [old if new is None else new for old, new in zip(sizes, wanted, strict=True)]
    return Lowering(input.like(channels, *spatial), module(name, output_size=output_size))
