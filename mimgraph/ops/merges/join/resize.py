"""Defines resize_like, which resizes an image, sequence or volume to the size of another."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from mimgraph.ir.code import Attribute, Constant, Operand, Slice, call
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import FLOATING, TensorType
from mimgraph.ops.merges.arithmetic.agreement import MORE_AXES, same_ranks
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import bad_option, dtype_fault

Mode = Literal["nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"]
SPATIAL = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}  # the others take any
BYTES = ("nearest", "nearest-exact", "bilinear", "bicubic")  # the modes that take uint8


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
    keywords: dict[str, Any] = {
        "size": Attribute(Operand("like"), "shape").at(Slice(Constant(2))),
        **({"mode": mode} if mode != "nearest" else {}),
        **({"align_corners": align_corners} if align_corners is not None else {}),
        **({"antialias": True} if antialias else {}),
    }
    return Lowering(
        input.like(input.dims[0], *like.dims[1:]),
        call=call("F.interpolate", INPUT, **keywords),
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
    if SPATIAL.get(mode, axes) != axes:
        fitting = " or ".join(name for name, number in SPATIAL.items() if number == axes)
        raise bad_option("mode", f"mode {mode} does not fit {input}", f"use {fitting}")
    if align_corners is not None and mode not in SPATIAL:
        raise bad_option("align_corners", f"align_corners has no effect in mode {mode}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise bad_option("antialias", f"mode {mode} has no antialias", "use bilinear or bicubic")
    dtypes = FLOATING[2:] if antialias else FLOATING
    if input.dtype not in (*dtypes, *(("uint8",) if mode in BYTES else ())):
        wants = "float32 or float64" if antialias else "a floating-point tensor"
        raise dtype_fault(input, "resize_like", wants, "input")
