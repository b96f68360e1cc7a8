"""Define Flatten and Unflatten."""

from __future__ import annotations

from math import prod
from typing import Literal

from mimgraph.ir.code import Code
from mimgraph.ir.lowering import INPUT, Lowering, module
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import TensorType
from mimgraph.ops.layers.shape.reshape import divided, moved, product
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import axis_index, bad_option, same_size, without_axes


@layer(family="flatten")
def Flatten(input: TensorType, /, start_dim: int = 1, end_dim: int = -1) -> Lowering:
    """Axes `start_dim` to `end_dim` as one: (N, *) -> (N, D).

    Example:
        image: [3, 32, 32]
        {layer: Flatten, from: image}
    """
    if not input.dims:
        raise without_axes(input, "Flatten takes (N, *)")
    start = axis_index(input, start_dim, "start_dim")
    end = axis_index(input, end_dim, "end_dim")
    if start > end:
        raise bad_option("start_dim", f"start_dim {start_dim} is after end_dim {end_dim}")
    dims = input.dims
    return Lowering(
        moved(input, *dims[:start], product(dims[start : end + 1]), *dims[end + 1 :]),
        module("Flatten", start_dim=start_dim, end_dim=end_dim),
        function=flattened(INPUT, start_dim, end_dim),
        makes=(),
        gathers=start < end,
    )


@layer(family="flatten")
def Unflatten(
    input: TensorType, /, dim: int, unflattened_size: tuple[Positive | Literal[-1], ...]
) -> Lowering:
    """One axis as several, the size of one may be -1: (N, A * B) -> (N, A, B) for dim 1.

    Example:
        x: [48]
        {layer: Unflatten, from: x, dim: 1, unflattened_size: [3, 4, 4]}
    """
    index = axis_index(input, dim)
    size, sizes = input.dims[index], unflattened_size
    if not sizes or sizes.count(-1) > 1:
        raise bad_option(
            "unflattened_size", "unflattened_size is a list of sizes, at most one of them -1"
        )
    given = prod(int(part) for part in sizes if part != -1)
    if -1 not in sizes and not same_size(size, given):
        raise bad_option(
            "unflattened_size", f"the product of the sizes is {given}, but the axis has {size}"
        )
    split = divided(size, given)
    if split is None:
        raise bad_option("unflattened_size", f"no size fits -1: {given} does not divide {size}")
    rest, requires = split
    parts = [rest if part == -1 else part for part in sizes]
    return Lowering(
        moved(input, *input.dims[:index], *parts, *input.dims[index + 1 :]),
        module("Unflatten", dim=dim, unflattened_size=sizes),
        function=INPUT.method("unflatten", dim, sizes),
        requires=requires,
        makes=(),
    )


def flattened(x: Code, start: int, end: int) -> Code:
    """Return the code `x.flatten(start, end)`, without `end` where it is -1, the default."""
    return x.method("flatten", start, *(() if end == -1 else (end,)))
