"""Tests of reductions, sorting and sums along an axis."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check_functions

REAL = {
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
WHOLE = {
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
    text = check_functions(REAL, x=("T", 4), y=("T", 4))
    assert "mean: {layer: Mean, from: x, dim: 1}" in text


def test_reductions_of_integers_and_masks() -> None:
    check_functions(
        WHOLE, i={"dtype": "int64", "shape": ("T",)}, m={"dtype": "bool", "shape": ("T",)}
    )


def test_a_reduction_over_the_batch_is_refused() -> None:
    class Loss(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean()

    (refused,) = mg.from_module(Loss(), {"x": (4,)}).data()["opaque"]
    assert (refused["reason"], refused["path"]) == ("batch", "mean")
    assert refused["message"] == "mean over all axes, the batch too"
