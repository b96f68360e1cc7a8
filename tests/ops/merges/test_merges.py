"""Compares every merge with torch: shapes, dtypes and values; and checks the faults of merges."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations, product
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

import mimgraph as mg
from mimgraph import merges
from mimgraph.ir.dims.dim import symbol
from mimgraph.ir.types import DTYPES, TensorType, promote
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import ops
from tests.ops.layers.oracle import (
    infer,
    make,
    results,
    shape_of,
    size_of,
    tensor,
    unbatched,
)
from tests.ops.tables import each


def keys(*sources: TensorType) -> dict[str, TensorType]:
    """Return the sources of a variadic merge."""
    return {str(index): x for index, x in enumerate(sources)}


class Case(NamedTuple):
    """A call of a merge; `expected` computes the same with torch."""

    merge: str
    sources: Mapping[str, TensorType]
    options: Mapping[str, Any]
    expected: Callable[..., Tensor]

    def __str__(self) -> str:
        shapes = ",".join(f"{key}:{x}" for key, x in self.sources.items())
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.merge}({shapes};{options})".replace(" ", "")


N = "N"  # the batch again, or elsewhere
A, B = tensor(5), tensor(3)
ROW, GRID = tensor(4, 5), tensor(3, 4, 5)
SELF = {"query": tensor(4, 6), "key": tensor(5, 6), "value": tensor(5, 7)}
HEADS = {"query": tensor(2, 4, 6), "key": tensor(2, 5, 6), "value": tensor(2, 5, 7)}
SAMPLES, MOVED = tensor(N), unbatched(4, N, 5)
MASK, INDEX = tensor(4, 5, dtype="bool"), tensor(3, 5, dtype="int64")
IMAGE, LARGER = tensor(2, 4, 5), tensor(3, 7, 6)
sdpa: Any = F.scaled_dot_product_attention
sim: Any = F.cosine_similarity


def later(steps: int, keys: int) -> Tensor:
    """Return a bias that hides the keys behind each query."""
    return torch.full((steps, keys), -math.inf).triu(1)


def lower_pairs(*vectors: Tensor, diagonal: int = -1) -> Tensor:
    """Return the dot products of all pairs, one by one."""
    count = len(vectors) + diagonal + 1
    pairs = [(i, j) for i in range(len(vectors)) for j in range(min(i + diagonal + 1, count))]
    return torch.stack([torch.einsum("nd,nd->n", vectors[i], vectors[j]) for i, j in pairs], 1)


def pair_products(*vectors: Tensor) -> Tensor:
    """Return the elementwise products of all pairs, one by one."""
    return torch.stack([a * b for a, b in combinations(vectors, 2)]).sum(0) / 1


def first_steps(lengths: Tensor, count: int) -> Tensor:
    """Return a mask row by row: true for the first lengths, then false."""
    rows = [[step < length for step in range(count)] for length in lengths.tolist()]
    return torch.tensor(rows)


def pooled(x: Tensor, mask: Tensor, pool: Callable[[Tensor], Tensor]) -> Tensor:
    """Pool the real steps of each sample separately."""
    steps = torch.arange(x.shape[1])
    pairs = zip(x, mask, strict=True)
    return torch.stack([pool(sample[steps.masked_select(real)]) for sample, real in pairs])


POOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean_pool": lambda steps: steps.mean(0),
    "max_pool": lambda steps: steps.amax(0),
    "last_pool": lambda steps: steps[-1],
}

CASES = [
    Case("concat", keys(A, B), {}, lambda a, b: torch.cat((a, b), 1)),
    Case("concat", keys(ROW, ROW, ROW), {"dim": -1}, lambda *xs: torch.cat(xs, -1)),
    Case("concat", keys(ROW, tensor(2, 5)), {"dim": 1}, lambda a, b: torch.cat((a, b), 1)),
    Case(
        "concat", keys(unbatched(2, 5), unbatched(3, 5)), {"dim": 0}, lambda a, b: torch.cat((a, b))
    ),
    Case(
        "concat",
        keys(tensor(2, 4, 5), tensor(3, 1, 1)),
        {"broadcast": True},
        lambda a, b: torch.cat((a, b.expand(2, 3, 4, 5)), 1),
    ),
    Case(
        "concat",
        keys(ROW, unbatched(1, 5), unbatched(5)),
        {"broadcast": True},
        lambda a, b, c: torch.cat((a, b.expand(2, 1, 5), c.expand(2, 1, 5)), 1),
    ),
    Case(
        "concat",
        keys(unbatched(3), ROW),
        {"broadcast": True, "dim": -1},
        lambda a, b: torch.cat((a.expand(2, 4, 3), b), -1),
    ),
    Case("stack", keys(A, A, A), {}, lambda *xs: torch.stack(xs, 1)),
    Case("stack", keys(ROW, ROW), {"dim": -1}, lambda *xs: torch.stack(xs, -1)),
    Case("add", keys(A, A, A), {}, lambda a, b, c: a + b + c),
    Case("add", keys(GRID, tensor(3, 1, 1)), {"broadcast": True}, operator.add),
    Case("add", keys(unbatched(5), GRID), {"broadcast": True}, operator.add),
    Case("add", keys(unbatched(1, 5), unbatched(4, 1)), {"broadcast": True}, operator.add),
    Case("add", keys(ROW, unbatched(1, 4, 5)), {"broadcast": True}, operator.add),
    Case("add", keys(unbatched(1, 3, 1, 5), GRID), {"broadcast": True}, operator.add),
    Case("add", keys(tensor(), unbatched(1)), {"broadcast": True}, operator.add),
    Case(
        "concat",
        keys(unbatched(1, 2, 5), ROW),
        {"broadcast": True},
        lambda a, b: torch.cat((a.expand(2, 2, 5), b), 1),
    ),
    Case(
        "stack",
        keys(ROW, unbatched(1, 4, 1)),
        {"broadcast": True, "dim": -1},
        lambda a, b: torch.stack((a, b.expand(2, 4, 5)), -1),
    ),
    Case("subtract", keys(A, A), {}, operator.sub),
    Case(
        "stack",
        keys(ROW, unbatched(5), tensor(4, 1)),
        {"broadcast": True},
        lambda a, b, c: torch.stack((a, b.expand(2, 4, 5), c.expand(2, 4, 5)), 1),
    ),
    Case("divide", keys(A, A), {}, operator.truediv),
    Case("divide", keys(GRID, unbatched()), {"broadcast": True}, operator.truediv),
    Case("multiply", keys(A, A), {}, operator.mul),
    Case("multiply", keys(A, tensor(1)), {"broadcast": True}, operator.mul),
    Case("multiply", keys(A.cast("float16"), unbatched()), {"broadcast": True}, operator.mul),
    Case("average", keys(A, A, A), {}, lambda a, b, c: (a + b + c) / 3),
    Case("maximum", keys(A, A, A), {}, lambda a, b, c: torch.maximum(torch.maximum(a, b), c)),
    Case("minimum", keys(A, A, A), {}, lambda a, b, c: torch.minimum(torch.minimum(a, b), c)),
    Case("minimum", keys(ROW, tensor(1, 5)), {"broadcast": True}, torch.minimum),
    Case("where", {"condition": MASK, "input": ROW, "other": ROW}, {}, torch.where),
    Case(
        "where",
        {"condition": tensor(4, 1, dtype="bool"), "input": ROW, "other": unbatched()},
        {"broadcast": True},
        torch.where,
    ),
    *(
        Case(merge, keys(x, y, x), {"broadcast": True}, lambda a, b, c, by=by: by(by(a, b), c))
        for merge, by in (("logical_and", torch.logical_and), ("logical_or", torch.logical_or))
        for x, y in ((ROW, tensor(1, 5)), (MASK, unbatched(5, dtype="bool")))
    ),
    Case(
        "sequence_mask",
        {"lengths": tensor(dtype="int64"), "like": ROW},
        {},
        lambda lengths, like: first_steps(lengths, like.shape[1]),
    ),
    Case(
        "sequence_mask",
        {"lengths": tensor(dtype="int32")},
        {"maxlen": 2},
        lambda lengths: first_steps(lengths, 2),
    ),
    *(
        Case(merge, {"input": x, "mask": tensor(x.dims[0], dtype="bool")}, {}, by_hand)
        for merge, pool in POOLS.items()
        for x in (A, ROW, GRID)
        for by_hand in (partial(pooled, pool=pool),)
    ),
    *(
        Case(merge, {"input": ROW}, {}, lambda x, pool=pool: torch.stack([*map(pool, x)]))
        for merge, pool in POOLS.items()
    ),
    Case(
        "masked_fill",
        {"input": ROW, "mask": MASK},
        {"value": 2},
        lambda x, mask: x.masked_fill(mask, 2),
    ),
    Case(
        "masked_fill",
        {"input": ROW, "mask": tensor(4, 1, dtype="bool")},
        {"value": float("-inf"), "broadcast": True},
        lambda x, mask: x.masked_fill(mask, float("-inf")),
    ),
    Case(
        "gather",
        {"input": ROW, "index": INDEX},
        {"dim": 1},
        lambda x, index: torch.gather(x, 1, index),
    ),
    Case(
        "gather",
        {"input": ROW, "index": tensor(2, 9, dtype="int64")},
        {"dim": -1, "sparse_grad": True},
        lambda x, index: torch.gather(x, -1, index),
    ),
    Case(
        "gather",
        {"input": unbatched(4, 5), "index": unbatched(9, 5, dtype="int64")},
        {"dim": 0},
        lambda x, index: torch.gather(x, 0, index),
    ),
    *(
        Case(
            "pick",
            {"input": x, "index": tensor(dtype="int64")},
            {},
            lambda x, index: x[range(len(x)), index],
        )
        for x in (A, ROW, GRID)
    ),
    *(
        Case(
            "take",
            {"input": x, "index": index},
            {},
            lambda x, index: torch.stack([one[at] for one, at in zip(x, index, strict=True)]),
        )
        for x in (A, ROW, GRID)
        for index in (tensor(2, dtype="int64"), tensor(2, 6, dtype="int64"))
    ),
    Case(
        "take",
        {"input": ROW, "index": tensor(dtype="int64")},
        {},
        lambda x, index: x[range(len(x)), index],
    ),
    *(
        Case("take", {"input": x, "index": y}, {}, lambda x, index: x[index])
        for x, y in (
            (unbatched(4, 5), tensor(2, dtype="int64")),
            (unbatched(4), tensor(2, 3, dtype="int64")),
            (unbatched(4, 5), unbatched(2, 3, dtype="int64")),
        )
    ),
    Case(
        "take",
        {"input": ROW, "index": unbatched(2, 3, dtype="int64")},
        {},
        lambda x, index: torch.stack([one[index] for one in x]),
    ),
    *(
        Case(
            "scatter_add",
            {"input": x, "index": index, "src": src},
            {"dim": dim},
            lambda x, index, src, dim=dim: torch.scatter_add(x, dim, index, src),
        )
        for x, index, src, dim in (
            (ROW, INDEX, tensor(3, 5), 1),
            (ROW, tensor(4, 9, dtype="int64"), tensor(6, 9), -1),
            (unbatched(4), unbatched(9, dtype="int64"), unbatched(9), 0),
        )
    ),
    Case(
        "resize_like",
        {"input": IMAGE, "like": LARGER},
        {},
        lambda x, like: F.interpolate(x, (7, 6)),
    ),
    *(
        Case(
            "resize_like",
            {"input": tensor(*sizes), "like": tensor(*(size + 1 for size in sizes))},
            {"mode": mode, **options},
            lambda x, like, mode=mode, options=options: F.interpolate(
                x, like.shape[2:], mode=mode, **options
            ),
        )
        for sizes, mode, options in (
            ((2, 5), "linear", {}),
            ((2, 5), "area", {}),
            ((2, 5), "nearest-exact", {}),
            ((2, 4, 5), "bilinear", {"align_corners": True}),
            ((2, 4, 5), "bicubic", {"align_corners": False}),
            ((2, 4, 5), "bilinear", {"antialias": True}),
            ((2, 4, 5), "bicubic", {"antialias": True}),
            ((2, 4, 5, 3), "trilinear", {}),
            ((2, 4, 5, 3), "area", {}),
        )
    ),
    Case("pad_like", {"input": A, "like": tensor(7)}, {"dim": 1}, lambda x, y: F.pad(x, (0, 2))),
    Case("pad_like", {"input": A, "like": A}, {"dim": -1}, lambda x, y: x),
    Case(
        "pad_like",
        {"input": ROW, "like": tensor(7, 3)},
        {"dim": 1, "side": "start", "value": 1},
        lambda x, y: F.pad(x, (0, 0, 3, 0), value=1),
    ),
    Case(
        "pad_like",
        {"input": IMAGE, "like": LARGER},
        {"dim": (2, 3), "side": "both"},
        lambda x, y: F.pad(x, (0, 1, 1, 2)),
    ),
    Case(
        "pad_like",
        {"input": IMAGE, "like": LARGER},
        {"dim": (-1, 1)},
        lambda x, y: F.pad(x, (0, 1, 0, 0, 0, 1)),
    ),
    Case("cosine", keys(A, A), {}, F.cosine_similarity),
    Case(
        "cosine",
        keys(ROW, unbatched(5)),
        {"dim": -1, "eps": 0.1, "broadcast": True},
        lambda a, b: F.cosine_similarity(a, b, -1, 0.1),
    ),
    Case("distance", keys(A, A), {}, F.pairwise_distance),
    Case(
        "distance",
        keys(ROW, tensor(1, 5)),
        {"p": 1, "eps": 0, "keepdim": True, "broadcast": True},
        lambda a, b: F.pairwise_distance(a, b, 1, 0, keepdim=True),
    ),
    Case("pairwise_dot", keys(A, A, A), {}, lower_pairs),
    Case("pairwise_dot", keys(A, A), {}, lower_pairs),
    Case(
        "dot_interaction",
        keys(A, A, A),
        {},
        lambda *xs: torch.cat((xs[0], lower_pairs(*xs)), 1),
    ),
    Case("dot_interaction", keys(A, A, A, A), {"concat_first": False}, lower_pairs),
    Case(
        "dot_interaction",
        keys(A, A, A),
        {"self_interaction": True},
        lambda *xs: torch.cat((xs[0], lower_pairs(*xs, diagonal=0)), 1),
    ),
    Case("factorization", keys(A, A, A), {}, lambda *xs: pair_products(*xs).sum(1, keepdim=True)),
    Case("factorization", keys(A, A, A, A), {"reduce_sum": False}, pair_products),
    Case(
        "factorization",
        keys(ROW),
        {},
        lambda rows: pair_products(*rows.unbind(1)).sum(1, keepdim=True),
    ),
    Case("factorization", keys(ROW), {"reduce_sum": False}, lambda x: pair_products(*x.unbind(1))),
    Case("outer", keys(A, B), {}, lambda a, b: a[:, :, None] * b[:, None]),
    Case("outer", keys(A, unbatched(4)), {}, lambda a, b: a[:, :, None] * b),
    Case("outer", keys(unbatched(3), unbatched(4)), {}, torch.outer),
    Case(
        "outer",
        keys(A, B, A),
        {},
        lambda a, b, c: a[:, :, None, None] * b[:, None, :, None] * c[:, None, None],
    ),
    *(
        Case("einsum", keys(*sources), {"equation": equation}, by_hand)
        for sources, equation, by_hand in (
            ((ROW, tensor(3, 5)), "n l d, n m d -> n l m", lambda a, b: a @ b.mT),
            ((ROW, tensor(3, 5)), "... l d, ... m d -> ... l m", lambda a, b: a @ b.mT),
            (
                (tensor(3, 4, 5), ROW),
                "n ... d, n ... d -> n ...",
                lambda a, b: (a * b[:, None]).sum(-1),
            ),
            ((ROW, unbatched(5)), "... d, ... d -> ... d", lambda a, b: a * b),
            ((ROW,), "n ... -> n", lambda a: a.sum((1, 2))),
            ((ROW,), "n t d ... -> n d t ...", lambda a: a.mT),
            ((ROW, unbatched(5, 6)), "nld,de->nle", operator.matmul),
            ((unbatched(6, 4), ROW), "ml, nld -> nmd", operator.matmul),
            ((unbatched(3, 4), unbatched(4)), "ab,b->a", operator.matmul),
            ((ROW,), "n l d -> n d", lambda a: a.sum(1)),
            ((ROW,), "n a b -> n b a", lambda a: a.mT),
            ((tensor(4, 4),), "naa->n", lambda a: a.diagonal(0, 1, 2).sum(1)),
            ((A, A, A), "nD, nD, nD -> n", lambda a, b, c: (a * b * c).sum(1)),
            ((A, unbatched()), "nd, -> nd", operator.mul),
            ((A, B), "n a, n b -> n", lambda a, b: a.sum(1) * b.sum(1)),
            ((A, A), "n d, m d -> n m", lambda a, b: a @ b.T),
            ((A, B), "n a, n b -> a b", lambda a, b: a.T @ b),
            ((ROW, A), "n t d, m d -> m t n", lambda a, b: (a @ b.T).permute(2, 1, 0)),
            ((ROW, ROW), "n t d, m s d -> n m t s", lambda a, b: a[:, None] @ b.mT),
            ((SAMPLES, A), "n m, m d -> n d", operator.matmul),
            ((MOVED, A), "t n d, n d -> t d", lambda a, b: (a * b).sum(1)),
            ((ROW,), "n t d -> t n d", lambda a: a.transpose(0, 1)),
            ((ROW,), "... d -> d ...", lambda a: a.permute(2, 0, 1)),
            ((A, A), "n a, m a -> n", lambda a, b: (a @ b.T).sum(1)),
            ((SAMPLES,), "n n -> n", torch.diag),
            ((A, A), "n a, n a ->", lambda a, b: (a * b).sum()),
        )
    ),
    Case("dot", keys(A, A), {}, lambda a, b: (a * b).sum(1)),
    Case("dot", keys(GRID, GRID), {}, lambda a, b: (a * b).sum(-1)),
    Case("dot", keys(unbatched(3), unbatched(3)), {}, lambda a, b: (a * b).sum(-1)),
    Case("matmul", keys(tensor(3, 4), tensor(4, 5)), {}, operator.matmul),
    Case("matmul", keys(tensor(2, 3, 4), tensor(2, 4, 5)), {}, operator.matmul),
    Case("matmul", keys(tensor(4), unbatched(4, 5)), {}, operator.matmul),
    Case("matmul", keys(tensor(2, 3, 4), unbatched(4, 5)), {}, operator.matmul),
    Case("matmul", keys(unbatched(3, 4), tensor(6, 4, 5)), {}, operator.matmul),
    Case("matmul", keys(unbatched(3, 4), unbatched(4, 5)), {}, operator.matmul),
    Case("matmul", keys(A, unbatched(5, N)), {}, operator.matmul),
    Case("matmul", keys(unbatched(5, N), A), {}, operator.matmul),
    Case("matmul", keys(SAMPLES, A), {}, operator.matmul),
    Case("matmul", keys(SAMPLES, SAMPLES), {}, operator.matmul),
    Case("matmul", keys(MOVED, unbatched(4, 5, N)), {}, operator.matmul),
    Case("matmul", keys(tensor(N, 5), unbatched(5, 3)), {}, operator.matmul),
    Case("add", keys(SAMPLES, SAMPLES), {}, operator.add),
    Case("add", keys(MOVED, unbatched(5)), {"broadcast": True}, operator.add),
    Case("subtract", keys(tensor(1, 5), unbatched(1, N, 5)), {"broadcast": True}, operator.sub),
    Case("concat", keys(MOVED, MOVED), {"dim": 0}, lambda *xs: torch.cat(xs)),
    Case("concat", keys(MOVED, MOVED), {"dim": 1}, lambda *xs: torch.cat(xs, 1)),
    Case("concat", keys(SAMPLES, A), {"dim": -1}, lambda *xs: torch.cat(xs, 1)),
    Case("stack", keys(MOVED, MOVED), {"dim": 0}, lambda *xs: torch.stack(xs)),
    Case(
        "where",
        {"condition": SAMPLES.cast("bool"), "input": SAMPLES, "other": SAMPLES},
        {},
        torch.where,
    ),
    Case("formula", {"s": SAMPLES}, {"expr": "s / 0.05"}, lambda s: s / 0.05),
    Case("attention", SELF, {}, sdpa),
    Case("attention", HEADS, {"scale": 0.3}, lambda *x: sdpa(*x, scale=0.3)),
    Case("attention", HEADS, {"is_causal": True}, lambda *x: sdpa(*x, is_causal=True)),
    Case(
        "attention",
        {**SELF, "mask": tensor(5, dtype="bool")},
        {},
        lambda q, k, v, m: sdpa(q, k, v, attn_mask=m[:, None, :]),
    ),
    Case(
        "attention",
        {**HEADS, "mask": tensor(5, dtype="bool")},
        {},
        lambda q, k, v, m: sdpa(q, k, v, attn_mask=m[:, None, None, :]),
    ),
    Case("attention", {**HEADS, "mask": tensor(1, 4, 5, dtype="bool")}, {}, sdpa),
    *(
        Case("attention", {**sources, "mask": unbatched(*shape, dtype="bool")}, {}, sdpa)
        for sources, shapes in (
            (SELF, ((4, 5), (1, 5), (1, 4, 5), (1, 1, 5))),
            (HEADS, ((4, 5), (2, 4, 5), (1, 4, 5), (1, 2, 4, 5), (1, 1, 4, 1))),
        )
        for shape in shapes
    ),
    *(
        Case("attention", {**sources, "bias": bias}, {}, sdpa)
        for sources, bias in (
            (SELF, tensor(4, 5)),
            (SELF, unbatched(1, 5)),
            (HEADS, tensor(2, 4, 5)),
            (HEADS, unbatched(2, 4, 5)),
            (HEADS, unbatched(1, 2, 1, 5)),
        )
    ),
    Case(
        "attention",
        {**HEADS, "bias": unbatched(2, 4, 5)},
        {"is_causal": True, "scale": 0.3},
        lambda q, k, v, b: sdpa(q, k, v, attn_mask=b + later(4, 5), scale=0.3),
    ),
    Case(
        "attention",
        {**HEADS, "mask": tensor(5, dtype="bool"), "bias": unbatched(2, 4, 5)},
        {},
        lambda q, k, v, m, b: sdpa(q, k, v, attn_mask=b + m.log()[:, None, None, :]),
    ),
    *(
        Case(
            "attention",
            {
                "query": tensor(*more, 4, 3, 6),
                "key": tensor(*more, 2, 5, 6),
                "value": tensor(*more, 2, 5, 7),
            },
            {"enable_gqa": True, **options},
            partial(sdpa, enable_gqa=True, **options),
        )
        for more, options in (((), {}), ((), {"is_causal": True}), ((3,), {"scale": 0.3}))
    ),
    *(
        Case("formula", {"a": x, "b": x}, {"expr": expr}, by_hand)
        for x in (A,)
        for expr, by_hand in (
            ("a * b + (1 - a) * 2", lambda a, b: a * b + (1 - a) * 2),
            ("-a ** 2 - (b - a)", lambda a, b: -(a**2) - (b - a)),
            ("a / 2 / b // 3 % 2", lambda a, b: a / 2 / b // 3 % 2),
            ("(a > 0.5) * b", lambda a, b: (a > 0.5) * b),
            ("where(a > b, a, 0)", lambda a, b: torch.where(a > b, a, 0)),
            ("where(a == b, 1, 0.5)", lambda a, b: torch.where(a == b, 1.0, 0.5)),
            (
                "minimum(a, b) + maximum(a, 0.5)",
                lambda a, b: torch.minimum(a, b) + a.clamp(min=0.5),
            ),
            ("minimum(1, a) * b", lambda a, b: a.clamp(max=1) * b),
            ("clamp(a, 0.2, 2 * 0.3) + b", lambda a, b: a.clamp(0.2, 0.6) + b),
            ("clamp(a, b, b + 1)", lambda a, b: a.clamp(b, b + 1)),
            ("clamp(a, 0.2, b)", lambda a, b: a.clamp(min=0.2).minimum(b)),
            (
                "sigmoid(a) + tanh(b) + relu(a - b)",
                lambda a, b: a.sigmoid() + b.tanh() + (a - b).relu(),
            ),
            (
                "softplus(a) * exp(b) * log(a + 1)",
                lambda a, b: F.softplus(a) * b.exp() * (a + 1).log(),
            ),
            ("sqrt(a) + sin(b) + cos(abs(a))", lambda a, b: a.sqrt() + b.sin() + a.abs().cos()),
            ("a * sqrt(4) + b * exp(-(0))", lambda a, b: a * 2.0 + b),
            (
                "round(9 * a) + sign(b - 0.5) + floor(9 * b) - ceil(9 * a)",
                lambda a, b: (9 * a).round() + (b - 0.5).sign() + (9 * b).floor() - (9 * a).ceil(),
            ),
            (
                "0.5 * a * (1 + erf(a / sqrt(2))) * -b",
                lambda a, b: F.gelu(a) * -b,
            ),
            (
                "sin(2 * pi * a) + cos(-pi / 4 * b)",
                lambda a, b: (2 * torch.pi * a).sin() + (b * torch.pi / 4).cos(),
            ),
            (
                "a * round(2.5) + b * sign(-3) * erf(pi) * ceil(0.5)",
                lambda a, b: a * 2 - b * math.erf(math.pi),
            ),
        )
    ),
    Case(
        "formula",
        {"x": A, "t": unbatched()},
        {"expr": "x / t", "broadcast": True},
        operator.truediv,
    ),
    Case("formula", {"x": A}, {"expr": "x * x"}, lambda x: x * x),
    Case("formula", {"pi": A}, {"expr": "2 * pi"}, lambda pi: 2 * pi),
]


MERGES = list(dict.fromkeys(case.merge for case in CASES))


@pytest.mark.parametrize("merge", MERGES)
def test_results_and_dtypes_are_torchs(merge: str) -> None:
    def conforms(case: Case) -> None:
        check(case, {})
        if merge not in UNLIKE:
            takes_the_dtypes_that_torch_takes(case)

    each([case for case in CASES if case.merge == merge], conforms)


def check(case: Case, sizes: Mapping[str, int]) -> None:
    """Shapes and dtypes are as inferred, values as computed with torch."""
    lowering = infer(case.merge, case.sources, **case.options)
    inputs = {key: make(x, sizes) for key, x in case.sources.items()}
    expected = case.expected(*inputs.values())
    found = results(lowering, inputs, None, sizes)
    for value in found[lowering.default or ""]:
        torch.testing.assert_close(value, expected, equal_nan=True)
    for port, type_ in lowering.results.items():
        assert tuple(found[port][0].shape) == shape_of(type_, sizes)
        assert found[port][0].dtype == getattr(torch, type_.dtype)


def test_every_merge_has_a_case() -> None:
    """All but the fusions with weights, which are blocks or modules."""
    expressions = {
        op.name
        for op in ops("merge").values()
        if op.family != "bilinear" and op.function.__annotations__["return"] == "Lowering"
    }
    assert set(MERGES) == expressions <= set(merges.__all__)


def test_promotion_is_that_of_torch() -> None:
    ours = {(a, b): promote(a, b) for a, b in product(DTYPES, DTYPES)}
    assert ours == {
        (a, b): str(torch.promote_types(getattr(torch, a), getattr(torch, b)))[6:] for a, b in ours
    }


@pytest.mark.parametrize(
    "merge", ["add", "subtract", "multiply", "average", "maximum", "dot", "matmul", "attention"]
)
def test_rules_take_the_dtypes_that_torch_takes(merge: str) -> None:
    """Try all pairs of dtypes, except an average of bools, which torch would join by "or"."""
    for a, b in product(DTYPES, DTYPES):
        shape = (4, 4) if merge in ("matmul", "attention") else (4,)
        sources = keys(tensor(*shape, dtype=a), tensor(*shape, dtype=b))
        if merge == "attention":
            sources = {"query": sources["0"], "key": sources["1"], "value": sources["1"]}
        like = {key: x.cast("float32") for key, x in sources.items()}
        inputs = {key: make(x, {}) for key, x in sources.items()}
        try:
            found = results(infer(merge, like), inputs, None, {})
            values = next(iter(found.values()))
            accepted = str(values[-1].dtype)[6:]
        except (RuntimeError, NotImplementedError, TypeError):
            accepted = ""
        if merge == "average" and "bool" in (a, b):
            accepted = ""
        if accepted:
            lowering = infer(merge, sources)
            assert (a, b, next(iter(lowering.results.values())).dtype) == (a, b, accepted)
        else:
            with pytest.raises(OpFault) as caught:
                infer(merge, sources)
            assert (a, b, caught.value.code) == (a, b, "dtype-mismatch")


ONE_DTYPE = {"stack", "pairwise_dot", "dot_interaction", "factorization", "einsum", "concat"}
UNLIKE = ("formula", "attention", "average", "sequence_mask")
UNTRIED = {
    ("where", "condition", "uint8"),
    ("pick", "index", "uint8"),
    ("take", "index", "uint8"),
}  # taken, but deprecated


def takes_the_dtypes_that_torch_takes(case: Case) -> None:
    """Change the dtype of each source, and of all float sources at once."""
    floats = [key for key, x in case.sources.items() if x.dtype == "float32"]
    together = [floats] if len(floats) > 1 else []
    for varied, dtype in product([*([key] for key in case.sources), *together], DTYPES):
        if (case.merge, varied[0], dtype) in UNTRIED:
            continue
        sources = {k: x.cast(dtype) if k in varied else x for k, x in case.sources.items()}
        expected = dtype_by_hand(case, {key: make(x, {}) for key, x in sources.items()})
        try:
            lowering = infer(case.merge, sources, **case.options)
        except OpFault as fault:
            mixed = len({x.dtype for x in sources.values()}) > 1 and case.merge in ONE_DTYPE
            widened = case.merge == "einsum" and expected != dtype  # what torch sums as int64
            wrong_value = fault.option == "value"  # this dtype has no such value
            refused = expected in ("", "complex32") or mixed or widened or wrong_value
            assert refused, (varied, dtype, fault)
        else:
            assert (varied, dtype, lowering.results[""].dtype) == (varied, dtype, expected)


def dtype_by_hand(case: Case, inputs: Mapping[str, Tensor]) -> str:
    """Return the dtype of torch's result; "" if torch refuses."""
    by_hand = case.expected
    if case.merge == "einsum":
        by_hand = partial(torch.einsum, case.options["equation"])
    try:
        return str(by_hand(*inputs.values()).dtype).removeprefix("torch.")
    except (RuntimeError, NotImplementedError, IndexError, TypeError):
        return ""


