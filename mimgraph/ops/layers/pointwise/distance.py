"""Define the layers that compare two vectors: cosine similarity and p-norm distance."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import PositiveFloat
from mimgraph.ir.types import FLOATING, TensorType, promote
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import axis_index, dtype_fault, same_dims, without_axes


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
    index = axis_index(inputs.x1, dim)
    left = (*inputs.x1.dims[:index], *inputs.x1.dims[index + 1 :])
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
    if dtype not in FLOATING:
        dtype = "float64" if dtype == "complex128" else "float32"
    return Lowering(
        inputs.x1.like(*lead, *((1,) if keepdim else ()), dtype=dtype),
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
