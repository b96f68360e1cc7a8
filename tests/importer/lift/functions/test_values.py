"""Tests of arithmetic, comparisons, masks, products and reductions: each function is lifted to nodes that compute the same."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check_functions

REAL = {
    "add": lambda x, y: x + y,
    "add_alpha": lambda x, y: torch.add(x, y, alpha=2),
    "add_in_place": lambda x, y: (x * 1).add_(y),
    "number_first": lambda x: 1 + x,
    "sum_of_list": lambda x, y: sum([x, y]),
    "subtract_from": lambda x: 1 - x,
    "rsub": lambda x, y: torch.rsub(x, y),
    "divide_number": lambda x: 1 / x,
    "divide_by_size": lambda x: x / x.shape[1],
    "remainder": lambda x: x % 0.7,
    "square": lambda x: x**2,
    "power_of": lambda x: 2**x,
    "pow": lambda x, y: torch.pow(x.abs(), y),
    "rsqrt": lambda x: torch.rsqrt(x * x + 1e-6),
    "reciprocal": lambda x: x.reciprocal(),
    "addcmul": lambda x, y: torch.addcmul(x, y, y, value=0.5),
    "addcdiv": lambda x, y: torch.addcdiv(x, y, y.abs() + 1),
    "lerp": lambda x, y: torch.lerp(x, y, 0.3),
    "clamp": lambda x: x.clamp(0, 1),
    "clamp_min": lambda x: x.clamp_min(0.1),
    "clamp_max": lambda x: torch.clamp_max(x, 0.1),
    "clamp_in_place": lambda x: (x * 1).clamp_(-1, 1),
    "clamp_by_tensors": lambda x, y: x.clamp(y, y + 1),
    "maximum": lambda x, y: torch.maximum(x, y),
    "erf": lambda x: torch.erf(x),
    "log1p": lambda x: torch.log1p(x * x),
    "expm1": lambda x: torch.special.expm1(x),
    "log2": lambda x: torch.log2(x.abs()),
    "exp2": lambda x: torch.exp2(x),
    "round": lambda x: torch.round(x * 3),
    "sign": lambda x: torch.sign(x),
    "tan": lambda x: torch.tan(x),
    "hypot": lambda x, y: torch.hypot(x, y),
    "negative": lambda x: -x,
    "absolute": lambda x: abs(x),
}
WHOLE = {
    "quotient": lambda i: i / 2,
    "floor": lambda i: i // 2,
    "floor_mode": lambda i: torch.div(i, 2, rounding_mode="floor"),
    "modulo": lambda i: i % 3,
    "times_float": lambda i: i * 0.5,
    "power": lambda i: i**2,
    "plus_zero": lambda m: m + 0,
    "mask_times": lambda m: m * 3,
    "is_zero": lambda i: i == 0,
    "inverted": lambda m: (1.0 - m.float()) * -10000.0,
    "hidden": lambda i: (1.0 - i) * torch.finfo(torch.float32).min,
    "not": lambda m: ~m,
    "and": lambda m, k: m & ~k,
    "or": lambda m, k: m | k,
    "xor": lambda m, k: m ^ k,
    "logical_and": lambda m, i: torch.logical_and(m, i),
}
CHOICES = {
    "where": lambda x, y: torch.where(x > 0, x, y),
    "where_number": lambda x: torch.where(x > 0, x, 0.0),
    "where_number_first": lambda x: torch.where(x > 0, -1.0, x),
    "where_numbers": lambda x: torch.where(x > 0, -3.4e38, 0.0),
    "where_infinity": lambda x: torch.where(x > 0, x, float("-inf")),
    "where_infinity_first": lambda x: torch.where(x > 0, float("-inf"), x),
    "where_method": lambda x, y: x.where(x > 0, y),
    "where_broadcast": lambda x, m: torch.where(m[:, :, None], x, 0.5),
    "where_whole": lambda m: torch.where(m, 1, 0),
    "masked_fill": lambda x, m: x.masked_fill(m.unsqueeze(-1), float("-inf")),
    "masked_fill_least": lambda x, m: x.masked_fill(~m[:, :, None], torch.finfo(x.dtype).min),
    "masked_fill_in_place": lambda x, m: (x * 1).masked_fill_(m.unsqueeze(-1), 0),
    "masked_fill_tensor": lambda x, m: x.masked_fill(m.unsqueeze(-1), torch.tensor(2.0)),
    "isnan": lambda x: torch.isnan(x / 0),
}
MASKS = {"dtype": "bool", "shape": ("T",)}


def test_arithmetic_of_floats() -> None:
    text = check_functions(REAL, x=("T", 4), y=("T", 4))
    assert "sum: {merge: add, from: [x, y]}" in text
    assert "{merge: formula, expr: 1 - x, from: {x: x}}" in text


def test_arithmetic_of_integers_and_masks() -> None:
    whole = {"dtype": "int64", "shape": ("T",)}
    check_functions(WHOLE, i=whole, m=MASKS, k=MASKS)


def test_choices_by_masks() -> None:
    text = check_functions(CHOICES, x=("T", 4), y=("T", 4), m=MASKS)
    assert "value: -.inf" in text


def test_ranks_that_differ_are_broadcast() -> None:
    def scaled(x: Tensor, y: Tensor) -> Tensor:
        return x * y[:, None, None] + x.mean(1, keepdim=True)

    text = check_functions({"scaled": scaled}, x=("T", 4), y=())
    assert "broadcast: true" in text


PRODUCTS = {
    "matmul": lambda x, y: x @ y.transpose(1, 2),
    "bmm": lambda x, y: torch.bmm(x, y.mT),
    "one_row": lambda x, z: x @ z.unsqueeze(-1),
    "more_axes": lambda x, w: x.unsqueeze(1) @ w,
    "all_pairs": lambda z: z @ z.t(),
    "einsum": lambda x, y: torch.einsum("bid,bjd->bij", x, y),
    "einsum_implicit": lambda x, y: torch.einsum("bid,bjd", x, y),
    "einsum_ellipsis": lambda x, y: torch.einsum("...id,...jd->...ij", x, y),
    "einsum_capitals": lambda x, y: torch.einsum("BTC,BSC->BTS", x, y),
    "baddbmm": lambda x, y, s: torch.baddbmm(s, x, y.transpose(1, 2), beta=0.5, alpha=2),
    "cosine": lambda x, y: F.cosine_similarity(x, y, dim=-1),
    "distance": lambda z: F.pairwise_distance(z, z + 1),
    "normalize": lambda x: F.normalize(x, dim=-1),
    "attention": lambda x, y: F.scaled_dot_product_attention(x, y, y),
    "masked": lambda x, y, m: F.scaled_dot_product_attention(
        x[:, None], y[:, None], y[:, None], attn_mask=m[:, None, None, :]
    ),
    "biased": lambda x, y, s: F.scaled_dot_product_attention(x, y, y, s, scale=8**-0.5),
}


def test_products() -> None:
    text = check_functions(
        PRODUCTS,
        x=("T", 8),
        y=("T", 8),
        z=(8,),
        w=(3, 8, 4),
        s=("T", "T"),
        m={"shape": ("T",), "dtype": "bool"},
    )
    assert "{merge: attention, from: {query: x, key: y, value: y}}" in text


REDUCED = {
    "mean": lambda x: x.mean(1),
    "mean_keepdim": lambda x: x.mean(dim=(1, 2), keepdim=True),
    "mean_list": lambda x: x.mean([-1]),
    "sum": lambda x: torch.sum(x, -1),
    "prod": lambda x: x.prod(2),
    "max": lambda x: x.max(1),
    "max_values": lambda x: x.max(dim=-1, keepdim=True)[0],
    "max_indices": lambda x: x.max(1).indices,
    "min_values": lambda x: torch.min(x, 1).values,
    "max_of_two": lambda x, y: torch.max(x, y),
    "amax": lambda x: x.amax((1, 2)),
    "argmax": lambda x: x.argmax(-1),
    "var": lambda x: x.var(-1, unbiased=False, keepdim=True),
    "var_positional": lambda x: x.var(-1, False),
    "std": lambda x: x.std(dim=2),
    "var_mean": lambda x: torch.var_mean(x, dim=-1, keepdim=True, correction=0),
    "norm": lambda x: x.norm(dim=-1, keepdim=True),
    "norm_1": lambda x: torch.norm(x, p=1, dim=1),
    "vector_norm": lambda x: torch.linalg.vector_norm(x, dim=-1),
    "logsumexp": lambda x: torch.logsumexp(x, 1),
    "topk": lambda x: x.topk(3, dim=-1),
    "topk_indices": lambda x: x.topk(3)[1],
    "sort": lambda x: x.sort(dim=1, descending=True),
    "argsort": lambda x: x.argsort(-1),
    "softmax_in_float32": lambda x: torch.softmax(x, -1, dtype=torch.float32),
}
COUNTED = {
    "sum": lambda i: i.sum(-1),
    "sum_of_mask": lambda m: m.sum(1),
    "sum_as_float": lambda m: m.sum(1, dtype=torch.float32),
    "any": lambda m: m.any(1),
    "all": lambda m: m.all(-1),
    "any_of_numbers": lambda i: i.any(1),
    "cumsum": lambda m: m.cumsum(1),
    "cumsum_in_int32": lambda m: torch.cumsum(m, dim=1, dtype=torch.int32),
    "count": lambda i: torch.count_nonzero(i, dim=1),
    "positions": lambda i: torch.cumsum(i.ne(0).int(), dim=1).type_as(i) * i.ne(0).int(),
}


def test_reductions_of_floats() -> None:
    text = check_functions(REDUCED, x=("T", 4), y=("T", 4))
    assert "mean: {layer: Mean, from: x, dim: 1}" in text


def test_reductions_of_integers_and_masks() -> None:
    check_functions(
        COUNTED, i={"dtype": "int64", "shape": ("T",)}, m={"dtype": "bool", "shape": ("T",)}
    )


def test_a_reduction_over_the_batch_is_refused() -> None:
    class Loss(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean()

    (refused,) = mg.from_module(Loss(), {"x": (4,)}).data()["opaque"]
    assert (refused["reason"], refused["path"]) == ("batch", "mean")
    assert refused["message"] == "mean over all axes, the batch too"