EXPRESSIONS = """
a + b; a - b; a * b; a / b; a // b; a % b; a ** b; a < b; a == b
a + 1; 1 - a; a * 1.5; a / 2; a // 2; 2 % a; a ** 2; 2 ** a; 1.5 ** a; a ** -1; a >= 0.5; -a
abs(a); exp(a); log(a); sqrt(a); sin(a); cos(a); sigmoid(a); tanh(a); relu(a); softplus(a)
sign(a); round(a); floor(a); ceil(a); erf(a); a * pi; 2 * pi + a; maximum(-pi, a)
a and b; a or b; not a; minimum(a, b); maximum(a, 2); minimum(0.5, a)
clamp(a, 0, 1); clamp(a, 0.5, 1); clamp(a, b, b); clamp(a, 0, b)
where(a > b, a, b); where(a != 0, a, 1); where(a != 0, 1, 0.5); where(a != 0, 1, 0); where(a, b, b)
"""


@pytest.mark.parametrize("scalar", [False, True])
def test_formulas_compute_in_the_dtypes_of_torch(scalar: bool) -> None:
    """Try all pairs of dtypes, for two vectors and for a vector and a scalar tensor."""
    each(EXPRESSIONS.strip().replace("\n", "; ").split("; "), partial(computes, scalar=scalar))


