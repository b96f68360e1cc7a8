"""Pooling layers, and their inverse."""

from __future__ import annotations

from math import isinf
from typing import Any, NamedTuple

from mimgraph.ir.code import Operand
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.lowering import INPUT, RESULT, Lowering, Module, Port, module, module_call
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import COMPLEX, Constraint, TensorType
from mimgraph.ops.axes import (
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
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import bad_option, dtype_fault, floating, same_dims, with_rank


@layer(ports=("output", "indices"), family="pooling")
def MaxPool1d(
    input: TensorType,
    /,
    kernel_size: Sizes1,
    stride: Sizes1 | None = None,
    padding: Pads1 = 0,
    dilation: Sizes1 = 1,
    ceil_mode: bool = False,
) -> Lowering:
    """The largest value of each window: (N, C, L) -> (N, C, L').

    The port `indices` has the index of each value in its channel, for a MaxUnpool1d.

    Example:
        signal: [8, 50]
        {layer: MaxPool1d, from: signal, kernel_size: 2}
    """
    floating(input, "MaxPool1d")
    return _max_pool(input, 1, kernel_size, stride, padding, dilation, ceil_mode)


@layer(ports=("output", "indices"), family="pooling")
def MaxPool2d(
    input: TensorType,
    /,
    kernel_size: Sizes2,
    stride: Sizes2 | None = None,
    padding: Pads2 = 0,
    dilation: Sizes2 = 1,
    ceil_mode: bool = False,
) -> Lowering:
    """The largest value of each window: (N, C, H, W) -> (N, C, H', W').

    The port `indices` has the index of each value in its channel, for a MaxUnpool2d.

    Example:
        image: [3, 32, 32]
        {layer: MaxPool2d, from: image, kernel_size: 2}
    """
    return _max_pool(input, 2, kernel_size, stride, padding, dilation, ceil_mode)


@layer(ports=("output", "indices"), family="pooling")
def MaxPool3d(
    input: TensorType,
    /,
    kernel_size: Sizes3,
    stride: Sizes3 | None = None,
    padding: Pads3 = 0,
    dilation: Sizes3 = 1,
    ceil_mode: bool = False,
) -> Lowering:
    """The largest value of each window: (N, C, D, H, W) -> (N, C, D', H', W').

    The port `indices` has the index of each value in its channel, for a MaxUnpool3d.

    Example:
        volume: [3, 8, 16, 16]
        {layer: MaxPool3d, from: volume, kernel_size: 2}
    """
    return _max_pool(input, 3, kernel_size, stride, padding, dilation, ceil_mode)


@layer(family="pooling")
def AvgPool1d(
    input: TensorType,
    /,
    kernel_size: Sizes1,
    stride: Sizes1 | None = None,
    padding: Pads1 = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Lowering:
    """The mean of each window: (N, C, L) -> (N, C, L').

    Example:
        signal: [8, 50]
        {layer: AvgPool1d, from: signal, kernel_size: 2}
    """
    return _avg_pool(
        input, 1, kernel_size, stride, padding, ceil_mode, count_include_pad=count_include_pad
    )


@layer(family="pooling")
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
    """The mean of each window: (N, C, H, W) -> (N, C, H', W').

    Example:
        image: [3, 32, 32]
        {layer: AvgPool2d, from: image, kernel_size: 2}
    """
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


@layer(family="pooling")
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
    """The mean of each window: (N, C, D, H, W) -> (N, C, D', H', W').

    Example:
        volume: [3, 8, 16, 16]
        {layer: AvgPool3d, from: volume, kernel_size: 2}
    """
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


@layer(family="pooling")
def LPPool1d(
    input: TensorType,
    /,
    norm_type: float,
    kernel_size: Positive,
    stride: Sizes1 | None = None,
    ceil_mode: bool = False,
) -> Lowering:
    """The `norm_type`-norm of each window: (N, C, L) -> (N, C, L').

    `norm_type: 1` is the sum, `.inf` the largest absolute value.

    Example:
        signal: [8, 50]
        {layer: LPPool1d, from: signal, norm_type: 2, kernel_size: 2}
    """
    return _lp_pool(input, 1, norm_type, kernel_size, stride, ceil_mode)


@layer(family="pooling")
def LPPool2d(
    input: TensorType,
    /,
    norm_type: float,
    kernel_size: Sizes2,
    stride: Sizes2 | None = None,
    ceil_mode: bool = False,
) -> Lowering:
    """The `norm_type`-norm of each window: (N, C, H, W) -> (N, C, H', W').

    `norm_type: 1` is the sum, `.inf` the largest absolute value.

    Example:
        image: [8, 32, 32]
        {layer: LPPool2d, from: image, norm_type: 2, kernel_size: 2}
    """
    return _lp_pool(input, 2, norm_type, kernel_size, stride, ceil_mode)


@layer(family="pooling")
def LPPool3d(
    input: TensorType,
    /,
    norm_type: float,
    kernel_size: Sizes3,
    stride: Sizes3 | None = None,
    ceil_mode: bool = False,
) -> Lowering:
    """The `norm_type`-norm of each window: (N, C, D, H, W) -> (N, C, D', H', W').

    `norm_type: 1` is the sum, `.inf` the largest absolute value.

    Example:
        volume: [8, 8, 16, 16]
        {layer: LPPool3d, from: volume, norm_type: 2, kernel_size: 2}
    """
    if input.dtype in ("float16", "bfloat16") and not isinf(norm_type):
        raise dtype_fault(input, "LPPool3d", "float32 or float64")
    return _lp_pool(input, 3, norm_type, kernel_size, stride, ceil_mode)


def _max_pool(
    input: TensorType,
    axes: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Lowering:
    """Return a max pooling."""
    name = f"MaxPool{axes}d"
    if not (input.is_floating or input.is_integer):
        raise dtype_fault(input, name, "a tensor of real numbers")
    return with_indices(
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


def with_indices(output: TensorType, made: Module) -> Lowering:
    """Return a pooling with a port for the index of each value in its plane, as torch returns it."""
    indices = Port(output.cast("int64"), RESULT.at(1), needs={"return_indices": True})
    return Lowering(
        output,
        made,
        ports={
            "output": Port(output, RESULT.at(0), alone=module_call(INPUT)),
            "indices": indices,
        },
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
    """Return an average pooling."""
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


def _lp_pool(
    input: TensorType,
    axes: int,
    norm_type: float,
    kernel_size: Any,
    stride: Any,
    ceil_mode: bool,
) -> Lowering:
    """Return a power-average pooling."""
    name = f"LPPool{axes}d"
    if norm_type == 0:
        raise bad_option("norm_type", "norm_type may not be 0")
    if input.dtype in COMPLEX or (isinf(norm_type) and input.dtype == "bool"):
        raise dtype_fault(input, name, "a tensor of real numbers")
    if isinf(norm_type) and axes == 1:
        floating(input, name)
    pooled = _pooled(input, name, axes, kernel_size, stride, 0, 1, ceil_mode)
    if not input.is_floating and not isinf(norm_type):
        pooled = pooled.cast("float32")
    return Lowering(
        pooled,
        module(
            name,
            norm_type=norm_type,
            kernel_size=kernel_size,
            stride=stride,
            ceil_mode=ceil_mode,
        ),
    )


def _check_divisor(divisor: int | None) -> None:
    """Refuse a divisor of 0."""
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
    """Return the type of the result; without a stride the windows do not overlap."""
    with_rank(input, axes + 1, name, SHAPES[axes])
    channels, *sizes = input
    kernel = per_axis(kernel_size, axes)
    strides = kernel if stride is None else per_axis(stride, axes)
    pads, dilations = per_axis(padding, axes), per_axis(dilation, axes)
    for width, pad in zip(kernel, pads, strict=True):
        if 2 * pad > width:
            message = f"padding {pad} is more than half of kernel_size {width}"
            raise bad_option("padding", message, f"at most {width // 2}")
    if ceil_mode:
        spatial = map(_slide_up, sizes, kernel, strides, pads, dilations)
    else:
        spatial = map(slide, sizes, kernel, strides, (2 * int(pad) for pad in pads), dilations)
    return input.like(channels, *spatial)


def _slide_up(size: Size, kernel: int, stride: int, padding: int, dilation: int) -> Size:
    """Return the number of windows that cover an axis, the last of which may extend past its end.

    That is `ceil((size + 2*padding - reach) / stride) + 1`, minus 1 if the last window would start
    in the padding at the end. Both are floors with one divisor, so this is the floor of the smaller.
    """
    stride, padding = int(stride), int(padding)
    reach = int(dilation) * (int(kernel) - 1) + 1
    last = plain(size) + padding - 1 + min(padding + stride - reach, 0)
    if isinstance(last, int) and last < 0:
        raise too_large(int(kernel), int(dilation), last + 1 + reach - stride + padding)
    return unless_same(size, last // stride + 1)


# Define unpooling, which puts the values of a max pooling back at their indices.


class UnpoolInputs(NamedTuple):
    input: TensorType
    indices: TensorType


@layer(family="unpooling")
def MaxUnpool1d(
    inputs: UnpoolInputs,
    /,
    kernel_size: Sizes1,
    stride: Sizes1 | None = None,
    padding: Pads1 = 0,
    *,
    output_size: tuple[Size] | None = None,
) -> Lowering:
    """Each value at the index where MaxPool1d found it, the rest 0: (N, C, L) -> (N, C, L').

    `indices` is a port of the pooling; `output_size` selects one of several possible lengths.

    Example:
        x: [4, 6]
        indices: {shape: [4, 6], dtype: int64}
        {layer: MaxUnpool1d, from: [x, indices], kernel_size: 2}
    """
    return _unpool(inputs, 1, kernel_size, stride, padding, output_size)


@layer(family="unpooling")
def MaxUnpool2d(
    inputs: UnpoolInputs,
    /,
    kernel_size: Sizes2,
    stride: Sizes2 | None = None,
    padding: Pads2 = 0,
    *,
    output_size: tuple[Size, Size] | None = None,
) -> Lowering:
    """Each value at the index where MaxPool2d found it, the rest 0: (N, C, H, W) -> (N, C, H', W').

    `indices` is a port of the pooling; `output_size` selects one of several possible sizes.

    Example:
        x: [4, 6, 6]
        indices: {shape: [4, 6, 6], dtype: int64}
        {layer: MaxUnpool2d, from: [x, indices], kernel_size: 2, output_size: [13, 12]}
    """
    return _unpool(inputs, 2, kernel_size, stride, padding, output_size)


@layer(family="unpooling")
def MaxUnpool3d(
    inputs: UnpoolInputs,
    /,
    kernel_size: Sizes3,
    stride: Sizes3 | None = None,
    padding: Pads3 = 0,
    *,
    output_size: tuple[Size, Size, Size] | None = None,
) -> Lowering:
    """Each value at the index where MaxPool3d found it, the rest 0: (N, C, *) -> (N, C, *).

    `indices` is a port of the pooling; `output_size` selects one of several possible sizes.

    Example:
        x: [4, 6, 6, 6]
        indices: {shape: [4, 6, 6, 6], dtype: int64}
        {layer: MaxUnpool3d, from: [x, indices], kernel_size: 2}
    """
    return _unpool(inputs, 3, kernel_size, stride, padding, output_size)


def _unpool(
    inputs: UnpoolInputs,
    axes: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: tuple[Size, ...] | None,
) -> Lowering:
    """Return an unpooling."""
    name, x = f"MaxUnpool{axes}d", inputs.input
    floating(x, name, "input")
    with_rank(x, axes + 1, name, SHAPES[axes], "input")
    _check_indices(inputs, name, axes)
    channels, *sizes = x
    kernel, pads = per_axis(kernel_size, axes), per_axis(padding, axes)
    strides = kernel if stride is None else per_axis(stride, axes)
    spread = list(map(_spread, sizes, kernel, strides, pads))
    requires: list[Constraint] = []
    for whole, wanted, step in zip(spread, output_size or (), strides, strict=False):
        requires += _within(wanted, whole, int(step))
    keywords = {} if output_size is None else {"output_size": output_size}
    return Lowering(
        x.like(channels, *(output_size or spread)),
        module(name, kernel_size=kernel_size, stride=stride, padding=padding),
        module_call(Operand("input"), Operand("indices"), **keywords),
        requires=tuple(requires),
    )


def _check_indices(inputs: UnpoolInputs, name: str, axes: int) -> None:
    """Refuse indices that a pooling of the values would not give."""
    x, indices = inputs
    if indices.dtype != "int64":
        raise OpFault(
            "dtype-mismatch",
            f"{name} takes int64 indices",
            source="indices",
            note=indices.dtype,
            help=f"take the port indices of a MaxPool{axes}d",
        )
    if x.batched != indices.batched or not same_dims(x, indices):
        raise OpFault(
            "shape-mismatch",
            f"{name} needs one index for each value",
            source="indices",
            note=f"{indices}, but {{input}} is {x}",
            help=f"take the port indices of a MaxPool{axes}d",
            mentions=("indices", "input"),
        )


def _spread(size: Size, kernel: int, stride: int, padding: int) -> Size:
    """Return the size whose windows, all of them full, number `size`."""
    return (plain(size) - 1) * int(stride) + int(kernel) - 2 * int(padding)


def _within(wanted: Size, whole: Size, stride: int) -> list[Constraint]:
    """Return the constraints that `wanted` differs by less than a stride from `whole`."""
    requires = []
    for distance in (wanted - whole, whole - wanted):
        near = at_least(stride - 1, distance)
        if near is False:
            raise bad_option(
                "output_size", f"output_size {wanted} is not within stride {stride} of {whole}"
            )
        room = stride - distance
        if near is None and isinstance(room, Dim):
            requires.append(Constraint(room, minimum=1))
    return requires
