"""Define unpooling, which puts the values of a max pooling back at their indices."""

from __future__ import annotations

from typing import Any, NamedTuple

from mimgraph.ir.code import Operand
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.lowering import Lowering, module, module_call
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.layers.spatial.window import (
    SHAPES,
    Pads1,
    Pads2,
    Pads3,
    Sizes1,
    Sizes2,
    Sizes3,
    per_axis,
    plain,
)
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import bad_option, floating, same_dims, with_rank


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
