"""Layers that change the size of images and sequences: padding, upsampling, pixel shuffle."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, TypeAlias

from mimgraph.ir.axes_help import node, to_resized
from mimgraph.ir.code import call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering, module
from mimgraph.ir.option_types import Positive, PositiveFloat
from mimgraph.ir.types import FLOATING, Constraint, TensorType
from mimgraph.ops.axes import (
    SHAPES,
    Sizes2,
    by_axis,
    check_pads,
    each,
    over_axes,
    padded_sizes,
    per_axis,
    scaled,
)
from mimgraph.ops.layer_call import layer
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    Number,
    bad_option,
    changed,
    divided,
    dtype_fault,
    moved,
    with_rank,
)

# sizes before and after each axis, the last axis first
Sides: TypeAlias = Annotated[Any, lambda axes: int | each(int, 2 * axes)]


@over_axes(1, 2, 3, register=layer(family="padding"))
def ZeroPad(input: TensorType, /, axes: int, padding: Sides) -> Lowering:
    """Padded by zeros around the last {axis|two axes|three axes}: (N, *, {L|H, W|D, H, W}) -> {(N, *, L')|(N, *, H', W')|the same, longer}.

    `padding` is one number, or [left, right{|, top, bottom|, top, bottom, front, back}].

    Example:
        x: [4, 9]
        {layer: ZeroPad1d, from: x, padding: [2, 1]}

    Example:
        image: [3, 32, 32]
        {layer: ZeroPad2d, from: image, padding: [1, 2, 1, 2]}

    Example:
        volume: [3, 8, 16, 16]
        {layer: ZeroPad3d, from: volume, padding: 1}
    """
    return _filled(input, f"ZeroPad{axes}d", axes, padding)


@over_axes(1, 2, 3, register=layer(family="padding"))
def ConstantPad(input: TensorType, /, axes: int, padding: Sides, value: Number) -> Lowering:
    """Padded by `value` around the last {axis|two axes|three axes}: (N, *, {L|H, W|D, H, W}) -> {(N, *, L')|(N, *, H', W')|the same, longer}.

    `padding` is one number, or [left, right{|, top, bottom|, top, bottom, front, back}].

    Example:
        x: [4, 9]
        {layer: ConstantPad1d, from: x, padding: 1, value: 0.5}

    Example:
        image: [3, 32, 32]
        {layer: ConstantPad2d, from: image, padding: 1, value: 0.5}

    Example:
        volume: [3, 8, 16, 16]
        {layer: ConstantPad3d, from: volume, padding: 1, value: 0.5}
    """
    return _filled(input, f"ConstantPad{axes}d", axes, padding, value=value)


@over_axes(1, 2, 3, register=layer(family="padding"))
def ReflectionPad(input: TensorType, /, axes: int, padding: Sides) -> Lowering:
    """Padded by reflection around the last {axis|two axes|three axes}: (N, C, {L|H, W|D, H, W}) -> {(N, C, L')|(N, C, H', W')|the same, longer}.

    `padding` is one number, or [left, right{|, top, bottom|, top, bottom, front, back}].

    Example:
        x: [4, 9]
        {layer: ReflectionPad1d, from: x, padding: 1}

    Example:
        image: [3, 32, 32]
        {layer: ReflectionPad2d, from: image, padding: 1}

    Example:
        volume: [3, 8, 16, 16]
        {layer: ReflectionPad3d, from: volume, padding: 1}
    """
    return _copied(input, f"ReflectionPad{axes}d", axes, "reflect", padding)


@over_axes(1, 2, 3, register=layer(family="padding"))
def ReplicationPad(input: TensorType, /, axes: int, padding: Sides) -> Lowering:
    """Padded by repeating the border around the last {axis|two axes|three axes}: (N, C, {L|H, W|D, H, W}) -> {(N, C, L')|(N, C, H', W')|the same, longer}.

    `padding` is one number, or [left, right{|, top, bottom|, top, bottom, front, back}].

    Example:
        x: [4, 9]
        {layer: ReplicationPad1d, from: x, padding: 1}

    Example:
        image: [3, 32, 32]
        {layer: ReplicationPad2d, from: image, padding: 1}

    Example:
        volume: [3, 8, 16, 16]
        {layer: ReplicationPad3d, from: volume, padding: 1}
    """
    return _copied(input, f"ReplicationPad{axes}d", axes, "replicate", padding)


@over_axes(1, 2, 3, register=layer(family="padding"))
def CircularPad(input: TensorType, /, axes: int, padding: Sides) -> Lowering:
    """Padded by the values of the opposite end around the last {axis|two axes|three axes}: (N, C, {L|H, W|D, H, W}) -> {(N, C, L')|(N, C, H', W')|the same, longer}.

    `padding` is one number, or [left, right{|, top, bottom|, top, bottom, front, back}].

    Example:
        x: [4, 9]
        {layer: CircularPad1d, from: x, padding: 1}

    Example:
        image: [3, 32, 32]
        {layer: CircularPad2d, from: image, padding: 1}

    Example:
        volume: [3, 8, 16, 16]
        {layer: CircularPad3d, from: volume, padding: 1}
    """
    return _copied(input, f"CircularPad{axes}d", axes, "circular", padding)


def _filled(input: TensorType, name: str, axes: int, padding: Any, **value: Any) -> Lowering:
    """Return a padding with a constant; any number of axes may come before the padded ones."""
    if len(input.dims) < axes:
        shape = SHAPES[axes].replace("C", "*")
        help = f"{name[:-2]}{len(input.dims)}d takes {input}" if input.dims else ""
        raise OpFault("rank-mismatch", f"{name} takes {shape}", note=str(input), help=help)
    pairs = by_axis(per_axis(padding, 2 * axes))
    requires = check_pads("constant", input.dims[-axes:], pairs)
    return replace(_padded(input, name, padding, pairs, value), requires=requires)


def _copied(input: TensorType, name: str, axes: int, mode: str, padding: Any) -> Lowering:
    """Return a padding with copied values."""
    with_rank(input, axes + 1, name, SHAPES[axes])
    if input.dtype == "bool" and mode != "circular":
        raise dtype_fault(input, name, "a tensor of numbers")
    pairs = by_axis(per_axis(padding, 2 * axes))
    requires = check_pads(mode, input.dims[1:], pairs)
    return replace(_padded(input, name, padding, pairs, {}), requires=requires)


def _padded(
    input: TensorType,
    name: str,
    padding: Any,
    pairs: list[tuple[int, int]],
    value: dict[str, Any],
) -> Lowering:
    """Return the layer that makes the last axes longer by these pairs."""
    dims = (*input.dims[: -len(pairs)], *padded_sizes(input.dims[-len(pairs) :], pairs))
    result = input.like(*dims) if value else moved(input, *dims)
    return Lowering(result, module(name, padding=padding, **value))


# Define upsampling: interpolation on all axes behind the channels.


Mode: TypeAlias = Literal[
    "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"
]
Factor: TypeAlias = Positive | PositiveFloat

AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}  # the other modes take any
BYTES = ("nearest", "nearest-exact", "bilinear", "bicubic")  # the modes that take uint8


@layer(family="upsampling")
def Upsample(
    input: TensorType,
    /,
    *,
    size: Positive | tuple[Positive, ...] | None = None,
    scale_factor: Factor | tuple[Factor, ...] | None = None,
    mode: Mode = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Lowering:
    """Interpolated to `size`, or by `scale_factor`: (N, C, *) -> (N, C, *).

    Mode `linear` is for one axis, `bilinear` and `bicubic` for two, `trilinear` for three, the others
    for one to three. An axis whose size is a name needs an exact factor: 2, 0.5, 1.25.

    Example:
        image: [3, 16, 16]
        {layer: Upsample, from: image, scale_factor: 2, mode: bilinear}
    """
    check_corners(mode, align_corners)
    check_recomputed(recompute_scale_factor, size)
    return Lowering(
        resized(input, "Upsample", size, scale_factor, mode),
        module(
            "Upsample",
            size=size,
            scale_factor=scale_factor,
            mode=mode,
            align_corners=align_corners,
            recompute_scale_factor=recompute_scale_factor,
        ),
    )


@layer(family="upsampling")
def UpsamplingNearest2d(
    input: TensorType,
    /,
    *,
    size: Sizes2 | None = None,
    scale_factor: Factor | tuple[Factor, Factor] | None = None,
) -> Lowering:
    """Interpolated by the nearest value: (N, C, H, W) -> (N, C, H', W').

    Deprecated, as in torch: write `{layer: Upsample, mode: nearest, ...}`.

    Example:
        image: [3, 16, 16]
        {layer: UpsamplingNearest2d, from: image, scale_factor: 2}
    """
    return _resized_2d(input, "UpsamplingNearest2d", size, scale_factor, "nearest")


@layer(family="upsampling")
def UpsamplingBilinear2d(
    input: TensorType,
    /,
    *,
    size: Sizes2 | None = None,
    scale_factor: Factor | tuple[Factor, Factor] | None = None,
) -> Lowering:
    """Interpolated linearly in two axes, corners aligned: (N, C, H, W) -> (N, C, H', W').

    Deprecated, as in torch: write `{layer: Upsample, mode: bilinear, align_corners: true, ...}`.

    Example:
        image: [3, 16, 16]
        {layer: UpsamplingBilinear2d, from: image, size: [24, 32]}
    """
    return _resized_2d(input, "UpsamplingBilinear2d", size, scale_factor, "bilinear")


def resized(
    input: TensorType, name: str, size: Any, scale_factor: Any, mode: str = "nearest"
) -> TensorType:
    """Return the type of an input interpolated to a size or by a factor, exactly one of them given."""
    axes = len(input.dims) - 1
    if axes not in SHAPES or not input.batched or axes != AXES.get(mode, axes):
        wanted = SHAPES[AXES[mode]] if mode in AXES else "(N, C, L), up to (N, C, D, H, W)"
        message = f"{name} takes {wanted} in mode {mode}"
        help = to_resized(input, AXES.get(mode), "{input}")
        raise OpFault("rank-mismatch", message, note=str(input), help=help)
    if input.dtype not in FLOATING and not (input.dtype == "uint8" and mode in BYTES):
        raise dtype_fault(input, name, "a floating-point tensor")
    if size is None and scale_factor is None:
        raise OpFault("missing-option", f"{name} needs size or scale_factor", option="size")
    if size is not None and scale_factor is not None:
        raise bad_option("scale_factor", f"{name} takes size or scale_factor, not both")
    option = "scale_factor" if size is None else "size"
    given = per_axis(scale_factor if size is None else size, axes)
    if len(given) != axes:
        raise bad_option(
            option, f"{option} has {len(given)} values, but {input} has {axes} axes to resize"
        )
    channels, *sizes = input
    if size is not None:
        return input.like(channels, *given)
    return input.like(channels, *(scaled(s, f, option) for s, f in zip(sizes, given, strict=True)))


def check_corners(mode: str, align_corners: bool | None) -> None:
    """Refuse align_corners in a mode that ignores it."""
    if align_corners is not None and mode not in AXES:
        raise bad_option("align_corners", f"align_corners has no effect in mode {mode}")


def check_recomputed(recompute_scale_factor: bool | None, size: Any) -> None:
    """Refuse to recompute the factor where a size is given."""
    if recompute_scale_factor and size is not None:
        raise bad_option(
            "recompute_scale_factor", "recompute_scale_factor needs scale_factor, not size"
        )


def _resized_2d(input: TensorType, name: str, size: Any, scale_factor: Any, mode: str) -> Lowering:
    """Return an upsampling of images."""
    with_rank(input, 3, name, SHAPES[2])
    return Lowering(
        resized(input, name, size, scale_factor, mode),
        module(name, size=size, scale_factor=scale_factor),
    )


# Define Pad and Interpolate, after the functions of torch.


PadMode: TypeAlias = Literal["constant", "reflect", "replicate", "circular"]


@layer(family="resize")
def Pad(
    input: TensorType,
    /,
    pad: tuple[int, ...],
    mode: PadMode = "constant",
    value: float | None = None,
) -> Lowering:
    """Axes padded at both ends, or cut by negative numbers: (N, C, L) -> (N, C, L').

    `pad` lists the sizes before and after the last axis, then those of the axis before it, and so on.
    Modes other than `constant` pad one to three axes, with one or two axes before them.

    Example:
        x: [4, 9]
        {layer: Pad, from: x, pad: [1, 2], value: 0.5}
    """
    axes = len(pad) // 2
    if len(pad) % 2 or not axes:
        raise bad_option("pad", "pad has two numbers for each axis, the last axis first")
    if axes > len(input.dims):
        raise bad_option("pad", f"pad is for {axes} axes, but {input} has {len(input.dims)}")
    pairs = by_axis(pad)
    lead, sizes = input.dims[:-axes], input.dims[-axes:]
    if mode != "constant":
        if value is not None:
            raise bad_option("value", f"value has no effect in mode {mode}")
        if axes > 3 or input.rank - axes not in (1, 2):
            raise bad_option("pad", f"mode {mode} cannot pad {axes} axes of {input}")
        if input.dtype == "bool" and mode != "circular":
            raise dtype_fault(input, "Pad", f"a tensor of numbers in mode {mode}")
    requires = check_pads(mode, sizes, pairs, "pad")
    given = changed(mode=(mode, "constant"), value=(value, None))
    result = moved(input, *lead, *padded_sizes(sizes, pairs))
    if mode == "constant":
        result = replace(result, vocab=None, below=None, cast_from=None)
    return Lowering(result, call=call("F.pad", INPUT, pad, **given), requires=requires)


@layer(family="resize")
def Interpolate(
    input: TensorType,
    /,
    *,
    size: Size | tuple[Size, ...] | None = None,
    scale_factor: Factor | tuple[Factor, ...] | None = None,
    mode: Mode = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Lowering:
    """Interpolated on all axes behind the channels, to a size or by a factor: (N, C, *) -> same.

    As Upsample, but a function: `size` may contain names, and `antialias` helps when shrinking.

    Example:
        image: [3, 16, 16]
        {layer: Interpolate, from: image, size: [24, 32], mode: bilinear}
    """
    check_corners(mode, align_corners)
    check_recomputed(recompute_scale_factor, size)
    result = resized(input, "Interpolate", size, scale_factor, mode)
    if antialias and mode not in ("bilinear", "bicubic"):
        raise bad_option("antialias", f"mode {mode} has no antialias")
    if antialias and input.dtype in ("float16", "bfloat16"):
        raise dtype_fault(input, "Interpolate", "float32 or float64 with antialias")
    given = changed(
        size=(size, None),
        scale_factor=(scale_factor, None),
        mode=(mode, "nearest"),
        align_corners=(align_corners, None),
        recompute_scale_factor=(recompute_scale_factor, None),
        antialias=(antialias, False),
    )
    return Lowering(result, call=call("F.interpolate", INPUT, **given))


# Define shuffles between channels and positions, and among channels.


@layer(family="shuffle")
def PixelShuffle(input: TensorType, /, upscale_factor: Positive) -> Lowering:
    """Channels to a finer grid, r = upscale_factor: (*, C * r**2, H, W) -> (*, C, H * r, W * r).

    Shi et al. 2016, sub-pixel convolution.

    Example:
        image: [12, 16, 16]
        {layer: PixelShuffle, from: image, upscale_factor: 2}
    """
    _check_image(input, "PixelShuffle")
    *lead, channels, height, width = input
    factor = int(upscale_factor)
    left, requires = _divided(channels, factor**2, "upscale_factor", "channels")
    return Lowering(
        moved(input, *lead, left, height * factor, width * factor),
        module("PixelShuffle", upscale_factor=upscale_factor),
        requires=requires,
    )


@layer(family="shuffle")
def PixelUnshuffle(input: TensorType, /, downscale_factor: Positive) -> Lowering:
    """Each r x r square to channels, r = downscale_factor: (*, C, H * r, W * r) -> (*, C * r**2, H, W).

    Example:
        image: [3, 32, 32]
        {layer: PixelUnshuffle, from: image, downscale_factor: 2}
    """
    _check_image(input, "PixelUnshuffle")
    *lead, channels, height, width = input
    factor = int(downscale_factor)
    rows, even_rows = _divided(height, factor, "downscale_factor", "height")
    columns, even_columns = _divided(width, factor, "downscale_factor", "width")
    return Lowering(
        moved(input, *lead, channels * factor**2, rows, columns),
        module("PixelUnshuffle", downscale_factor=downscale_factor),
        requires=(*even_rows, *even_columns),
    )


@layer(family="shuffle")
def ChannelShuffle(input: TensorType, /, groups: Positive) -> Lowering:
    """Channels interleaved between `groups`: (N, C, *) -> (N, C, *).

    Zhang et al. 2018, ShuffleNet.

    Example:
        image: [8, 16, 16]
        {layer: ChannelShuffle, from: image, groups: 2}
    """
    if len(input.dims) < 2 or not input.batched:
        help = f"give it an axis behind the channels: {node('Unsqueeze', '{input}', 'dim: -1')}"
        help = help if input.dims else ""
        message = "ChannelShuffle takes (N, C, L, *)"
        raise OpFault("rank-mismatch", message, note=str(input), help=help)
    _, requires = _divided(input.dims[0], int(groups), "groups", "channels")
    return Lowering(
        moved(input, *input), module("ChannelShuffle", groups=groups), requires=requires
    )


def _check_image(input: TensorType, name: str) -> None:
    """Refuse a tensor without channels, height and width."""
    if len(input.dims) < 3:
        raise OpFault("rank-mismatch", f"{name} takes (N, *, C, H, W)", note=str(input))


def _divided(size: Size, by: int, option: str, what: str) -> tuple[Size, tuple[Constraint, ...]]:
    """Return `size / by` and the constraint that it is whole; refuse a size that it never divides."""
    found = divided(size, by)
    if found is None:
        raise bad_option(option, f"{what} {size} is not a multiple of {by}")
    return found
