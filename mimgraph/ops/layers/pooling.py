"""Pooling layers, and their inverse."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import isinf
from typing import Annotated, Any, NamedTuple, TypeAlias

from mimgraph.ir.code import Operand
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import INPUT, RESULT, Lowering, Module, Port, module, module_call
from mimgraph.ir.option_types import Positive, PositiveFloat
from mimgraph.ir.types import COMPLEX, Constraint, TensorType
from mimgraph.ops.axes import (
    SHAPES,
    Pads,
    Sizes,
    each,
    lone_or_each,
    over_axes,
    per_axis,
    scaled,
    slide,
    too_large,
    unless_same,
)
from mimgraph.ops.layer_call import layer
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import bad_option, dtype_fault, floating, same_dims, with_rank

# AvgPool1d has no divisor, and LPPool1d takes no list
Divisor: TypeAlias = Annotated[Any, lambda axes: None if axes == 1 else int | None]
LPSizes: TypeAlias = Annotated[
    Any, lambda axes: Positive if axes == 1 else lone_or_each(Positive, axes)
]


@over_axes(1, 2, 3, register=layer(ports=("output", "indices"), family="pooling"))
def MaxPool(
    input: TensorType,
    /,
    axes: int,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Pads = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Lowering:
    """The largest value of each window: (N, C, {L|H, W|D, H, W}) -> (N, C, {L'|H', W'|D', H', W'}).

    The port `indices` has the index of each value in its channel, for a MaxUnpool{1d|2d|3d}.

    Example:
        signal: [8, 50]
        {layer: MaxPool1d, from: signal, kernel_size: 2}

    Example:
        image: [3, 32, 32]
        {layer: MaxPool2d, from: image, kernel_size: 2}

    Example:
        volume: [3, 8, 16, 16]
        {layer: MaxPool3d, from: volume, kernel_size: 2}
    """
    name = f"MaxPool{axes}d"
    if axes == 1:
        floating(input, name)
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


@over_axes(1, 2, 3, register=layer(family="pooling"))
def AvgPool(
    input: TensorType,
    /,
    axes: int,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Pads = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Divisor = None,
) -> Lowering:
    """The mean of each window: (N, C, {L|H, W|D, H, W}) -> (N, C, {L'|H', W'|D', H', W'}).

    Example:
        signal: [8, 50]
        {layer: AvgPool1d, from: signal, kernel_size: 2}

    Example:
        image: [3, 32, 32]
        {layer: AvgPool2d, from: image, kernel_size: 2}

    Example:
        volume: [3, 8, 16, 16]
        {layer: AvgPool3d, from: volume, kernel_size: 2}
    """
    name = f"AvgPool{axes}d"
    if axes == 3 and input.dtype in ("float16", "bfloat16"):
        raise dtype_fault(input, name, "float32 or float64")
    if divisor_override == 0:
        raise bad_option("divisor_override", "divisor_override may not be 0")
    if input.dtype != "int64":
        floating(input, name)
    divisor = {} if axes == 1 else {"divisor_override": divisor_override}
    return Lowering(
        _pooled(input, name, axes, kernel_size, stride, padding, 1, ceil_mode),
        module(
            name,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
            **divisor,
        ),
    )


@over_axes(1, 2, 3, register=layer(family="pooling"))
def LPPool(
    input: TensorType,
    /,
    axes: int,
    norm_type: float,
    kernel_size: LPSizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Lowering:
    """The `norm_type`-norm of each window: (N, C, {L|H, W|D, H, W}) -> (N, C, {L'|H', W'|D', H', W'}).

    `norm_type: 1` is the sum, `.inf` the largest absolute value.

    Example:
        signal: [8, 50]
        {layer: LPPool1d, from: signal, norm_type: 2, kernel_size: 2}

    Example:
        image: [8, 32, 32]
        {layer: LPPool2d, from: image, norm_type: 2, kernel_size: 2}

    Example:
        volume: [8, 8, 16, 16]
        {layer: LPPool3d, from: volume, norm_type: 2, kernel_size: 2}
    """
    name = f"LPPool{axes}d"
    is_largest = isinf(norm_type)
    if axes == 3 and input.dtype in ("float16", "bfloat16") and not is_largest:
        raise dtype_fault(input, name, "float32 or float64")
    if norm_type == 0:
        raise bad_option("norm_type", "norm_type may not be 0")
    if input.dtype in COMPLEX or (is_largest and input.dtype == "bool"):
        raise dtype_fault(input, name, "a tensor of real numbers")
    if is_largest and axes == 1:
        floating(input, name)
    pooled = _pooled(input, name, axes, kernel_size, stride, 0, 1, ceil_mode)
    if not input.is_floating and not is_largest:
        pooled = pooled.cast("float32")
    return Lowering(
        pooled,
        module(
            name, norm_type=norm_type, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode
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


# Define adaptive and fractional pooling, which are given the size of their result.

# a size that is null stays as it is, except for the only axis
SizesOrSame: TypeAlias = Annotated[
    Any,
    lambda axes: Positive | each(Positive if axes == 1 else Positive | None, axes),
]
Ratios: TypeAlias = Annotated[Any, partial(lone_or_each, PositiveFloat)]


@over_axes(1, 2, 3, register=layer(family="adaptive_pooling"))
def AdaptiveAvgPool(input: TensorType, /, axes: int, output_size: SizesOrSame) -> Lowering:
    """The means of `output_size` windows: {(N, C, L) -> (N, C, output_size)|(N, C, H, W) -> (N, C, *output_size)|(N, C, D, H, W) -> same rank}.

    {|With size 1 it is global average pooling (Lin et al. 2014). A size that is null stays as it is.|A size that is null stays as it is.}

    Example:
        signal: [8, 50]
        {layer: AdaptiveAvgPool1d, from: signal, output_size: 5}

    Example:
        image: [3, 32, 32]
        {layer: AdaptiveAvgPool2d, from: image, output_size: 1}

    Example:
        volume: [3, 8, 16, 16]
        {layer: AdaptiveAvgPool3d, from: volume, output_size: [null, 4, 4]}
    """
    name = f"AdaptiveAvgPool{axes}d"
    return Lowering(_adapted(input, name, axes, output_size), module(name, output_size=output_size))


@over_axes(1, 2, 3, register=layer(ports=("output", "indices"), family="adaptive_pooling"))
def AdaptiveMaxPool(input: TensorType, /, axes: int, output_size: SizesOrSame) -> Lowering:
    """The maxima of `output_size` windows: (N, C, {L|H, W|D, H, W}) -> (N, C, {output_size|*output_size|*output_size}).

    {|A size that is null stays as it is.|A size that is null stays as it is.}

    Example:
        signal: [8, 50]
        {layer: AdaptiveMaxPool1d, from: signal, output_size: 5}

    Example:
        image: [8, 32, 32]
        {layer: AdaptiveMaxPool2d, from: image, output_size: [4, null]}

    Example:
        volume: [8, 8, 16, 16]
        {layer: AdaptiveMaxPool3d, from: volume, output_size: [1, 4, 4]}
    """
    name = f"AdaptiveMaxPool{axes}d"
    adapted = _adapted(input, name, axes, output_size)
    return with_indices(adapted, module(name, output_size=output_size))


def _adapted(input: TensorType, name: str, axes: int, output_size: Any) -> TensorType:
    """Check the input, and return its type with the sizes that are wanted."""
    floating(input, name)
    with_rank(input, axes + 1, name, SHAPES[axes])
    channels, *sizes = input
    wanted = per_axis(output_size, axes)
    spatial = [old if new is None else new for old, new in zip(sizes, wanted, strict=True)]
    return input.like(channels, *spatial)


@over_axes(2, 3, register=layer(ports=("output", "indices"), family="adaptive_pooling"))
def FractionalMaxPool(
    input: TensorType,
    /,
    axes: int,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: Ratios | None = None,
) -> Lowering:
    """The maxima of windows at random steps, also in eval: (N, C, {H, W|D, H, W}) -> (N, C, {H', W'|D', H', W'}).

    Graham 2015. Give either `output_size` or `output_ratio`, a fraction of the input's size.

    Example:
        image: [8, 32, 32]
        {layer: FractionalMaxPool2d, from: image, kernel_size: 2, output_ratio: 0.7}

    Example:
        volume: [8, 8, 16, 16]
        {layer: FractionalMaxPool3d, from: volume, kernel_size: 2, output_size: [4, 8, 8]}
    """
    name = f"FractionalMaxPool{axes}d"
    floating(input, name)
    with_rank(input, axes + 1, name, SHAPES[axes])
    channels, *sizes = input
    wanted = _result_sizes(name, sizes, output_size, output_ratio)
    option = "output_size" if output_ratio is None else "output_ratio"
    requires: list[Constraint] = []
    for size, left, width in zip(sizes, wanted, per_axis(kernel_size, axes), strict=True):
        reach = left + int(width) - 1 + (axes == 3)  # over volumes torch wants one more
        enough = at_least(size, reach)
        if enough is False:
            raise bad_option(
                option,
                f"with kernel_size {width}, {left} windows need a size of {reach}, but it is {size}",
            )
        if enough is None:
            room = size - reach
            assert isinstance(room, Dim)
            requires.append(Constraint(room, minimum=0))
    made = module(name, kernel_size=kernel_size, output_size=output_size, output_ratio=output_ratio)
    return replace(with_indices(input.like(channels, *wanted), made), requires=tuple(requires))


def _result_sizes(
    name: str, sizes: list[Size], output_size: Any, output_ratio: Any
) -> tuple[Size, ...]:
    """Return the sizes of the result of a fractional pooling."""
    if output_size is None and output_ratio is None:
        raise OpFault(
            "missing-option", f"{name} needs output_size or output_ratio", option="output_size"
        )
    if output_ratio is None:
        return per_axis(output_size, len(sizes))
    if output_size is not None:
        raise bad_option("output_ratio", f"{name} takes output_size or output_ratio, not both")
    ratios = per_axis(output_ratio, len(sizes))
    for ratio in ratios:
        if not 0 < ratio < 1:
            raise bad_option("output_ratio", f"output_ratio {ratio} is not between 0 and 1")
    return tuple(scaled(s, r, "output_ratio") for s, r in zip(sizes, ratios, strict=True))


# Define unpooling, which puts the values of a max pooling back at their indices.


OutputSize: TypeAlias = Annotated[Any, lambda axes: each(Size, axes) | None]


class UnpoolInputs(NamedTuple):
    input: TensorType
    indices: TensorType


@over_axes(1, 2, 3, register=layer(family="unpooling"))
def MaxUnpool(
    inputs: UnpoolInputs,
    /,
    axes: int,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Pads = 0,
    *,
    output_size: OutputSize = None,
) -> Lowering:
    """Each value at the index where MaxPool{1d|2d|3d} found it, the rest 0: {(N, C, L) -> (N, C, L')|(N, C, H, W) -> (N, C, H', W')|(N, C, *) -> (N, C, *)}.

    `indices` is a port of the pooling; `output_size` selects one of several possible {lengths|sizes|sizes}.

    Example:
        x: [4, 6]
        indices: {shape: [4, 6], dtype: int64}
        {layer: MaxUnpool1d, from: [x, indices], kernel_size: 2}

    Example:
        x: [4, 6, 6]
        indices: {shape: [4, 6, 6], dtype: int64}
        {layer: MaxUnpool2d, from: [x, indices], kernel_size: 2, output_size: [13, 12]}

    Example:
        x: [4, 6, 6, 6]
        indices: {shape: [4, 6, 6, 6], dtype: int64}
        {layer: MaxUnpool3d, from: [x, indices], kernel_size: 2}
    """
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
    spread: Size = (plain(size) - 1) * int(stride) + int(kernel) - 2 * int(padding)
    return spread


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
