"""Define resize_like, which resizes an image, sequence or volume to the size of another."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.ir.code import Attribute, Constant, Operand, Slice, call
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import FLOATING, TensorType
from mimgraph.ops.layers.spatial.upsampling import AXES, BYTES, Mode, check_corners
from mimgraph.ops.merges.arithmetic.agreement import MORE_AXES, same_ranks
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import bad_option, changed, dtype_fault


class ResizeLikeInputs(NamedTuple):
    input: TensorType
    like: TensorType


@merge(family="resize")
def resize_like(
    inputs: ResizeLikeInputs,
    /,
    mode: Mode = "nearest",
    *,
    align_corners: bool | None = None,
    antialias: bool = False,
) -> Lowering:
    """`input` interpolated to the size of `like`: (N, C, H, W), (N, *, K, L) -> (N, C, K, L).

    As torch's `interpolate`, for one to three axes behind the channels.

    Example:
        coarse: [8, 7, 7]
        fine: [4, 14, 14]
        {merge: resize_like, from: [coarse, fine], mode: bilinear}
    """
    input, like = inputs
    same_ranks(inputs._asdict(), "resize_like needs the same number of axes in both", MORE_AXES)
    _check(input, mode, align_corners, antialias)
    given = changed(
        mode=(mode, "nearest"),
        align_corners=(align_corners, None),
        antialias=(antialias, False),
    )
    size = Attribute(Operand("like"), "shape").at(Slice(Constant(2)))
    return Lowering(
        input.like(input.dims[0], *like.dims[1:]),
        call=call("F.interpolate", INPUT, size=size, **given),
    )


def _check(input: TensorType, mode: str, align_corners: bool | None, antialias: bool) -> None:
    """Refuse a mode, dtype or option that torch does not take for that many axes."""
    axes = len(input.dims) - 1
    if not input.batched or axes not in (1, 2, 3):
        raise OpFault(
            "rank-mismatch",
            "resize_like takes (N, C, L), (N, C, H, W) or (N, C, D, H, W)",
            source="input",
            note=str(input),
        )
    if AXES.get(mode, axes) != axes:
        fitting = " or ".join(name for name, number in AXES.items() if number == axes)
        raise bad_option("mode", f"mode {mode} does not fit {input}", f"use {fitting}")
    check_corners(mode, align_corners)
    if antialias and mode not in ("bilinear", "bicubic"):
        raise bad_option("antialias", f"mode {mode} has no antialias", "use bilinear or bicubic")
    dtypes = FLOATING[2:] if antialias else FLOATING
    if input.dtype not in (*dtypes, *(("uint8",) if mode in BYTES else ())):
        wants = "float32 or float64" if antialias else "a floating-point tensor"
        raise dtype_fault(input, "resize_like", wants, "input")
