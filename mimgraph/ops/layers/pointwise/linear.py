"""Define Linear, Bilinear and Identity."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering, module
from mimgraph.ir.types import TensorType
from mimgraph.ops.normalized_weight import normalized_weight
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import known, same_dims, weighted, weights, without_axes


@layer(family="linear")
def Identity(input: TensorType, /) -> Lowering:
    """The input, unchanged: (*) -> (*).

    Example:
        x: [20, 64]
        {layer: Identity, from: x}
    """
    return Lowering(input, module("Identity"), function=INPUT, makes=())


@layer("in_features", family="linear")
@normalized_weight
def Linear(input: TensorType, /, out_features: Size, bias: bool = True) -> Lowering:
    """Affine map of the last axis: (*, in_features) -> (*, out_features).

    Example:
        x: [64]
        {layer: Linear, from: x, out_features: 10}
    """
    weighted(input, "Linear")
    if not input.dims:
        raise without_axes(input, "Linear takes (N, *, in_features)")
    *lead, size = input
    in_features, out_features = known(size, "in_features"), known(out_features, "out_features")
    result = input.like(*lead, out_features)
    return Lowering(
        result,
        module(
            "Linear",
            weights((out_features, in_features), out_features, bias),
            in_features=in_features,
            out_features=out_features,
            bias=bias,
        ),
        products=((*result.shape, in_features),),
    )


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
    result = inputs.input1.like(*lead1, out_features)
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
