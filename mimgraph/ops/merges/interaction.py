"""Merges of features by their products: bilinear, low-rank, cross networks, factorization."""

from __future__ import annotations

from typing import Any, NamedTuple

from mimgraph.ir.code import (
    Attribute,
    Binary,
    Code,
    Constant,
    Operand,
    Slice,
    Tuple,
    by_position,
    call,
)
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import Depth, Positive, Probability
from mimgraph.ir.types import TensorType
from mimgraph.ops.layer_call import merge
from mimgraph.ops.layers.elementwise import bilinear_form
from mimgraph.ops.merges.agreement import Operands, operands, same_dtypes, same_shapes
from mimgraph.ops.merges.elementwise import refuse
from mimgraph.ops.merges.product import AXES
from mimgraph.ops.merges.sketch import (
    Sketch,
    last,
    named_inputs,
    numbered,
    rank_fault,
    widths,
    widths_of_vectors,
)
from mimgraph.ops.op import Sources
from mimgraph.ops.rule_helpers import (
    as_float,
    bad_option,
    floating,
    known,
    weighted,
    with_rank,
)


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
    return bilinear_form(result, in1, in2, out_features, bias)


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


# Define the merges that multiply each pair of many vectors.


VECTORS, DOTS, LOWER = map(Operand, ("vectors", "dots", "lower"))  # intermediate steps


@merge(family="interaction")
def pairwise_dot(sources: Sources, /) -> Lowering:
    """The dot product of each pair, (1, 0), (2, 0), (2, 1), ...: K x (N, D) -> (N, K*(K - 1)/2).

    The inner products of a product-based network (Qu et al. 2016).

    Example:
        user: [16]
        item: [16]
        shop: [16]
        {merge: pairwise_dot, from: [user, item, shop]}
    """
    return _pairs(vectors(sources, "pairwise_dot"), "pairwise_dot", diagonal=-1)


@merge(family="interaction")
def dot_interaction(
    sources: Sources, /, *, concat_first: bool = True, self_interaction: bool = False
) -> Lowering:
    """The first vector and the dot products of all pairs: K x (N, D) -> (N, D + K*(K - 1)/2).

    The interaction of DLRM (Naumov et al. 2019), whose first vector is the dense features:
    `concat_first` puts it in front, `self_interaction` also pairs each vector with itself.

    Example:
        dense: [16]
        city: [16]
        job: [16]
        {merge: dot_interaction, from: [dense, city, job]}
    """
    named = vectors(sources, "dot_interaction")
    dots = _pairs(named, "dot_interaction", diagonal=0 if self_interaction else -1)
    if not concat_first:
        return dots
    assert dots.type is not None and dots.call is not None
    first = sources[0]
    return Lowering(
        first.like(first.dims[0] + dots.type.dims[0]),
        call=call("torch.cat", (Operand("0"), dots.call), 1),
        steps=dots.steps,
        products=dots.products,
    )


@merge(family="interaction")
def factorization(sources: Sources, /, *, reduce_sum: bool = True) -> Lowering:
    """The sum of the products of all pairs, (sum**2 - sum of squares) / 2: K x (N, D) -> (N, 1).

    The second order of a factorization machine (Rendle 2010). Without `reduce_sum` it stays
    (N, D), the bi-interaction of neural factorization machines (He & Chua 2017). A single source
    (N, K, D) holds all vectors.

    Example:
        user: [16]
        item: [16]
        shop: [16]
        {merge: factorization, from: [user, item, shop]}
    """
    first = sources[0]
    if len(sources) == 1 and len(first.dims) == 2 and first.batched:
        held, steps = Operand("0"), {}
    else:
        held, steps = VECTORS, {"vectors": _stacked(vectors(sources, "factorization"))}
    total = held.method("sum", 1).method("square")
    squares = held.method("square").method("sum", 1)
    pairs: Code = Binary("-", total, squares)
    if reduce_sum:
        pairs = pairs.method("sum", 1, keepdim=True)
    return Lowering(
        first.like(1 if reduce_sum else first.dims[-1], dtype=as_float(first.dtype)),
        call=Binary("*", Constant(0.5), pairs),
        steps=steps,
    )


def vectors(sources: Sources, name: str) -> Operands:
    """Return two vectors or more by key, all of one size and dtype."""
    named = operands(sources, name)
    same_shapes(named, f"{name} needs equal shapes")
    for key, x in named.items():
        with_rank(x, 1, name, "(N, D)", key)
    same_dtypes(named, name)
    return named


