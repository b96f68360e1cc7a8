"""Merges that put sources next to each other."""

from __future__ import annotations

from mimgraph.catalogue import Sources, axis_index, merge, same_size
from mimgraph.ir.code import Code, Operand, call, named_constant
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.merges.agreement import (
    agreed,
    broadcast_type,
    operands,
    same_dtypes,
    same_ranks,
    same_shapes,
    widest,
)


@merge()
def concat(sources: Sources, /, dim: int = 1, *, broadcast: bool = False) -> Lowering:
    """One behind the other along `dim`, equal on all other axes: (N, A), (N, B) -> (N, A + B).

    Example:
        image: [64]
        text: [32]
        {merge: concat, from: [image, text]}
    """
    named = operands(sources, "concat")
    message = f"concat along dim {dim} needs equal sizes on every other axis"
    if not broadcast:
        same_ranks(named, message)
    index = axis_index(widest(named, message), dim)
    if broadcast:
        frame = broadcast_type(named, message, index)
    else:
        same_shapes(named, message, index)
        frame = sources[0]
    same_dtypes(named, "concat")
    total: Size = 0
    for x in sources:
        total = total + _aligned(x, frame)[index]
    dims = (*frame.dims[:index], total, *frame.dims[index + 1 :])
    parts = tuple(_expanded(key, x, frame, index) for key, x in named.items())
    return Lowering(
        frame.like(*dims, dtype=sources[0].dtype),
        call=call("torch.cat", parts, named_constant("dim", dim)),
    )


@merge()
def stack(sources: Sources, /, dim: int = 1, *, broadcast: bool = False) -> Lowering:
    """Along a new axis, all of one shape: (N, D), (N, D) -> (N, 2, D).

    Example:
        image: [64]
        text: [64]
        {merge: stack, from: [image, text]}
    """
    named = operands(sources, "stack")
    frame = agreed(named, "stack needs equal shapes", broadcast)
    same_dtypes(named, "stack")
    index = axis_index(frame, dim, new=1)
    parts = tuple(_expanded(key, x, frame) for key, x in named.items())
    return Lowering(
        frame.like(*frame.dims[:index], len(sources), *frame.dims[index:]),
        call=call("torch.stack", parts, named_constant("dim", dim)),
    )


def _aligned(x: TensorType, frame: TensorType) -> tuple[Size, ...]:
    """The dims, with size 1 for each axis that is missing at the left."""
    return (1,) * (len(frame.dims) - len(x.dims)) + x.dims


def _expanded(key: str, x: TensorType, frame: TensorType, index: int | None = None) -> Code:
    """A source in the sizes of the frame on every axis but `index`; -1 is a size that stays."""
    missing = len(frame.dims) - len(x.dims)
    sizes: list[Size] = []
    for i, (size, target) in enumerate(zip(_aligned(x, frame), frame, strict=True)):
        wanted = size if i == index else target
        sizes.append(-1 if i >= missing and same_size(wanted, size) else wanted)
    if x.batched == frame.batched and not missing and all(size == -1 for size in sizes):
        return Operand(key)
    batch = ((-1 if x.batched else BATCH),) if frame.batched else ()
    return Operand(key).method("expand", *batch, *sizes)