def computes(expr: str, scalar: bool) -> None:
    uses_b = "b" in expr.replace("abs", "")
    for a, b in product(DTYPES, DTYPES if uses_b else DTYPES[:1]):
        if "uint8" in (a, b) and expr == "where(a, b, b)":
            continue  # taken, but deprecated
        if scalar and a in ("float16", "bfloat16") and b in ("complex64", "complex128"):
            continue  # a complex dtype of that precision, which some releases of torch lack
        second = unbatched(dtype=b) if scalar else tensor(4, dtype=b)
        sources = {"a": tensor(4, dtype=a), **({"b": second} if uses_b else {})}
        inputs = {key: make(x, {}) for key, x in sources.items()}
        condition = {"a": sources["a"].cast("bool")} if expr == "where(a, b, b)" else {}
        alike = (
            "int64" if expr == "where(a != 0, 1, 0.5)" else "float32"
        )  # else cast to that of `a`
        like = {key: x.cast(alike) for key, x in sources.items()} | condition
        try:
            found = results(infer("formula", like, expr=expr, broadcast=True), inputs, None, {})[
                ""
            ][0]
            accepted = str(found.dtype)[6:]
        except (RuntimeError, NotImplementedError, TypeError):
            accepted = ""
        if accepted:
            result = infer("formula", sources, expr=expr, broadcast=True).results[""]
            assert (a, b, result.dtype) == (a, b, accepted)
        else:
            with pytest.raises(OpFault) as caught:
                infer("formula", sources, expr=expr, broadcast=True)
            assert caught.value.code in ("dtype-mismatch", "bad-expression"), (a, b)


