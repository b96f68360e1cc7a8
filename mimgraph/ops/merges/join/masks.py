"""Define sequence_mask, and check masks that are true at the real steps of a sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from mimgraph.ir.code import Attribute, Binary, Code, Constant, Operand, Slice, Tuple, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import (
    bad_option,
    check_marks,
    dtype_fault,
    same_size,
    truth_fault,
    with_rank,
)

LENGTHS, LIKE = map(Operand, ("lengths", "like"))


class SequenceMaskInputs(NamedTuple):
    lengths: TensorType
    like: TensorType | None = None


@merge(family="masks")
def sequence_mask(inputs: SequenceMaskInputs, /, maxlen: Positive | None = None) -> Lowering:
    """True at each sample's first `lengths` steps: (N,), (N, T, *) -> (N, T), bool.

    The number of steps is that of `like`, or `maxlen`. `attention` and the pools take this mask;
    `LogicalNot` turns it into torch's `key_padding_mask`.

    Example:
        words: [T, 16]
        length: {shape: [], dtype: int64}
        {merge: sequence_mask, from: {lengths: length, like: words}}
    """
    lengths, like = inputs
    with_rank(lengths, 0, "sequence_mask", "lengths (N,)", "lengths")
    if not lengths.is_integer:
        raise dtype_fault(lengths, "sequence_mask", "integer lengths", "lengths", "int64")
    size, count = _steps(like, maxlen)
    steps = call("torch.arange", count, device=Attribute(LENGTHS, "device"))
    real = Binary("<", steps, LENGTHS.at(Tuple((Slice(), Constant(None)))))
    return Lowering(replace(lengths.like(size, dtype="bool"), marks="real"), call=real)


def _steps(like: TensorType | None, maxlen: int | None) -> tuple[Size, Code]:
    """Return the number of steps, and the code that computes it."""
    if like is None:
        if maxlen is None:
            raise OpFault("wrong-arity", "sequence_mask needs like or maxlen")
        return maxlen, Constant(maxlen, "maxlen")
    if maxlen is not None:
        raise bad_option("maxlen", "sequence_mask takes like or maxlen, not both")
    if not like.batched or not like.dims:
        message = "sequence_mask takes like (N, T, *)"
        raise OpFault("rank-mismatch", message, source="like", note=str(like))
    return like.dims[0], Attribute(LIKE, "shape").at(Constant(1))


def check_steps_mask(name: str, input: TensorType, mask: TensorType | None) -> None:
    """Refuse a mask that is not one of the steps of `input` (N, T, *)."""
    if mask is None:
        return
    wants = f"{name} takes a bool mask, true where a step is real"
    if mask.dtype != "bool":
        raise truth_fault(mask, wants, "mask")
    check_marks(mask, "real", wants, "mask")
    steps = input.dims[0]
    if not mask.batched or len(mask.dims) != 1:
        message = f"{name} takes mask (N, {steps})"
        raise OpFault("rank-mismatch", message, source="mask", note=str(mask))
    if not same_size(mask.dims[0], steps):
        raise OpFault(
            "shape-mismatch",
            f"{name} needs a mask of {steps} steps",
            source="mask",
            note=f"{mask}, but {{input}} is {input}",
            mentions=("mask", "input"),
        )
