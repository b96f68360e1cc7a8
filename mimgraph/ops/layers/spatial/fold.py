"""Define Unfold and Fold: the windows of an image as columns, and columns added up to an image."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.types import COMPLEX, FLOATING, TensorType
from mimgraph.ops.layers.shape.reshape import divided
from mimgraph.ops.layers.spatial.window import SHAPES, Pads2, Sizes2, per_axis, slide
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import bad_option, dtype_fault, known, with_rank


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
