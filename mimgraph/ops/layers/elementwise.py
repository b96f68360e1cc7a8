"""Define the layers that change single values or take two vectors: Cast, Clamp, CosineSimilarity, Bilinear."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from mimgraph.diagnostics.text import put
from mimgraph.ir.code import (
    Attribute,
    Binary,
    ModelDtype,
    Name,
    Operand,
    RuntimeSize,
    Unary,
    call,
)
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering, module
from mimgraph.ir.option_types import PositiveFloat, Probability
from mimgraph.ir.types import BATCH, COMPLEX, FLOATING, INTEGER, TensorType, promote
from mimgraph.ops.layer_call import layer
from mimgraph.ops.layers.linear import normalized_weight
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    Axes,
    Number,
    as_float,
    axes_across,
    axis_index,
    bad_option,
    changed,
    dtype_fault,
    floating,
    known,
    largest,
    lowest,
    real,
    same_dims,
    weighted,
    weights,
    without_axes,
)

Dtype: TypeAlias = Literal[
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "complex64",
    "complex128",
    "bool",
]


class CastInputs(NamedTuple):
    input: TensorType
    like: TensorType | None = None


@layer(family="elementwise")
def Cast(inputs: CastInputs, /, dtype: Dtype | None = None) -> Lowering:
    """The same values in another dtype, `dtype` or that of `like`: (*) -> (*).

    float32 stands for the dtype of the model: after `model.to(torch.bfloat16)` or `model.double()`
    it is cast to that one. Other dtypes are cast to as written. `like` is a second source, whose
    dtype is read when the model runs: `{layer: Cast, from: mask, like: x}`.

    Example:
        pixels: {shape: [3, 32, 32], dtype: uint8}
        {layer: Cast, from: pixels, dtype: float32}
    """
    input, like = inputs
    if like is not None:
        if dtype is not None:
            raise bad_option("dtype", "Cast takes dtype or like, not both")
        call = INPUT.method("to", Attribute(Operand("like"), "dtype"))
        return Lowering(_cast(input, like.dtype), call=call, makes=_copied(input, like.dtype))
    if dtype is None:
        help = f"{put('dtype: float32')}, or {put('like: x')} for the dtype of another source"
        raise OpFault("missing-option", "Cast needs dtype or like", option="dtype", help=help)
    call = INPUT.method("to", ModelDtype() if dtype == "float32" else Name(f"torch.{dtype}"))
    return Lowering(_cast(input, dtype), call=call, makes=_copied(input, dtype))


def _cast(input: TensorType, dtype: str) -> TensorType:
    """Return the type of the result, which records the dtype that a float was cast from."""
    result = input.cast(dtype)
    if not result.is_floating:
        return result
    return replace(result, cast_from=input.cast_from if input.is_floating else input.dtype)


def _copied(input: TensorType, dtype: str) -> tuple[TensorType, ...] | None:
    """Return the tensors that a cast makes: none if the dtype stays the same."""
    return () if input.dtype == dtype else None


@layer(family="elementwise")
def Detach(input: TensorType, /) -> Lowering:
    """The same values, through which no gradient flows: (*) -> (*).

    Example:
        x: [8]
        {layer: Detach, from: x}
    """
    return Lowering(input, call=INPUT.method("detach"), makes=())


@layer(family="elementwise")
def Clamp(input: TensorType, /, min: Number | None = None, max: Number | None = None) -> Lowering:
    """x clamped to the range from `min` to `max`, one of which may be left out: (*) -> (*).

    A float limit makes integers float32.

    Example:
        x: [8]
        {layer: Clamp, from: x, min: 0, max: 1}
    """
    given = {name: limit for name, limit in (("min", min), ("max", max)) if limit is not None}
    if not given:
        raise OpFault("missing-option", "Clamp needs min or max", option="min")
    if input.dtype in COMPLEX:
        raise dtype_fault(input, "Clamp", "a tensor of real numbers")
    dtype = input.dtype
    for limit in given.values():
        dtype = _beside(dtype, limit)
    for name, limit in given.items():
        if dtype in INTEGER and not lowest(dtype) <= limit <= largest(dtype):
            raise bad_option(name, f"{name} {limit} is out of range for {dtype}")
    return Lowering(input.like(*input, dtype=dtype), call=INPUT.method("clamp", **given))


@layer(family="elementwise")
def LogicalNot(input: TensorType, /) -> Lowering:
    """True where x is false or 0, which inverts a mask: (*) -> (*), bool.

    Example:
        mask: {shape: [T], dtype: bool}
        {layer: LogicalNot, from: mask}
    """
    code = Unary("~", INPUT) if input.dtype == "bool" else INPUT.method("logical_not")
    inverted = {"real": "hidden", "hidden": "real"}.get(input.marks or "")
    return Lowering(replace(input.cast("bool"), marks=inverted), call=code)


@layer(family="elementwise")
def Normalize(
    input: TensorType, /, dim: Axes, p: float = 2.0, eps: PositiveFloat = 1e-12
) -> Lowering:
    """x divided by its p-norm along `dim`, or by `eps` if that is larger: (*) -> (*).

    Example:
        embedding: [64]
        {layer: Normalize, from: embedding, dim: 1}
    """
    if input.dtype not in (*FLOATING, *COMPLEX):
        raise dtype_fault(input, "Normalize", "a floating-point tensor")
    axes_across(input, dim)
    given = changed(p=(p, 2.0), dim=(dim, None), eps=(eps, 1e-12))
    return Lowering(input.like(*input), call=call("F.normalize", INPUT, **given))


@layer(family="elementwise")
def DropPath(input: TensorType, /, p: Probability) -> Lowering:
    """In training, each sample is zero with probability `p`, else x / (1 - p): (N, *) -> (N, *).

    Stochastic depth (Huang et al. 2016), for a residual branch: `x * dropout(ones, p)` with one
    value a sample. In eval it changes nothing.

    Example:
        branch: [16, 8, 8]
        {layer: DropPath, from: branch, p: 0.1}
    """
    floating(input, "DropPath")
    if not input.batched:
        raise without_axes(input, "DropPath takes (N, *)")
    ones = INPUT.method("new_ones", (RuntimeSize(BATCH), *(1,) * len(input.dims)))
    kept = call("F.dropout", ones, p=p, training=Name("self.training"))
    return Lowering(input.like(*input), call=Binary("*", INPUT, kept))


def _beside(dtype: str, number: Number) -> str:
    """Return the dtype that torch promotes a tensor and a Python number to."""
    if dtype in FLOATING:
        return dtype
    if isinstance(number, float):
        return "float32"
    return "int64" if dtype == "bool" else dtype


# Define the layers of two vectors: cosine similarity, p-norm distance, Bilinear.


class PairInputs(NamedTuple):
    x1: TensorType
    x2: TensorType


@layer(family="similarity")
def CosineSimilarity(inputs: PairInputs, /, dim: int = 1, eps: PositiveFloat = 1e-8) -> Lowering:
    """The cosine of the angle between vectors along `dim`: (N, D), (N, D) -> (N,).

    Example:
        user: [64]
        item: [64]
        {layer: CosineSimilarity, from: [user, item]}
    """
    dtype = _common(inputs, "CosineSimilarity")
    if dtype not in FLOATING:
        odd = "x1" if inputs.x1.dtype not in FLOATING else "x2"
        x = getattr(inputs, odd)
        raise dtype_fault(x, "CosineSimilarity", "floating-point tensors", odd)
    left = inputs.x1.without_axis(axis_index(inputs.x1, dim))
    return Lowering(
        inputs.x1.like(*left, dtype=dtype), module("CosineSimilarity", dim=dim, eps=eps)
    )


@layer(family="similarity")
def PairwiseDistance(
    inputs: PairInputs, /, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Lowering:
    """The p-norm of `x1 - x2 + eps` over the last axis: (N, *, D), (N, *, D) -> (N, *).

    Example:
        user: [64]
        item: [64]
        {layer: PairwiseDistance, from: [user, item], p: 1}
    """
    dtype = _common(inputs, "PairwiseDistance")
    if not inputs.x1.dims:
        raise without_axes(inputs.x1, "PairwiseDistance takes (N, *, D)", "x1")
    for name, x in zip(inputs._fields, inputs, strict=True):
        if x.dtype == "bool":
            raise dtype_fault(x, "PairwiseDistance", "tensors of numbers", name)
    *lead, _ = inputs.x1
    return Lowering(
        inputs.x1.like(*lead, *((1,) if keepdim else ()), dtype=real(as_float(dtype))),
        module("PairwiseDistance", p=p, eps=eps, keepdim=keepdim),
    )


def _common(inputs: PairInputs, name: str) -> str:
    """Return the dtype that torch promotes both to; refuse different shapes."""
    x1, x2 = inputs
    if x1.batched != x2.batched or not same_dims(x1, x2):
        raise OpFault(
            "shape-mismatch",
            f"{name} needs equal shapes",
            source="x2" if x2.rank >= x1.rank else "x1",
            note=f"{{x1}} is {x1}, {{x2}} is {x2}",
            mentions=("x1", "x2"),
        )
    return promote(x1.dtype, x2.dtype)


class BilinearInputs(NamedTuple):
    input1: TensorType
    input2: TensorType


@layer("in1_features", "in2_features", family="linear")
@normalized_weight
def Bilinear(inputs: BilinearInputs, /, out_features: Size, bias: bool = True) -> Lowering:
    """`x1 A x2 + b`: (*, in1_features), (*, in2_features) -> (*, out_features).

    Example:
        user: [16]
        item: [32]
        {layer: Bilinear, from: [user, item], out_features: 8}
    """
    for name, x in zip(inputs._fields, inputs, strict=True):
        weighted(x, "Bilinear", name)
        if not x.dims:
            raise without_axes(x, "Bilinear takes (N, *, features)", name)
    (*lead1, size1), (*lead2, size2) = inputs
    if not same_dims(lead1, lead2) or inputs.input1.batched != inputs.input2.batched:
        raise OpFault(
            "shape-mismatch",
            "Bilinear needs equal sizes on every axis but the last",
            source="input2",
            note=f"{inputs.input2}, but input1 is {inputs.input1}",
            mentions=("input1", "input2"),
        )
    out_features = known(out_features, "out_features")
    in1, in2 = known(size1, "in1_features", "input1"), known(size2, "in2_features", "input2")
    return bilinear_form(inputs.input1.like(*lead1, out_features), in1, in2, out_features, bias)


def bilinear_form(
    result: TensorType, in1: int, in2: int, out_features: int, bias: bool
) -> Lowering:
    """Return the module nn.Bilinear with this result."""
    return Lowering(
        result,
        module(
            "Bilinear",
            weights((out_features, in1, in2), out_features, bias),
            in1_features=in1,
            in2_features=in2,
            out_features=out_features,
            bias=bias,
        ),
        products=((*result.shape, in1, in2),),
    )
