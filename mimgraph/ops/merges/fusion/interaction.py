"""Define the merges that multiply each pair of many vectors."""

from __future__ import annotations

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
from mimgraph.ir.lowering import Lowering
from mimgraph.ops.merges.arithmetic.agreement import Operands, operands, same_dtypes, same_shapes
from mimgraph.ops.merges.arithmetic.elementwise import refuse
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import as_float, with_rank
from mimgraph.ops.signature import Sources

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
