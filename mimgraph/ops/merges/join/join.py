"""Define concat and stack."""

from __future__ import annotations

from dataclasses import replace

from mimgraph.ir.axes_help import node
from mimgraph.ir.code import Code, Operand, call, named_constant
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.merges.arithmetic.agreement import (
    Operands,
    agreed,
    broadcast_help,
    broadcast_type,
    operands,
    same_dtypes,
    same_ranks,
    same_shapes,
)
from mimgraph.ops.merges.arithmetic.elementwise import Missing
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import AFTER_BATCH, axis_index, bad_option, same_size
from mimgraph.ops.signature import Sources


@merge(family="join", alone="Identity")
def concat(
    sources: Sources, /, dim: int = 1, *, broadcast: bool = False, missing: Missing = None
) -> Lowering:
    """Concatenated along `dim`, equal on all other axes: (N, A), (N, B) -> (N, A + B).

    `missing: skip` leaves out missing optional sources; the size along `dim` is then known only at
    run time.

    Example:
        image: [64]
        text: [32]
        {merge: concat, from: [image, text]}
    """
    named = operands(sources, "concat")
    if dim == 0 and any(x.batched for x in sources):
        help = f"{AFTER_BATCH}; to join samples, Transpose each source first"
        raise bad_option("dim", "dim 0 is the batch", help)
    frame = _frame(named, dim, broadcast)
    index = axis_index(frame, dim)
    same_dtypes(named, "concat")
    total: Size = 0
    for x in sources:
        total = total + _aligned(x, frame)[index]
    dims = (*frame.dims[:index], total, *frame.dims[index + 1 :])
    parts = tuple(_expanded(key, x, frame, index) for key, x in named.items())
    joined = frame.like(*dims, dtype=sources[0].dtype)
    axis = named_constant("dim", dim)
    lowering = Lowering(joined, call=call("torch.cat", parts, axis))
    if missing is None:
        return lowering
    if broadcast:
        raise bad_option("missing", "missing: skip needs equal shapes, so no broadcast: true")
    given = call("torch.cat", call("_present", *map(Operand, named)), axis)
    return replace(lowering, skipping=given, adds=index)


@merge(family="join", alone="Unsqueeze")
def stack(sources: Sources, /, dim: int = 1, *, broadcast: bool = False) -> Lowering:
    """Stacked along a new axis, all of one shape: (N, D), (N, D) -> (N, 2, D).

    Example:
        image: [64]
        text: [64]
        {merge: stack, from: [image, text]}
    """
    named = operands(sources, "stack")
    frame = agreed(named, "stack", broadcast)
    same_dtypes(named, "stack")
    index = axis_index(frame, dim, new=1)
    parts = tuple(_expanded(key, x, frame) for key, x in named.items())
    return Lowering(
        frame.like(*frame.dims[:index], len(sources), *frame.dims[index:]),
        call=call("torch.stack", parts, named_constant("dim", dim)),
    )


def _frame(sources: Operands, dim: int, broadcast: bool) -> TensorType:
    """Return the type that all sources have, or are expanded to, except along `dim`."""
    try:
        if broadcast:
            needs = "with broadcast: true needs every other axis equal or 1"
            return broadcast_type(sources, f"concat along dim {dim} {needs}", dim)
        message = f"concat along dim {dim} needs equal sizes on every other axis"
        same_ranks(sources, message, free=0)
        first = next(iter(sources.values()))
        same_shapes(sources, message, axis_index(first, dim))
        return first
    except OpFault as fault:
        if fault.code == "shape-mismatch":
            help = broadcast_help(sources, broadcast, dim) or fault.help
            fault.help = help or _as_column(sources, *fault.mentions)
        raise


def _as_column(sources: Operands, odd: str, other: str) -> str:
    """Return the help for a source (N,) beside vectors; else ""."""
    ranks = {key: sources[key].rank for key in (odd, other) if sources[key].batched}
    lone = next((key for key, rank in ranks.items() if rank == 1), None)
    if lone is None or 2 not in ranks.values():
        return ""
    return f"give {{{lone}}} one more axis first: {node('Unsqueeze', f'{{{lone}}}', 'dim: 1')}"


def _aligned(x: TensorType, frame: TensorType) -> tuple[Size, ...]:
    """Return the dims in the rank of the frame: with 1 for each axis missing at the left."""
    missing = len(frame.dims) - len(x.dims)
    return (1,) * missing + x.dims[max(-missing, 0) :]


def _expanded(key: str, x: TensorType, frame: TensorType, index: int | None = None) -> Code:
    """Return the code of a source expanded to the frame, except along `index`; -1 keeps a size."""
    missing = len(frame.dims) - len(x.dims)
    sizes: list[Size] = []
    for i, (size, target) in enumerate(zip(_aligned(x, frame), frame, strict=True)):
        wanted = size if i == index else target
        sizes.append(-1 if i >= missing and same_size(wanted, size) else wanted)
    if x.batched == frame.batched and not missing and all(size == -1 for size in sizes):
        return Operand(key)
    batch = ((-1 if x.batched else BATCH),) if frame.batched else ()
    return Operand(key).method("expand", *batch, *sizes)
