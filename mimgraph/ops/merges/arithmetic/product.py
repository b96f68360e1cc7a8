"""Define the products of vectors and matrices: dot, matmul, outer."""

from __future__ import annotations

from functools import reduce

from mimgraph.ir.axes_help import along_the_last, one_more_axis, to_vector
from mimgraph.ir.code import Binary, Constant, Operand, call
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.types import COMPLEX, FLOATING, TensorType, promote
from mimgraph.ops.merges.arithmetic.agreement import (
    Operands,
    disagreement,
    operands,
    same_dtypes,
    same_shapes,
)
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import dtype_fault, same_dims, same_size, without_axes
from mimgraph.ops.signature import Sources

SAMPLES = 'to compare samples: {merge: einsum, from: [{0}, {1}], equation: "n d, m d -> n m"}'
AXES = "abcdefghijklm"  # letters of an equation, n is the batch


@merge(family="product")
def dot(sources: Sources, /) -> Lowering:
    """The dot product along the last axis: (N, *, D), (N, *, D) -> (N, *).

    Example:
        user: [64]
        item: [64]
        {merge: dot, from: [user, item]}
    """
    named = operands(sources, "dot", most=2)
    for key, x in named.items():
        if not x.dims:
            raise without_axes(x, "dot takes (N, *, D)", key)
    try:
        same_shapes(named, "dot needs equal shapes")
    except OpFault as fault:
        of_vectors = any(x.rank == 2 for x in sources)
        fault.help = _along_the_last(named) or (fault.help if of_vectors else "")
        raise
    first, second = sources
    dtype = promote(first.dtype, second.dtype)
    products = Binary("*", Operand("0"), Operand("1"))
    return Lowering(
        first.like(*first.dims[:-1], dtype=dtype if dtype in (*FLOATING, *COMPLEX) else "int64"),
        call=products.method("sum", first.rank - 1),
    )


def _along_the_last(named: Operands) -> str:
    """Return the einsum of a vector with each place of a longer source; "" if they do not fit."""
    left, right = named.values()
    one_is_vector = 1 in (len(left.dims), len(right.dims))
    fits = one_is_vector and same_size(left.dims[-1], right.dims[-1])
    if not (fits and left.batched and right.batched):
        return ""
    equation = along_the_last(len(left.dims), len(right.dims))
    return f'along the last axis: {{merge: einsum, from: [{{0}}, {{1}}], equation: "{equation}"}}'


def _as_matrix(x: TensorType, key: str, dim: int) -> str:
    """Return the help that makes the vector of each sample a row or a column."""
    return one_more_axis(f"{{{key}}}", dim) if x.batched and len(x.dims) == 1 else ""


@merge(family="product")
def matmul(sources: Sources, /) -> Lowering:
    """The matrix product; one may lack a batch: (N, *, L, D), (N, *, D, M) -> (N, *, L, M).

    Example:
        weights: [10, 8]
        values: [8, 64]
        {merge: matmul, from: [weights, values]}
    """
    named = operands(sources, "matmul", most=2)
    same_dtypes(named, "matmul")
    left, right = sources
    if left.dtype == "bool":
        raise dtype_fault(left, "matmul", "numbers", "0")
    _check_matrices(left, right)
    if not same_size(left.shape[-1], right.shape[-2]):
        raise OpFault(
            "shape-mismatch",
            "matmul needs the last size of the first to equal the second-last size of the second",
            source="1",
            note=f"{right}, but {{0}} is {left}",
            help=_transposed(left, right),
            mentions=("1", "0"),
        )
    lead = left.shape[:-2] or right.shape[:-2]
    result = left.in_shape(*lead, left.shape[-2], right.shape[-1])
    product = (*result.shape, left.shape[-1])
    return Lowering(result, call=Binary("@", Operand("0"), Operand("1")), products=(product,))


@merge(family="product")
def outer(sources: Sources, /) -> Lowering:
    """The outer product, one axis a source: (N, A), (N, B) -> (N, A, B).

    Example:
        image: [8]
        text: [4]
        {merge: outer, from: [image, text]}
    """
    named = operands(sources, "outer", most=len(AXES))
    for key, x in named.items():
        if len(x.dims) != 1:
            help = to_vector(x, "outer", f"{{{key}}}") if x.batched else ""
            raise OpFault("rank-mismatch", "outer takes (N, D)", source=key, note=str(x), help=help)
    batched = any(x.batched for x in sources)
    terms = ["n" * x.batched + axis for x, axis in zip(sources, AXES, strict=False)]
    equation = f"{','.join(terms)}->{'n' * batched}{AXES[: len(terms)]}"
    dims = tuple(x.dims[0] for x in sources)
    dtype = reduce(promote, (x.dtype for x in sources))
    return Lowering(
        TensorType(dims, dtype, None, batched),
        call=call("torch.einsum", Constant(equation), *map(Operand, named)),
    )


def _transposed(left: TensorType, right: TensorType) -> str:
    """Return the help that transposes the second matrix, where that is enough; else ""."""
    if not same_size(left.dims[-1], right.dims[-1]):
        return ""
    return "transpose it first: {layer: Transpose, from: {1}, dim0: -2, dim1: -1}"


def _check_matrices(left: TensorType, right: TensorType) -> None:
    """Refuse sources that are not matrices; one without a batch is one matrix for all samples, and
    two that fit as they are may have the batch as rows or columns."""
    if left.rank == right.rank == 2 and same_size(left.shape[-1], right.shape[-2]):
        return
    if left.batched == right.batched:
        ranks = {"0": len(left.dims) >= 2, "1": len(right.dims) >= 2}
    elif left.batched:
        ranks = {"0": len(left.dims) >= 1, "1": len(right.dims) == 2}
    else:
        ranks = {"0": len(left.dims) == 2, "1": len(right.dims) >= 2}
    for key, fits in ranks.items():
        if not fits:
            shown = str(left if key == "0" else right)
            help = _as_matrix(left, "0", 1) if key == "0" else _as_matrix(right, "1", 2)
            if left.rank == right.rank == 2 and same_dims(left, right):
                help = f"{help}; {SAMPLES}"
            raise OpFault(
                *("rank-mismatch", "matmul takes matrices (N, L, D)"),
                source=key,
                note=shown,
                help=help,
            )
    if left.batched == right.batched and not same_dims(left.dims[:-2], right.dims[:-2]):
        odd, other = ("0", "1") if left.rank > right.rank else ("1", "0")
        message = "matmul needs equal sizes on every axis but the last two"
        raise disagreement({"0": left, "1": right}, odd, other, message)
