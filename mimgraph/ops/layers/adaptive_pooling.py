"""Define adaptive and fractional pooling, which are given the size of their result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Positive, PositiveFloat
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.axes import SHAPES, Sizes1, Sizes2, Sizes3, per_axis, scaled
from mimgraph.ops.layers.pooling import with_indices
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import bad_option, floating, with_rank

OrSame: TypeAlias = Positive | None
Ratios2: TypeAlias = PositiveFloat | tuple[PositiveFloat, PositiveFloat]
Ratios3: TypeAlias = PositiveFloat | tuple[PositiveFloat, PositiveFloat, PositiveFloat]


@layer(family="adaptive_pooling")
def AdaptiveAvgPool1d(input: TensorType, /, output_size: Sizes1) -> Lowering:
    """The means of `output_size` windows: (N, C, L) -> (N, C, output_size).

    Example:
        signal: [8, 50]
        {layer: AdaptiveAvgPool1d, from: signal, output_size: 5}
    """
    return _adaptive(input, 1, output_size)


@layer(family="adaptive_pooling")
def AdaptiveAvgPool2d(
    input: TensorType, /, output_size: Positive | tuple[OrSame, OrSame]
) -> Lowering:
    """The means of `output_size` windows: (N, C, H, W) -> (N, C, *output_size).

    With size 1 it is global average pooling (Lin et al. 2014). A size that is null stays as it is.

    Example:
        image: [3, 32, 32]
        {layer: AdaptiveAvgPool2d, from: image, output_size: 1}
    """
    return _adaptive(input, 2, output_size)


@layer(family="adaptive_pooling")
def AdaptiveAvgPool3d(
    input: TensorType, /, output_size: Positive | tuple[OrSame, OrSame, OrSame]
) -> Lowering:
    """The means of `output_size` windows: (N, C, D, H, W) -> same rank.

    A size that is null stays as it is.

    Example:
        volume: [3, 8, 16, 16]
        {layer: AdaptiveAvgPool3d, from: volume, output_size: [null, 4, 4]}
    """
    return _adaptive(input, 3, output_size)


@layer(ports=("output", "indices"), family="adaptive_pooling")
def AdaptiveMaxPool1d(input: TensorType, /, output_size: Sizes1) -> Lowering:
    """The maxima of `output_size` windows: (N, C, L) -> (N, C, output_size).

    Example:
        signal: [8, 50]
        {layer: AdaptiveMaxPool1d, from: signal, output_size: 5}
    """
    name = "AdaptiveMaxPool1d"
    return with_indices(
        _adapted(input, name, 1, output_size), module(name, output_size=output_size)
    )


@layer(ports=("output", "indices"), family="adaptive_pooling")
def AdaptiveMaxPool2d(
    input: TensorType, /, output_size: Positive | tuple[OrSame, OrSame]
) -> Lowering:
    """The maxima of `output_size` windows: (N, C, H, W) -> (N, C, *output_size).

    A size that is null stays as it is.

    Example:
        image: [8, 32, 32]
        {layer: AdaptiveMaxPool2d, from: image, output_size: [4, null]}
    """
    name = "AdaptiveMaxPool2d"
    return with_indices(
        _adapted(input, name, 2, output_size), module(name, output_size=output_size)
    )


@layer(ports=("output", "indices"), family="adaptive_pooling")
def AdaptiveMaxPool3d(
    input: TensorType, /, output_size: Positive | tuple[OrSame, OrSame, OrSame]
) -> Lowering:
    """The maxima of `output_size` windows: (N, C, D, H, W) -> (N, C, *output_size).

    A size that is null stays as it is.

    Example:
        volume: [8, 8, 16, 16]
        {layer: AdaptiveMaxPool3d, from: volume, output_size: [1, 4, 4]}
    """
    name = "AdaptiveMaxPool3d"
    return with_indices(
        _adapted(input, name, 3, output_size), module(name, output_size=output_size)
    )


@layer(ports=("output", "indices"), family="adaptive_pooling")
def FractionalMaxPool2d(
    input: TensorType,
    /,
    kernel_size: Sizes2,
    output_size: Sizes2 | None = None,
    output_ratio: Ratios2 | None = None,
) -> Lowering:
    """The maxima of windows at random steps, also in eval: (N, C, H, W) -> (N, C, H', W').

    Graham 2015. Give either `output_size` or `output_ratio`, a fraction of the input's size.

    Example:
        image: [8, 32, 32]
        {layer: FractionalMaxPool2d, from: image, kernel_size: 2, output_ratio: 0.7}
    """
    return _fractional(input, 2, kernel_size, output_size, output_ratio)


@layer(ports=("output", "indices"), family="adaptive_pooling")
def FractionalMaxPool3d(
    input: TensorType,
    /,
    kernel_size: Sizes3,
    output_size: Sizes3 | None = None,
    output_ratio: Ratios3 | None = None,
) -> Lowering:
    """The maxima of windows at random steps, also in eval: (N, C, D, H, W) -> (N, C, D', H', W').

    Graham 2015. Give either `output_size` or `output_ratio`, a fraction of the input's size.

    Example:
        volume: [8, 8, 16, 16]
        {layer: FractionalMaxPool3d, from: volume, kernel_size: 2, output_size: [4, 8, 8]}
    """
    return _fractional(input, 3, kernel_size, output_size, output_ratio)


def _adaptive(input: TensorType, axes: int, output_size: Any) -> Lowering:
    """Return an adaptive average pooling."""
    name = f"AdaptiveAvgPool{axes}d"
    return Lowering(_adapted(input, name, axes, output_size), module(name, output_size=output_size))


def _adapted(input: TensorType, name: str, axes: int, output_size: Any) -> TensorType:
    """Check the input, and return its type with the sizes that are wanted."""
    floating(input, name)
    with_rank(input, axes + 1, name, SHAPES[axes])
    channels, *sizes = input
    wanted = per_axis(output_size, axes)
    spatial = [old if new is None else new for old, new in zip(sizes, wanted, strict=True)]
    return input.like(channels, *spatial)


def _fractional(
    input: TensorType, axes: int, kernel_size: Any, output_size: Any, output_ratio: Any
) -> Lowering:
    """Return a fractional max pooling."""
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
