"""Convolution layers, and Unfold and Fold, which take its windows apart."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any, Literal, TypeAlias

from mimgraph.ir.dim import Size
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import COMPLEX, FLOATING, TensorType
from mimgraph.ops.axes import (
    SHAPES,
    Pads,
    Pads2,
    Sizes,
    Sizes2,
    check_pads,
    over_axes,
    per_axis,
    slide,
    unless_same,
)
from mimgraph.ops.layer_call import layer
from mimgraph.ops.layers.linear import normalized_weight
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    bad_option,
    divided,
    dtype_fault,
    fitting,
    known,
    weighted,
    weights,
    with_rank,
)

Padding: TypeAlias = Literal["same", "valid"]
PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]


@over_axes(1, 2, 3, register=layer("in_channels", family="convolution"))
@normalized_weight
def Conv(
    input: TensorType,
    /,
    axes: int,
    out_channels: Size,
    kernel_size: Sizes,
    stride: Sizes = 1,
    padding: Padding | Pads = 0,
    dilation: Sizes = 1,
    groups: Positive = 1,
    bias: bool = True,
    padding_mode: PaddingMode = "zeros",
) -> Lowering:
    """Convolution over {one axis|two axes|three axes}: (N, C, {L|H, W|D, H, W}) -> (N, out_channels, {L'|H', W'|D', H', W'}).

    `padding` is one number, a list of one an axis, `same` (sizes stay, needs stride 1) or `valid` (0).

    Example:
        signal: [8, 50]
        {layer: Conv1d, from: signal, out_channels: 16, kernel_size: 3, padding: same}

    Example:
        image: [3, 32, 32]
        {layer: Conv2d, from: image, out_channels: 16, kernel_size: 3, padding: 1}

    Example:
        volume: [3, 8, 16, 16]
        {layer: Conv3d, from: volume, out_channels: 16, kernel_size: 3, padding: 1}
    """
    name = f"Conv{axes}d"
    sizes, in_channels, out_channels = _channels(input, name, axes, out_channels, groups)
    kernel, strides, dilations = (per_axis(v, axes) for v in (kernel_size, stride, dilation))
    pads = _pads(padding, kernel, strides, dilations)
    requires = check_pads(padding_mode, sizes, pads)
    spatial = map(slide, sizes, kernel, strides, map(sum, pads), dilations)
    weight = (out_channels, int(in_channels) // int(groups), *kernel)
    result = input.like(out_channels, *spatial)
    return Lowering(
        result,
        module(
            name,
            weights(weight, out_channels, bias),
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
        products=((*result.shape, in_channels // groups, *kernel),),
    )


@over_axes(1, 2, 3, register=layer("in_channels", family="convolution"))
@normalized_weight
def ConvTranspose(
    input: TensorType,
    /,
    axes: int,
    out_channels: Size,
    kernel_size: Sizes,
    stride: Sizes = 1,
    padding: Pads = 0,
    output_padding: Pads = 0,
    groups: Positive = 1,
    bias: bool = True,
    dilation: Sizes = 1,
    padding_mode: Literal["zeros"] = "zeros",
) -> Lowering:
    """The transpose of a convolution over {one axis|two axes|three axes}: (N, C, {L|H, W|D, H, W}) -> (N, out_channels, {L'|H', W'|D', H', W'}).

    Zeiler et al. 2010. A strided convolution maps several sizes to one; this gives the smallest of
    them, plus `output_padding`.

    Example:
        signal: [8, 50]
        {layer: ConvTranspose1d, from: signal, out_channels: 4, kernel_size: 3, stride: 2}

    Example:
        image: [8, 16, 16]
        {layer: ConvTranspose2d, from: image, out_channels: 4, kernel_size: 3, stride: 2, output_padding: 1}

    Example:
        volume: [8, 4, 8, 8]
        {layer: ConvTranspose3d, from: volume, out_channels: 4, kernel_size: 3, stride: 2}
    """
    name = f"ConvTranspose{axes}d"
    sizes, in_channels, out_channels = _channels(input, name, axes, out_channels, groups)
    kernel, strides, pads, extras, dilations = (
        per_axis(v, axes) for v in (kernel_size, stride, padding, output_padding, dilation)
    )
    for extra, step, gap in zip(extras, strides, dilations, strict=True):
        if extra >= max(step, gap):
            raise bad_option(
                "output_padding", f"output_padding {extra} must be less than stride or dilation"
            )
    spatial = map(_spread, sizes, kernel, strides, pads, extras, dilations)
    weight = (in_channels, int(out_channels) // int(groups), *kernel)
    return Lowering(
        input.like(out_channels, *spatial),
        module(
            name,
            weights(weight, out_channels, bias),
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            groups=groups,
            bias=bias,
            dilation=dilation,
            padding_mode=padding_mode,
        ),
        products=((*input.shape, out_channels // groups, *kernel),),
    )


def _channels(
    input: TensorType, name: str, axes: int, out_channels: Size, groups: int
) -> tuple[list[Size], int, int]:
    """Return the sizes behind the channels, and the numbers of channels, which `groups` divides."""
    weighted(input, name)
    with_rank(input, axes + 1, name, SHAPES[axes])
    in_channels, *sizes = input
    given = known(in_channels, "in_channels")
    wanted = known(out_channels, "out_channels")
    check_groups(groups, in_channels=given, out_channels=wanted)
    return sizes, given, wanted


def _spread(
    size: Size, kernel: int, stride: int, padding: int, output_padding: int, dilation: int
) -> Size:
    """Return the size of the result of a transposed convolution along one axis."""
    reach = int(dilation) * (int(kernel) - 1) + 1
    spread = (plain(size) - 1) * int(stride) + reach - 2 * int(padding) + int(output_padding)
    return unless_same(size, spread)


def check_groups(groups: int, **channels: int) -> None:
    """Refuse groups that do not divide both numbers of channels."""
    for what, count in channels.items():
        if int(count) % int(groups):
            help = fitting("groups", groups, *channels.values())
            raise bad_option("groups", f"groups {groups} does not divide {what} {count}", help)


def _pads(padding: Any, *window: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the padding before and after each axis; `window` is the kernel, stride and dilation."""
    kernel, stride, dilation = window
    if padding == "valid":
        padding = 0
    if padding != "same":
        return [(int(pad), int(pad)) for pad in per_axis(padding, len(kernel))]
    if any(step != 1 for step in stride):
        raise bad_option("padding", "padding 'same' needs stride 1")
    totals = [int(d) * (int(k) - 1) for k, d in zip(kernel, dilation, strict=True)]
    return [(total // 2, total - total // 2) for total in totals]


# Define Unfold and Fold: the windows of an image as columns, and columns added up to an image.


@layer(family="fold")
def Unfold(
    input: TensorType,
    /,
    kernel_size: Sizes2,
    dilation: Sizes2 = 1,
    padding: Pads2 = 0,
    stride: Sizes2 = 1,
) -> Lowering:
    """Each window as a column, im2col: (N, C, H, W) -> (N, C * kernel, windows).

    Example:
        image: [3, 32, 32]
        {layer: Unfold, from: image, kernel_size: 8, stride: 8}
    """
    _check_dtype(input, "Unfold")
    with_rank(input, 3, "Unfold", SHAPES[2])
    channels, *sizes = input
    return Lowering(
        input.like(
            channels * _area(kernel_size), _windows(sizes, kernel_size, dilation, padding, stride)
        ),
        module(
            "Unfold", kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
        ),
    )


@layer(family="fold")
def Fold(
    input: TensorType,
    /,
    output_size: Sizes2,
    kernel_size: Sizes2,
    dilation: Sizes2 = 1,
    padding: Pads2 = 0,
    stride: Sizes2 = 1,
) -> Lowering:
    """Columns added up at the windows that they come from: (N, C * kernel, windows) -> (N, C, *output_size).

    It is the inverse of an `Unfold` with the same windows, but sums where windows overlap.

    Example:
        columns: [192, 16]
        {layer: Fold, from: columns, output_size: 32, kernel_size: 8, stride: 8}
    """
    _check_dtype(input, "Fold")
    with_rank(input, 2, "Fold", "(N, C * kernel, windows)")
    columns, given = input
    wanted = _windows(per_axis(output_size, 2), kernel_size, dilation, padding, stride)
    if known(given, "the number of windows") != wanted:
        raise bad_option(
            "output_size", f"output_size has {wanted} windows, but the input has {given}"
        )
    area = _area(kernel_size)
    split = divided(columns, area)
    if split is None:
        raise OpFault(
            "shape-mismatch",
            f"Fold needs a multiple of the kernel's {area} elements on the first axis behind the batch",
            note=str(input),
        )
    channels, requires = split
    return Lowering(
        input.like(channels, *map(int, per_axis(output_size, 2))),
        module(
            "Fold",
            output_size=output_size,
            kernel_size=kernel_size,
            dilation=dilation,
            padding=padding,
            stride=stride,
        ),
        requires=requires,
    )


def _check_dtype(input: TensorType, name: str) -> None:
    """Refuse integers."""
    if input.dtype not in (*FLOATING, *COMPLEX, "bool"):
        raise dtype_fault(input, name, "a floating-point tensor")


def _area(kernel_size: Any) -> int:
    """Return the number of elements in a kernel."""
    return prod(map(int, per_axis(kernel_size, 2)))


def _windows(sizes: Iterable[Size], kernel: Any, dilation: Any, padding: Any, stride: Any) -> Size:
    """Return the number of windows in an image."""
    return prod(windows_of(sizes, kernel, dilation, padding, stride))


def windows_of(
    sizes: Iterable[Size], kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[Size, ...]:
    """Return the number of windows along each of the two axes."""
    pads = (2 * int(pad) for pad in per_axis(padding, 2))
    steps, gaps = per_axis(stride, 2), per_axis(dilation, 2)
    return tuple(map(slide, sizes, per_axis(kernel_size, 2), steps, pads, gaps))
