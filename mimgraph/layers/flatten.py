"""Flatten."""

from __future__ import annotations

from mimgraph.catalogue import OpFault, axis_index, bad_option, layer
from mimgraph.ir.code import Code
from mimgraph.ir.lowering import INPUT, Lowering, module
from mimgraph.ir.types import TensorType
from mimgraph.layers.reshape import moved, product


@layer()
def Flatten(input: TensorType, /, start_dim: int = 1, end_dim: int = -1) -> Lowering:
    """Axes `start_dim` to `end_dim` as one: (N, *) -> (N, D)."""
    if not input.dims:
        raise OpFault("rank-mismatch", "Flatten takes (N, *)", note=str(input))
    start = axis_index(input, start_dim, "start_dim")
    end = axis_index(input, end_dim, "end_dim")
    if start > end:
        raise bad_option("start_dim", f"start_dim {start_dim} is behind end_dim {end_dim}")
    dims = input.dims
    return Lowering(
        moved(input, *dims[:start], product(dims[start : end + 1]), *dims[end + 1 :]),
        module("Flatten", start_dim=start_dim, end_dim=end_dim),
        function=flattened(INPUT, start_dim, end_dim),
    )


def flattened(x: Code, start: int, end: int) -> Code:
    """`x.flatten(start, end)`, where an end that is the last axis is -1 and left out."""
    return x.method("flatten", start, *(() if end == -1 else (end,)))
