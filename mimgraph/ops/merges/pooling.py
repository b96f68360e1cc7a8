"""Merges over the steps of sequences: their masks, and pooling by them."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from mimgraph.ir.code import Attribute, Binary, Code, Constant, Operand, Slice, Tuple, Unary, call
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import COMPLEX, FLOATING, TensorType
from mimgraph.ops.layer_call import merge, part
from mimgraph.ops.merges.sketch import Sketch, token_width
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    TRUE,
    bad_option,
    check_marks,
    dtype_fault,
    lowest,
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
    wants = f"{name} takes a bool mask, {TRUE} where a step is real"
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


# Define pooling over the steps of a sequence where a mask is true; without any the result is 0.


MASK, PADDING = Operand("mask"), Operand("padding")


class PoolInputs(NamedTuple):
    input: TensorType
    mask: TensorType | None = None


@merge(family="pooling")
def mean_pool(inputs: PoolInputs, /) -> Lowering:
    """The mean over the steps where `mask` (N, T) is true: (N, T, *) -> (N, *).

    Example:
        words: [T, 16]
        real: {shape: [T], dtype: bool}
        {merge: mean_pool, from: {input: words, mask: real}}
    """
    input, mask = inputs
    _check("mean_pool", inputs)
    if input.dtype not in (*FLOATING, *COMPLEX):
        raise dtype_fault(input, "mean_pool", "a floating-point tensor", "input")
    pooled = input.like(*input.dims[1:])
    if mask is None:
        return Lowering(pooled, call=INPUT.method("mean", 1))
    total = _real(input, Constant(0)).method("sum", 1)
    count = _beside(MASK.method("sum", 1).method("clamp", min=1), pooled)
    return Lowering(pooled, call=Binary("/", total, count))


@merge(family="pooling")
def max_pool(inputs: PoolInputs, /) -> Lowering:
    """The maximum over the steps where `mask` (N, T) is true: (N, T, *) -> (N, *).

    Example:
        words: [T, 16]
        real: {shape: [T], dtype: bool}
        {merge: max_pool, from: {input: words, mask: real}}
    """
    input, mask = inputs
    _check("max_pool", inputs)
    if input.dtype in COMPLEX:
        raise dtype_fault(input, "max_pool", "numbers that have an order", "input")
    pooled = input.like(*input.dims[1:])
    if mask is None:
        return Lowering(pooled, call=INPUT.method("amax", 1))
    least = Constant(float("-inf") if input.is_floating else lowest(input.dtype))
    return Lowering(pooled, call=_or_zero(_real(input, least).method("amax", 1), pooled))


@merge(family="pooling")
def last_pool(inputs: PoolInputs, /) -> Lowering:
    """The last step where `mask` (N, T) is true: (N, T, *) -> (N, *).

    Example:
        words: [T, 16]
        real: {shape: [T], dtype: bool}
        {merge: last_pool, from: {input: words, mask: real}}
    """
    input, mask = inputs
    _check("last_pool", inputs)
    pooled = replace(input, dims=input.dims[1:])
    if mask is None:
        final = INPUT.at(Tuple((Slice(), Constant(-1))))
        return Lowering(pooled, call=final, makes=(), scatters=True)
    samples = call(
        "torch.arange", Attribute(INPUT, "shape").at(Constant(0)), device=Attribute(INPUT, "device")
    )
    # the running count is largest from the last real step on, and argmax finds the first maximum
    last = {"last": MASK.method("cumsum", 1).method("argmax", 1)}
    picked = INPUT.at(Tuple((samples, Operand("last"))))
    return Lowering(pooled, call=_or_zero(picked, pooled), steps=last)


@merge(family="pooling")
def attention_pool(
    inputs: PoolInputs, /, hidden_features: Positive | None = None, *, bias: bool = True
) -> Block:
    """The sum of the steps weighted by the softmax of a learned score: (N, T, D) -> (N, D).

    The score is w x; with `hidden_features` it is w tanh(W x + b), as in hierarchical attention
    networks (Yang et al. 2016). `mask` (N, T) is true at the steps that count.

    Example:
        words: [T, 16]
        real: {shape: [T], dtype: bool}
        {merge: attention_pool, from: {input: words, mask: real}, hidden_features: 8}
    """
    input, mask = inputs
    token_width({"input": input}, "attention_pool", lone=False)
    check_steps_mask("attention_pool", input, mask)
    given = tuple(name for name, x in inputs._asdict().items() if x is not None)
    sketch = Sketch("AttentionPool", *given, doc="A mean of steps weighed by learned scores.")
    scored = "input"
    if hidden_features is not None:
        linear = {"out_features": hidden_features, "bias": bias, "activation": "Tanh"}
        scored = sketch.layer("hidden", "Linear", "input", **linear)
    sketch.layer(
        "score", "Linear", scored, out_features=1, bias=False
    )  # a bias would not change the softmax
    masked = {name: name for name in given if name == "mask"}
    weights = sketch.part("weights", "step_weights", {"score": "score", **masked})
    sketch.formula("weighed", f"{weights} * input")
    return sketch.block(sketch.layer("pooled", "Sum", "weighed", dim=1))


class StepScores(NamedTuple):
    score: TensorType
    mask: TensorType | None = None


@part()
def step_weights(inputs: StepScores, /) -> Lowering:
    """The softmax of the scores, 0 where a step is not real: (N, T, 1) -> (N, T, 1)."""
    score, mask = inputs
    if mask is None:
        return Lowering(score, call=call("F.softmax", Operand("score"), dim=1))
    steps = {
        "padding": Unary("~", _beside(MASK, score, 2)),
        "hidden": Operand("score").method("masked_fill", PADDING, Constant(float("-inf"))),
    }
    softmax = call("F.softmax", Operand("hidden"), dim=1)
    return Lowering(score, call=softmax.method("masked_fill", PADDING, 0), steps=steps)


def _check(name: str, inputs: PoolInputs) -> None:
    """Refuse an input without steps, and a mask that does not fit them."""
    input, mask = inputs
    if not input.batched or not input.dims:
        message = f"{name} takes input (N, T, *)"
        raise OpFault("rank-mismatch", message, source="input", note=str(input))
    check_steps_mask(name, input, mask)


def _real(input: TensorType, other: Constant) -> Code:
    """Return the code of the input with another value at the steps that are not real."""
    hidden = Unary("~", _beside(MASK, input, axes=2))
    return INPUT.method("masked_fill", hidden, other)


def _or_zero(pooled: Code, like: TensorType) -> Code:
    """Return the code of the pooled values, 0 where no step is real."""
    return pooled.method("masked_fill", Unary("~", _beside(MASK.method("any", 1), like)), 0)


def _beside(code: Code, x: TensorType, axes: int = 1) -> Code:
    """Return code for the first `axes` of `x` with an axis of size 1 for each other one."""
    new = (Constant(None),) * (x.rank - axes)
    return code.at(Tuple((Slice(),) * axes + new)) if new else code
