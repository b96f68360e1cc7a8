"""Tests of arithmetic, comparisons and masks: each function is lifted to nodes that compute the same."""

from __future__ import annotations

import torch
from torch import Tensor

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
