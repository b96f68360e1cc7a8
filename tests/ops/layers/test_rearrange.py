"""Compares Rearrange and Reduce with einops."""

from __future__ import annotations

import einops
import torch

from mimgraph.ir.types import TensorType
from tests.helpers.cases import check_each
from tests.ops.layers.oracle import infer, make, run, shape_of, tensor, unbatched

IMAGE, ONES = tensor(4, 9, 8), tensor(1, 4, 1, 5)
SAMPLES, MOVED = tensor("N"), unbatched(5, "N", 6)

REARRANGED = [
    (IMAGE, "n c h w -> n (h w) c", {}),
    (IMAGE, "n c h w -> n c (h w)", {}),
    (IMAGE, "n c h w -> n h w c", {}),
    (IMAGE, "n c h w -> n (c h w)", {}),
    (IMAGE, "n c (h p) (w q) -> n (h w) (p q c)", {"p": 3, "q": 2}),
    (IMAGE, "n c (h p) w -> n c h (p w)", {"h": 3}),
    (IMAGE, "n (a b) h w -> n b a w h", {"a": 2, "b": 2}),
    (IMAGE, "n (a b) h w -> n h (a b) w", {"b": 2}),
    (IMAGE, "n c h w -> n 1 c h w 1", {}),
    (IMAGE, "n c h w -> n () c (h w)", {}),
    (IMAGE, "n c h w->n c h w", {}),
    (IMAGE, "n (g c) h w -> n (c g) h w", {"g": 2}),
    # the batch elsewhere, or again
    (IMAGE, "n c h w -> c n h w", {}),
    (IMAGE, "n c (h p) w -> (h w) n (p c)", {"p": 3}),
    (MOVED, "t n d -> n t d", {}),
    (MOVED, "t n (h d) -> (h t) n d", {"h": 2}),
    (SAMPLES, "n m -> m 1 n", {}),
    # any number of axes
    (IMAGE, "n c ... -> n ... c", {}),
    (IMAGE, "n c ... -> n (...) c", {}),
    (IMAGE, "n ... -> n (...)", {}),
    (IMAGE, "n c h w ... -> n h w c ...", {}),
    (IMAGE, "n c h w ... -> n h w c (...)", {}),
    (IMAGE, "... (w q) -> ... w q", {"q": 2}),
    # axes of size 1
    (ONES, "n 1 a 1 b -> n b a", {}),
    (ONES, "n 1 a 1 b -> n a 1 b 1", {}),
    (ONES, "n 1 a 1 b -> n (a b) 1", {}),
    (ONES, "n 1 a () b -> n 1 1 b a 1", {}),
]
REDUCED = [
    (IMAGE, "n c h w -> n c", "mean", {}),
    (IMAGE, "n c h w -> n c 1 1", "max", {}),
    (IMAGE, "n c h w -> n w c", "sum", {}),
    (IMAGE, "n c h w -> n", "prod", {}),
    (IMAGE, "n c h w -> n h w c", "min", {}),
    (IMAGE, "n c (h p) (w q) -> n c h w", "max", {"p": 3, "q": 2}),
    (IMAGE, "n c (h p) (w q) -> n (h w) c", "mean", {"p": 3, "q": 2}),
    (IMAGE, "n (g c) (h w) q -> n c", "sum", {"g": 2, "h": 3}),
    (IMAGE, "n c ... -> n c", "mean", {}),
    (IMAGE, "n c ... w -> n (c ...)", "prod", {}),
    (IMAGE, "n c (h 3) (w 2) -> n c h w", "max", {}),
    (IMAGE, "n (2 c) (h 3) 8 -> n h (c 1)", "sum", {}),
    (IMAGE, "n (2 2) (p h) w -> n (w h)", "prod", {"p": 3}),
    (MOVED, "t n d -> n d", "mean", {}),
    (SAMPLES, "n m -> m", "mean", {}),
    (ONES, "n 1 a 1 b -> n a", "mean", {}),
    (ONES, "n 1 a 1 b -> n 1 a", "max", {}),
]


def test_rearrange() -> None:
    check_each(REARRANGED, rearranges)


def rearranges(case: tuple[TensorType, str, dict[str, int]]) -> None:
    x, pattern, sizes = case
    lowering, tensor = infer("Rearrange", x, pattern=pattern, sizes=sizes), make(x, {})
    assert lowering.call is not None
    expected = einops.rearrange(tensor, pattern, **sizes)
    assert torch.equal(run(lowering.call, {"input": tensor}), expected)
    assert shape_of(lowering.results[""], {}) == tuple(expected.shape)


def test_reduce() -> None:
    check_each(REDUCED, reduces)


def reduces(case: tuple[TensorType, str, str, dict[str, int]]) -> None:
    x, pattern, reduction, sizes = case
    lowering = infer("Reduce", x, pattern=pattern, reduction=reduction, sizes=sizes)
    tensor = make(x, {})
    assert lowering.call is not None
    expected = einops.reduce(tensor, pattern, reduction, **sizes)
    torch.testing.assert_close(run(lowering.call, {"input": tensor}), expected)
    assert shape_of(lowering.results[""], {}) == tuple(expected.shape)