def test_attention_drops_weights_in_training_only() -> None:
    spec = """
    inputs: {x: [4, 6]}
    nodes:
      y: {merge: attention, from: [x, x, x], dropout_p: 0.5}
      z: {merge: attention, from: [x, x, x], dropout_p: 0.5}
    outputs: {alone: y, output: z, weights: z.weights}
    """
    model, x = mg.loads(spec).compile(), torch.randn(50, 4, 6)
    still, trained = model.eval()(x=x), model.train()(x=x)
    for name in ("alone", "output"):
        torch.testing.assert_close(still[name], sdpa(x, x, x))
    dropped = trained["weights"] == 0
    assert 300 < dropped.sum() < 500
    expected = still["weights"].masked_fill(dropped, 0) * 2
    torch.testing.assert_close(trained["weights"], expected)
    torch.testing.assert_close(trained["output"], expected @ x)
    assert not torch.allclose(trained["alone"], still["alone"])


@pytest.mark.parametrize("bias", [{}, {"bias": unbatched(4, 5)}], ids=["mask", "mask and bias"])
def test_a_row_that_is_masked_out_has_no_weight(bias: dict[str, TensorType]) -> None:
    lowering = infer("attention", {**SELF, "mask": tensor(5, dtype="bool"), **bias})
    inputs = {key: make(x, {}) for key, x in (SELF | bias).items()}
    mask = torch.tensor([[True, True, False, True, False], [False] * 5])
    found = results(lowering, {**inputs, "mask": mask}, None, {})
    torch.testing.assert_close(found["output"][0], found["output"][1])
    assert not found["weights"][0][1].any()


