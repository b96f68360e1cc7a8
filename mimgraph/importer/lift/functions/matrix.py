"""Lift products of matrices and attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from mimgraph.importer.lift.functions.table import lifts, refuse
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("matmul", "__matmul__", "mm", "bmm")
def matmul(body: BodyLifter, step: Step, input: Value, other: Any = None, mat2: Any = None) -> None:
    body.merge(step, "matmul", [input, other if other is not None else mat2], "product")


@lifts("einsum")
def einsum(body: BodyLifter, step: Step, equation: str, *operands: Any) -> None:
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    left, _, right = equation.replace(" ", "").partition("->")
    spaced = ", ".join(map(" ".join, left.split(",")))
    body.merge(step, "einsum", operands, equation=f"{spaced} -> {' '.join(right)}")


@lifts("scaled_dot_product_attention")
def attention(
    body: BodyLifter,
    step: Step,
    query: Value,
    key: Value,
    value: Value,
    attn_mask: Value | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> None:
    sources = {"query": query, "key": key, "value": value}
    if attn_mask is not None:
        sources["mask" if attn_mask.dtype == torch.bool else "bias"] = attn_mask
    given = {
        "dropout_p": dropout_p,
        "is_causal": is_causal,
        "scale": scale,
        "enable_gqa": enable_gqa,
    }
    options = {name: one for name, one in given.items() if one}
    refuse(step)
    body.merge(step, "attention", sources, "attended", **options)
