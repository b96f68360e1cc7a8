"""Define bilinear fusions: products of projected sources, by a full tensor or by low-rank factors."""

from __future__ import annotations

from typing import Any, NamedTuple

from mimgraph.ir.code import Code, Operand, call
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Positive, Probability
from mimgraph.ir.types import TensorType
from mimgraph.ops.merges.arithmetic.agreement import operands, same_dtypes
from mimgraph.ops.merges.arithmetic.product import AXES
from mimgraph.ops.merges.fusion.features import last, numbered, rank_fault, widths
from mimgraph.ops.merges.fusion.sketch import Sketch
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import floating, weights
from mimgraph.ops.signature import Sources


class Pair(NamedTuple):
    a: TensorType
    b: TensorType


@merge("in1_features", "in2_features", family="bilinear")
def bilinear(inputs: Pair, /, out_features: Positive, *, bias: bool = True) -> Lowering:
    """A learned bilinear form of two sources: (N, *, D), (N, *, E) -> (N, *, out_features).

    `a' W_k b + bias_k`, as nn.Bilinear, with out_features * D * E weights; `mlb`, `mutan`, `mfb` and
    `low_rank` have fewer.

    Example:
        image: [32]
        text: [16]
        {merge: bilinear, from: [image, text], out_features: 8}
    """
    in1, in2 = widths(inputs._asdict(), "bilinear")
    result = inputs.a.like(*inputs.a.dims[:-1], out_features)
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


@merge(family="bilinear")
def mlb(
    inputs: Pair,
    /,
    out_features: Positive,
    *,
    hidden_features: Positive | None = None,
    bias: bool = True,
) -> Block:
    """P (tanh(U a) * tanh(V b)), an element-wise product: (N, *, D), (N, *, E) -> (N, *, out_features).

    Multimodal low-rank bilinear pooling (Kim et al. 2017). `hidden_features` is the rank, the size
    of the product, by default out_features.

    Example:
        image: [32]
        text: [16]
        {merge: mlb, from: [image, text], out_features: 8, hidden_features: 64}
    """
    widths(inputs._asdict(), "mlb")
    hidden = {"out_features": hidden_features or out_features, "bias": bias}
    doc = "Multimodal low-rank bilinear pooling (Kim et al. 2017)."
    sketch = Sketch("LowRankBilinearPooling", "a", "b", doc=doc)
    sketch.layer("hidden_a", "Linear", "a", activation="Tanh", **hidden)
    sketch.layer("hidden_b", "Linear", "b", activation="Tanh", **hidden)
    product = sketch.formula("product", "hidden_a * hidden_b")
    return sketch.block(
        sketch.layer("output", "Linear", product, out_features=out_features, bias=bias)
    )


@merge(family="bilinear")
def mutan(
    inputs: Pair,
    /,
    out_features: Positive,
    *,
    rank: Positive = 5,
    hidden_features: Positive | None = None,
    bias: bool = True,
) -> Block:
    """A Tucker fusion whose core is a sum of `rank` products: (N, *, D), (N, *, E) -> (N, *, out_features).

    MUTAN (Ben-younes et al. 2017): z = sum over r of (M_r tanh(W_a a)) * (N_r tanh(W_b b)), and the
    result is W_o z. `hidden_features` is the size of the projections and of z, by default
    out_features.

    Example:
        image: [32]
        text: [16]
        {merge: mutan, from: [image, text], out_features: 8, rank: 3, hidden_features: 64}
    """
    widths(inputs._asdict(), "mutan")
    size = hidden_features or out_features
    doc = "Multimodal Tucker fusion, MUTAN (Ben-younes et al. 2017)."
    sketch = Sketch("TuckerFusion", "a", "b", doc=doc)
    factors = {"out_features": rank * size, "bias": bias}
    for name in ("a", "b"):
        sketch.layer(
            f"hidden_{name}", "Linear", name, out_features=size, bias=bias, activation="Tanh"
        )
        sketch.layer(f"factors_{name}", "Linear", f"hidden_{name}", **factors)
    product = sketch.formula("product", "factors_a * factors_b")
    summed = _summed(sketch, product, inputs.a, (rank, size), 0)
    return sketch.block(
        sketch.layer("output", "Linear", summed, out_features=out_features, bias=bias)
    )