T, S = tensor("T"), tensor("S")
WORDS = {"query": tensor("T", 6), "key": tensor("S", 6), "value": tensor("S", 6)}
SYMBOLIC = [
    Case("concat", keys(tensor("T", 5), tensor("S", 5)), {"dim": 1}, lambda *xs: torch.cat(xs, 1)),
    *(
        Case(
            "concat",
            keys(tensor("T", 5), x),
            {"dim": 2, "broadcast": True},
            lambda a, b: torch.cat((a, b.expand(2, a.shape[1], 5)), 2),
        )
        for x in (unbatched(1, 5), tensor(1, 5))
    ),
    Case("stack", keys(T, T), {}, lambda *xs: torch.stack(xs, 1)),
    Case(
        "stack",
        keys(tensor("T", 5), unbatched(5)),
        {"dim": -1, "broadcast": True},
        lambda a, b: torch.stack((a, b.expand_as(a)), -1),
    ),
    Case("add", keys(tensor("T", 5), tensor("T", 1)), {"broadcast": True}, operator.add),
    Case("divide", keys(T, T), {}, operator.truediv),
    Case("minimum", keys(tensor("T", "S"), tensor(1, "S")), {"broadcast": True}, torch.minimum),
    Case("where", {"condition": T.cast("bool"), "input": T, "other": T}, {}, torch.where),
    Case(
        "masked_fill",
        {"input": tensor("T", 5), "mask": tensor("T", 1, dtype="bool")},
        {"value": 0, "broadcast": True},
        lambda x, mask: x.masked_fill(mask, 0),
    ),
    Case(
        "gather",
        {"input": tensor(4, "T"), "index": tensor(4, "S", dtype="int64")},
        {"dim": 2},
        lambda x, index: x.gather(2, index),
    ),
    Case(
        "gather",
        {"input": tensor(4, "T"), "index": tensor(4, "S", dtype="int64")},
        {"dim": 1},
        lambda x, index: x.gather(1, index),
    ),
    Case(
        "gather",
        {"input": tensor("T", 5), "index": tensor("S", 3, dtype="int64")},
        {"dim": 2},
        lambda x, index: x.gather(2, index),
    ),
    Case(
        "pick",
        {"input": tensor("T", "S"), "index": tensor(dtype="int64")},
        {},
        lambda x, index: x[range(2), index],
    ),
    Case(
        "take",
        {"input": tensor("T", 5), "index": tensor("S", dtype="int64")},
        {},
        lambda x, index: torch.stack([one[at] for one, at in zip(x, index, strict=True)]),
    ),
    Case(
        "scatter_add",
        {"input": T, "index": S.cast("int64"), "src": S},
        {"dim": 1},
        lambda x, index, src: x.scatter_add(1, index, src),
    ),
    Case(
        "scatter_add",
        {"input": tensor(9), "index": S.cast("int64"), "src": T},
        {"dim": 1},
        lambda x, index, src: x.scatter_add(1, index, src),
    ),
    Case(
        "resize_like",
        {"input": tensor(3, "T", 5), "like": tensor(2, 4, "S")},
        {"mode": "bilinear"},
        lambda x, like: F.interpolate(x, like.shape[2:], mode="bilinear"),
    ),
    *(
        Case(
            "pad_like",
            {"input": tensor("T", 5), "like": tensor("S", 2)},
            {"dim": 1, "side": side},
            lambda x, like, before=before: F.pad(
                x,
                (
                    *(0, 0),
                    before(like.shape[1] - x.shape[1]),
                    like.shape[1] - x.shape[1] - before(like.shape[1] - x.shape[1]),
                ),
            ),
        )
        for side, before in (
            ("end", lambda missing: 0),
            ("start", lambda missing: missing),
            ("both", lambda missing: missing // 2),
        )
    ),
    Case("logical_or", keys(T, T), {}, torch.logical_or),
    Case(
        "sequence_mask",
        {"lengths": tensor(dtype="int64"), "like": tensor("T", "S")},
        {},
        lambda lengths, like: first_steps(lengths, like.shape[1]),
    ),
    *(
        Case(
            merge,
            {"input": tensor("T", "S"), "mask": tensor("T", dtype="bool")},
            {},
            partial(pooled, pool=pool),
        )
        for merge, pool in POOLS.items()
    ),
    Case("cosine", keys(tensor("T", 5), tensor("T", 5)), {"dim": 2}, partial(sim, dim=2)),
    Case("distance", keys(tensor("T", "S"), tensor("T", "S")), {}, F.pairwise_distance),
    Case("pairwise_dot", keys(T, T, T), {}, lower_pairs),
    Case(
        "dot_interaction",
        keys(T, T, T),
        {},
        lambda *xs: torch.cat((xs[0], lower_pairs(*xs)), 1),
    ),
    Case("factorization", keys(T, T), {"reduce_sum": False}, operator.mul),
    Case("outer", keys(T, S), {}, lambda a, b: a[:, :, None] * b[:, None]),
    Case(
        "einsum",
        keys(tensor("T", 5), tensor("S", 5)),
        {"equation": "ntd,nsd->nst"},
        lambda a, b: b @ a.mT,
    ),
    Case("dot", keys(tensor("T", 5), tensor("T", 5)), {}, lambda a, b: (a * b).sum(-1)),
    Case("matmul", keys(tensor("T", "S"), tensor("S", 3)), {}, operator.matmul),
    Case("attention", WORDS, {}, sdpa),
    Case(
        "attention",
        {key: tensor("T", "S") for key in WORDS},
        {"is_causal": True},
        lambda *x: sdpa(*x, is_causal=True),
    ),
]


def test_sizes_may_be_names() -> None:
    each(SYMBOLIC, is_right_for_every_number)


def is_right_for_every_number(case: Case) -> None:
    """Sizes that break a constraint are refused by torch, except in pad_like, which would cut."""
    lowering = infer(case.merge, case.sources, **case.options)
    for lengths in product((3, 4, 7), repeat=2):
        sizes = dict(zip("TS", lengths, strict=True))
        if all(size_of(one.dim, sizes) >= (one.minimum or 0) for one in lowering.requires):
            check(case, sizes)
        elif case.merge != "pad_like":
            with pytest.raises(RuntimeError):
                check(case, sizes)


def test_constraints_of_named_sizes_are_required() -> None:
    index = {"input": tensor("T", 5), "index": tensor("S", 5, dtype="int64")}
    assert list(map(str, infer("gather", index, dim=2).requires)) == ["T - S >= 0"]
    assert not infer("gather", index, dim=1).requires
    longer = {"input": tensor("T", 5), "like": tensor("S", 5)}
    assert list(map(str, infer("pad_like", longer, dim=1).requires)) == ["S - T >= 0"]
    half = symbol("T") // 2
    upsampled = {"input": T.like(2 * half), "like": T}
    assert not infer("pad_like", upsampled, dim=1).requires


# arithmetic on sizes

extents = st.integers(1, 3)


@st.composite
def equations(draw: st.DrawFn) -> tuple[str, list[TensorType]]:
    """Draw an equation, mostly a legal one, and sources for it."""
    sizes = {letter: draw(extents) for letter in "abc"}
    terms, sources = [], []
    for _ in range(draw(st.integers(1, 3))):
        letters = draw(st.text("abc", max_size=3))
        batch = draw(st.sampled_from(["", "n", "n", "m"]))
        batched = batch != ""
        terms.append(batch + letters)
        sources.append(TensorType(tuple(sizes[letter] for letter in letters), batched=batched))
    return f"{','.join(terms)}->{draw(st.text('abcmn', max_size=4))}", sources


@settings(max_examples=300, deadline=None)
@given(equations(), st.sampled_from(["float32", "int64", "bool"]))
@example((",aa->", [tensor(), tensor(1, 1)]), "float32")
def test_einsum_takes_the_equations_that_torch_takes(
    drawn: tuple[str, list[TensorType]], dtype: str
) -> None:
    equation, plain = drawn
    sources = [x.cast(dtype) for x in plain]
    inputs = {key: make(x, {}) for key, x in keys(*sources).items()}
    try:
        expected: Tensor | None = torch.einsum(equation, *inputs.values())
    except RuntimeError:
        expected = None
    try:
        lowering = infer("einsum", keys(*sources), equation=equation)
    except OpFault as fault:
        assert expected is None or dtype == "bool", fault
    else:
        assert expected is not None
        (found,) = results(lowering, inputs, None, {})[""]
        assert torch.equal(found, expected) or dtype == "float32"
        assert tuple(found.shape) == shape_of(lowering.results[""], {})
        assert str(found.dtype) == f"torch.{lowering.results[''].dtype}"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(extents, min_size=2, max_size=2), min_size=3, max_size=3), st.booleans())