def _pairs(named: Operands, name: str, diagonal: int) -> Lowering:
    """Return the dot products on and below a diagonal of the matrix of all pairs, row by row."""
    refuse(named, name, ("bool",))
    count = len(named)
    lower = by_position(row=count, col=count, offset=diagonal)
    rows, columns = (LOWER.at(Constant(axis)) for axis in (0, 1))
    return Lowering(
        named["0"].like(count * (count + 1 + 2 * diagonal) // 2),
        call=DOTS.at(Tuple((Slice(), rows, columns))),
        steps={
            "lower": call("torch.tril_indices", *lower, device=Attribute(Operand("0"), "device")),
            "vectors": _stacked(named),
            "dots": Binary("@", VECTORS, Attribute(VECTORS, "mT")),
        },
        products=((*named["0"].shape, count, count),),
    )


def _stacked(named: Operands) -> Code:
    """Return the code that stacks vectors on axis 1."""
    return call("torch.stack", tuple(map(Operand, named)), 1)


# Define the explicit feature crosses of recommender models.


@merge(family="cross")
def cross(sources: Sources, /, *, num_layers: Depth = 2, rank: Positive | None = None) -> Block:
    """Products of features up to order num_layers + 1: n x (N, D_i) -> (N, D_0 + ... + D_n).

    The cross network of DCN v2 (Wang et al. 2021) on x_0 = [x0, ..., xn]: each layer is
    x_0 * (W x + b) + x. With `rank` W is U V', with 2 * D * rank weights instead of D * D.

    Example:
        user: [32]
        item: [16]
        {merge: cross, from: [user, item], num_layers: 3}
    """
    total = sum(widths_of_vectors(operands(sources, "cross", least=1), "cross"))
    layer = Sketch("CrossLayer", "x", "x0", doc="x0 * (W x + b) + x.")
    if rank is not None:
        layer.layer("down", "Linear", "x", out_features=rank, bias=False)
    layer.layer("linear", "Linear", "down" if rank else "x", out_features=total)
    names = numbered(len(sources))
    sketch = Sketch("CrossNetwork", *names, doc="Cross network of DCN v2 (Wang et al. 2021).")
    x = names[0]
    if len(names) > 1:
        x = sketch.merge("joined", "concat", names)
    block = layer.block(layer.formula("crossed", "x0 * linear + x"))
    return sketch.block(sketch.use("layers", block, (x, x), times=num_layers))


@merge(family="cross")
def cin(sources: Sources, /, layer_sizes: tuple[Positive, ...], *, bias: bool = False) -> Block:
    """Products of embeddings, coordinate by coordinate: n x (N, D) -> (N, sum of layer_sizes).

    The compressed interaction network of xDeepFM (Lian et al. 2018) on the rows x0, ..., xn: each
    layer mixes all products of its input rows with x0, ..., xn, and is summed over the coordinates.
    A single source (N, n, D) holds all rows.

    Example:
        user: [16]
        item: [16]
        shop: [16]
        {merge: cin, from: [user, item, shop], layer_sizes: [8, 4]}
    """
    count, size = _rows(sources)
    if not layer_sizes:
        raise bad_option("layer_sizes", "layer_sizes lists the size of one layer or more")
    names = named_inputs(sources)
    doc = "Compressed interaction network of xDeepFM (Lian et al. 2018)."
    sketch = Sketch("CompressedInteractionNetwork", *names, doc=doc)
    rows = before = names[0]
    if len(names) > 1:
        rows = before = sketch.merge("rows", "stack", names)
    pooled, width = [], count
    for index, out_channels in enumerate(layer_sizes):
        products = f"products{index}", "einsum", (before, rows)
        flat = sketch.layer(
            f"flat{index}",
            "Reshape",
            sketch.merge(*products, equation="nhd,nmd->nhmd"),
            shape=[width * count, size],
        )
        conv = {"out_channels": out_channels, "kernel_size": 1, "bias": bias}
        before, width = sketch.layer(f"layer{index}", "Conv1d", flat, **conv), out_channels
        pooled.append(sketch.layer(f"pooled{index}", "Sum", before, dim=2))
    if len(pooled) == 1:
        return sketch.block(pooled[0])
    return sketch.block(sketch.merge("fused", "concat", tuple(pooled)))


def _rows(sources: Sources) -> tuple[int, Size]:
    """Return the number and the size of the rows, given as several sources or as one."""
    named = operands(sources, "cin", least=1)
    for key, x in named.items():
        weighted(x, "cin", key)
        if len(x.dims) != (1 if len(sources) > 1 else 2) or not x.batched:
            raise rank_fault(x, "cin takes several (N, D) or one (N, n, D)", key)
    same_shapes(named, "cin needs embeddings of one size")
    size = sources[0].dims[-1]
    if len(sources) > 1:
        return len(sources), size
    return known(sources[0].dims[0], "the number of rows", "0"), size
