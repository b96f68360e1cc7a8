"""Define upsampling: interpolation on all axes behind the channels."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from mimgraph.ir.axes_help import to_resized
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Positive, PositiveFloat
from mimgraph.ir.types import FLOATING, TensorType
from mimgraph.ops.layers.spatial.window import SHAPES, Sizes2, per_axis, scaled
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import bad_option, dtype_fault, with_rank

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
