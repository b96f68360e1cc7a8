"""Define the merges that compare two sources: cosine similarity and p-norm distance."""

from __future__ import annotations

from functools import reduce

from mimgraph.ir.code import Operand, call
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import PositiveFloat
from mimgraph.ir.types import FLOATING
from mimgraph.ops.merges.arithmetic.agreement import agreed, operands
from mimgraph.ops.merges.arithmetic.elementwise import kind_of, promoted, refuse
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import as_float, axis_index, changed, dtype_fault, real, without_axes
from mimgraph.ops.signature import Sources

ONE, TWO = Operand("0"), Operand("1")


@merge(family="similarity")
def cosine(
    sources: Sources, /, dim: int = 1, *, eps: PositiveFloat = 1e-8, broadcast: bool = False
) -> Lowering:
    """The cosine of the angle between vectors along `dim`: (N, D), (N, D) -> (N,).

    Example:
        user: [64]
        item: [64]
        {merge: cosine, from: [user, item]}
    """
    named = operands(sources, "cosine", most=2)
    frame = agreed(named, "cosine", broadcast)
    axis = axis_index(frame, dim)
    dtype = reduce(promoted, map(kind_of, sources)).dtype
    if dtype not in FLOATING:
        odd = next(key for key, x in named.items() if x.dtype not in FLOATING)
        raise dtype_fault(named[odd], "cosine", "floating-point tensors", odd)
    keywords = changed(dim=(dim, 1), eps=(eps, 1e-8))
    return Lowering(
        frame.like(*frame.dims[:axis], *frame.dims[axis + 1 :], dtype=dtype),
        call=call("F.cosine_similarity", ONE, TWO, **keywords),
    )


@merge(family="similarity")
def distance(
    sources: Sources,
    /,
    p: float = 2.0,
    *,
    eps: float = 1e-6,
    keepdim: bool = False,
    broadcast: bool = False,
) -> Lowering:
    """The p-norm of the difference of vectors, along the last axis: (N, D), (N, D) -> (N,).

    As in torch, `eps` is added to each difference.

    Example:
        anchor: [64]
        other: [64]
        {merge: distance, from: [anchor, other]}
    """
    named = operands(sources, "distance", most=2)
    frame = agreed(named, "distance", broadcast)
    if not frame.dims:
        raise without_axes(frame, "distance takes (N, *, D)", "0")
    refuse(named, "distance", ("bool",))
    dtype = real(as_float(reduce(promoted, map(kind_of, sources)).dtype))
    keywords = changed(p=(p, 2), eps=(eps, 1e-6), keepdim=(keepdim, False))
    kept = (1,) if keepdim else ()
    return Lowering(
        frame.like(*frame.dims[:-1], *kept, dtype=dtype),
        call=call("F.pairwise_distance", ONE, TWO, **keywords),
    )
