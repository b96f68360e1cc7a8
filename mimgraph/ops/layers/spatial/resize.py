"""Define Pad and Interpolate, after the functions of torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from mimgraph.ir.code import call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import TensorType
from mimgraph.ops.layers.shape.reshape import moved
from mimgraph.ops.layers.spatial.upsampling import (
    Factor,
    Mode,
    check_corners,
    check_recomputed,
    resized,
)
from mimgraph.ops.layers.spatial.window import by_axis, check_pads, padded_sizes
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import bad_option, changed, dtype_fault

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