@merge(family="bilinear")
def mfb(
    inputs: Pair,
    /,
    out_features: Positive,
    *,
    factors: Positive = 5,
    dropout: Probability = 0.1,
    bias: bool = True,
) -> Block:
    """Sums of `factors` products, normalised: (N, *, D), (N, *, E) -> (N, *, out_features).

    Multimodal factorized bilinear pooling (Yu et al. 2017): z = sum_pool(dropout(U a * V b)), then
    the signed root sign(z) * |z| ** 0.5 of each element, scaled to length 1.

    Example:
        image: [32]
        text: [16]
        {merge: mfb, from: [image, text], out_features: 8}
    """
    widths(inputs._asdict(), "mfb")
    linear: dict[str, Any] = {"out_features": factors * out_features, "bias": bias}
    doc = "Multimodal factorized bilinear pooling (Yu et al. 2017)."
    sketch = Sketch("FactorizedBilinearPooling", "a", "b", doc=doc)
    sketch.layer("factors_a", "Linear", "a", **linear)
    sketch.layer("factors_b", "Linear", "b", **linear)
    product = sketch.formula("product", "factors_a * factors_b")
    if dropout:
        product = sketch.layer("dropout", "Dropout", product, p=dropout)
    _summed(sketch, product, inputs.a, (out_features, factors), 1, name="pooled")
    # in this form the gradient at 0 is 0; that of sign(z) * sqrt(|z|) would be NaN
    root = sketch.formula("root", "sqrt(relu(pooled)) - sqrt(relu(-pooled))")
    return sketch.block(sketch.layer("fused", "Normalize", root, dim=last(inputs.a)))


@merge(family="bilinear")
def low_rank(sources: Sources, /, out_features: Positive, *, rank: Positive = 4) -> Block:
    """A Linear of `tensor` in low-rank factors: n x (N, *, D_i) -> (N, *, out_features).

    Low-rank multimodal fusion (Liu et al. 2018): the sum over r of the product over the sources of W_i,r [x_i; 1].

    Example:
        image: [32]
        text: [16]
        audio: [8]
        {merge: low_rank, from: [image, text, audio], out_features: 8}
    """
    widths(operands(sources, "low_rank"), "low_rank")
    names = numbered(len(sources))
    doc = "Low-rank multimodal fusion (Liu et al. 2018)."
    sketch = Sketch("LowRankFusion", *names, doc=doc)
    factors = numbered(len(sources), "factor")
    for factor, name in zip(factors, names, strict=True):
        sketch.layer(factor, "Linear", name, out_features=rank * out_features)
    product = sketch.formula("product", " * ".join(factors))
    return sketch.block(_summed(sketch, product, sources[0], (rank, out_features), 0))


def _summed(
    sketch: Sketch,
    product: str,
    like: TensorType,
    sizes: tuple[int, int],
    axis: int,
    name: str = "summed",
) -> str:
    """Add nodes that split the last axis in two and sum over the first or second; return the sum."""
    *lead, _ = like
    split = sketch.layer("split", "Reshape", product, shape=[*lead, *sizes])
    return sketch.layer(name, "Sum", split, dim=len(lead) + 1 + axis)


@merge(family="bilinear")
def tensor(sources: Sources, /) -> Lowering:
    """All products of features of different sources: n x (N, D_i) -> (N, (D_0 + 1) * ... * (D_n + 1)).

    The tensor fusion network (Zadeh et al. 2017): the outer product of [1; x_0], ..., [1; x_n],
    flattened. It has no weights; `low_rank` is a cheaper way to a Linear of it.

    Example:
        image: [16]
        text: [8]
        {merge: tensor, from: [image, text]}
    """
    named = operands(sources, "tensor", most=len(AXES))
    total: Size = 1
    for key, x in named.items():
        floating(x, "tensor", key)
        if len(x.dims) != 1 or not x.batched:
            raise rank_fault(x, "tensor takes (N, D)", key)
        total = total * (x.dims[0] + 1)
    same_dtypes(named, "tensor")
    letters = AXES[: len(sources)]
    equation = f"{','.join(f'n{letter}' for letter in letters)}->n{letters}"
    padded: list[Code] = [call("F.pad", Operand(key), (1, 0), value=1.0) for key in named]
    return Lowering(
        sources[0].like(total), call=call("torch.einsum", equation, *padded).method("flatten", 1)
    )
