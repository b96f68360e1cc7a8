"""Define masked_fill and pad_like, which write a value where another source says."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from mimgraph.ir.code import Attribute, Binary, Code, Constant, Operand, by_position, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.layers.shape.reshape import axis_indices
from mimgraph.ops.merges.arithmetic.agreement import MORE_AXES, agreed, same_ranks, within
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import bad_option, largest, lowest, truth_fault

Number: TypeAlias = bool | int | float


class MaskedFillInputs(NamedTuple):
    input: TensorType
    mask: TensorType


@merge(family="fill")
def masked_fill(inputs: MaskedFillInputs, /, value: Number, *, broadcast: bool = False) -> Lowering:
    """`value` where `mask` is true, else `input`: (*), (*) -> (*).

    Example:
        scores: [4, 6]
        hidden: {shape: [4, 6], dtype: bool}
        {merge: masked_fill, from: [scores, hidden], value: -.inf}
    """
    input, mask = inputs
    if mask.dtype != "bool":
        raise truth_fault(mask, "masked_fill takes a bool mask, true where it fills", "mask")
    frame = agreed(inputs._asdict(), "masked_fill", broadcast)
    return Lowering(
        filled(input, frame.dims, value, frame.batched),
        call=INPUT.method("masked_fill", Operand("mask"), *by_position(value=value)),
    )


class PadLikeInputs(NamedTuple):
    input: TensorType
    like: TensorType


@merge(family="fill")
def pad_like(
    inputs: PadLikeInputs,
    /,
    dim: int | tuple[int, ...],
    *,
    side: Literal["end", "start", "both"] = "end",
    value: Number = 0,
) -> Lowering:
    """`input` padded by `value` to the size of `like` along `dim`: (N, T, *), (N, S, *) -> (N, S, *).

    With `side: both` the end gets the odd one. The other axes of `like` are ignored.

    Example:
        decoded: [8, 14, 14]
        skip: [4, 15, 15]
        {merge: pad_like, from: [decoded, skip], dim: [2, 3], side: both}
    """
    input, like = inputs
    same_ranks(inputs._asdict(), "pad_like needs the same number of axes in both", MORE_AXES)
    axes = axis_indices(input, dim)
    dims: list[Size] = list(input)
    requires: list[Constraint] = []
    for axis in axes:
        message = "pad_like can only make its input longer"
        requires += within(inputs._asdict(), ("input", "like"), axis, message)
        dims[axis] = like.dims[axis]
    widths: list[Code | int] = []
    for axis in range(len(dims) - 1, min(axes) - 1, -1):  # torch lists the last axis first
        missing = _missing(axis + input.batched) if axis in axes else None
        widths += _sides(missing, side) if missing else (0, 0)
    keywords = {"value": value} if value != 0 else {}
    return Lowering(
        filled(input, tuple(dims), value, input.batched),
        call=call("F.pad", INPUT, tuple(widths), **keywords),
        requires=tuple(requires),
    )


def filled(input: TensorType, dims: tuple[Size, ...], value: Number, batched: bool) -> TensorType:
    """Return the type of the input with `value` among its values; refuse a value out of range."""
    dtype = input.dtype
    whole = dtype == "bool" or input.is_integer
    fits = lowest(dtype) <= value <= largest(dtype)
    fits = fits or (not whole and not abs(value) < float("inf"))
    if not fits or (whole and value != int(value)):
        raise bad_option("value", f"value {value} is out of range for {dtype}")
    kept = input.vocab is not None and 0 <= value < input.vocab
    vocab = input.vocab if kept else None
    changed = replace(input, vocab=vocab, below=None, cast_from=None, marks=None)
    return replace(changed, dims=dims, batched=batched)


def _missing(axis: int) -> Code:
    """Return the code of how much shorter the input is along an axis."""
    like, input = (Attribute(Operand(key), "shape").at(Constant(axis)) for key in ("like", "input"))
    return Binary("-", like, input)


def _sides(missing: Code, side: str) -> tuple[Code | int, Code | int]:
    """Return the padding before and after an axis."""
    if side == "both":
        more = Binary("+", missing, Constant(1))
        return Binary("//", missing, Constant(2)), Binary("//", more, Constant(2))
    return (missing, 0) if side == "start" else (0, missing)