def test_indices_may_be_as_short_as_in_torch(shapes: list[list[int]], scatter: bool) -> None:
    input, index, src = (tensor(*dims) for dims in shapes)
    zeros = torch.zeros(2, *index.dims, dtype=torch.int64)
    sources = {"input": input, "index": index.cast("int64"), **({"src": src} if scatter else {})}
    inputs = {key: make(x, {}) for key, x in sources.items()} | {"index": zeros}
    try:
        if scatter:
            torch.scatter_add(inputs["input"], 1, zeros, inputs["src"])
        else:
            torch.gather(inputs["input"], 1, zeros)
    except RuntimeError:
        with pytest.raises(OpFault) as caught:
            infer("scatter_add" if scatter else "gather", sources, dim=1)
        assert caught.value.code == "shape-mismatch"
    else:
        infer("scatter_add" if scatter else "gather", sources, dim=1)


# faults


def test_the_help_says_how_to_fix_it() -> None:
    with pytest.raises(OpFault) as flat:
        infer("concat", keys(GRID, A))
    assert flat.value.help == "flatten it first: {layer: Flatten, from: {0}}"
    with pytest.raises(OpFault) as wide:
        infer("multiply", keys(A, tensor(1)))
    assert wide.value.help == "if that is meant, write broadcast: true"
    with pytest.raises(OpFault) as narrow:
        infer("masked_fill", {"input": ROW, "mask": A.cast("bool")}, value=0)
    assert narrow.value.help == (
        "give {mask} its missing axes first: {layer: Unsqueeze, from: {mask}, dim: 1}, "
        "and write broadcast: true"
    )


def test_a_fault_of_a_formula_has_its_characters() -> None:
    with pytest.raises(OpFault) as caught:
        infer("formula", {"a": A}, expr="a + other")
    assert caught.value.within == (4, 9)


def test_a_fault_of_an_equation_has_its_letter() -> None:
    def is_marked(marked: str) -> None:
        start, end = marked.index("⟦"), marked.index("⟧") - 1
        with pytest.raises(OpFault) as caught:
            infer("einsum", keys(A, A), equation=marked.replace("⟦", "").replace("⟧", ""))
        assert caught.value.within == (start, end)

    each(["n a, n ⟦1⟧ -> n", "n a, n a -> n ⟦b⟧", "n a, n a -> n a ⟦a⟧"], is_marked)
