"""Products with a softmax between them become the merge `attention` by --tidy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.roundtrip import body_of, round_trip

Q, BIAS = (2, "T", 4), (2, "T", "T")


class Products(nn.Module):
    """Computes attention of three tensors in heads by a function of the scores and the bias."""

    def __init__(self, score: Callable[[Tensor, Tensor], Tensor], factor: float = 1.0) -> None:
        super().__init__()
        self.score = score
        self.factor = factor
        self.drop = nn.Dropout(0.2)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
        scores = (q * self.factor if self.factor != 1 else q) @ k.transpose(-2, -1)
        return self.drop(self.score(scores, bias)) @ v + bias.mean()


class Plain(nn.Module):
    """Divides by the root of the width, without bias and dropout."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return torch.softmax(q @ k.transpose(2, 3) / 2, dim=-1) @ v


class Weights(nn.Module):
    """Returns the weights, too."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        weights = torch.softmax(q @ k.transpose(2, 3) / 2, dim=-1)
        return weights @ v, weights


FROM = "from: {query: q, key: k, value: v"
CASES: dict[str, tuple[nn.Module, list[Any], list[str]]] = {
    "the default scale": (Plain(), [Q, Q, Q], ["merge: attention, " + FROM + "}}\n"]),
    "a bias and another scale": (
        Products(lambda s, b: torch.softmax(s * 0.3 + b, dim=-1)),
        [Q, Q, Q, BIAS],
        [FROM + ", bias: bias}", "dropout_p: 0.2\n", "scale: 0.3\n"],
    ),
    "queries that are scaled": (
        Products(lambda s, b: (s + b).softmax(3), factor=0.5),
        [Q, Q, Q, BIAS],
        [FROM + ", bias: bias}, dropout_p: 0.2}"],
    ),
    "no scale": (
        Products(lambda s, b: (s + b).softmax(-1)),
        [Q, Q, Q, BIAS],
        [FROM + ", bias: bias}", "scale: 1.0\n"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_products_are_attention(name: str) -> None:
    module, inputs, lines = CASES[name]
    found = mg.from_module(module, inputs, tidy=True)
    spec = body_of(round_trip(module, inputs, tidy=True))
    assert found.proven, str(found.report)
    assert all(line in spec for line in lines), spec
    assert "matmul" not in spec


REFUSED: dict[str, tuple[nn.Module, list[Any]]] = {
    "weights that are read": (Weights(), [Q, Q, Q]),
    "a softmax over the queries": (
        Products(lambda s, b: torch.softmax(s + b, dim=-2)),
        [Q, Q, Q, BIAS],
    ),
    "a sum of three": (
        Products(lambda s, b: torch.softmax(s + b + 2 * b, dim=-1)),
        [Q, Q, Q, BIAS],
    ),
    "a bias that multiplies": (
        Products(lambda s, b: torch.softmax(s * b, dim=-1)),
        [Q, Q, Q, BIAS],
    ),
    "a bias that is subtracted": (
        Products(lambda s, b: torch.softmax(s - b, dim=-1)),
        [Q, Q, Q, BIAS],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_products_stay(name: str) -> None:
    module, inputs = REFUSED[name]
    found = mg.from_module(module, inputs, tidy=True)
    assert found.proven, str(found.report)
    assert "merge: attention" not in found.graph.dumps()
