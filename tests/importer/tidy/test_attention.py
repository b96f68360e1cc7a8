"""Attention between Linear layers becomes one `MultiheadAttention` by --tidy, where torch computes the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import mimgraph as mg
from mimgraph.imported import Imported
from tests.importer.roundtrip import body_of, round_trip


def heads(x: Tensor) -> Tensor:
    """Split two heads off."""
    return x.view(*x.shape[:2], 2, -1).transpose(1, 2)


def vectors(x: Tensor) -> Tensor:
    """Join heads."""
    return x.transpose(1, 2).reshape(x.shape[0], -1, 8)


class Separate(nn.Module):
    """Has a Linear for queries, keys and values each."""

    def __init__(self, bias: bool = True, memory: int = 8) -> None:
        super().__init__()
        self.q = nn.Linear(8, 8, bias=bias)
        self.k = nn.Linear(memory, 8, bias=bias)
        self.v = nn.Linear(memory, 8, bias=bias)
        self.out = nn.Linear(8, 8, bias=bias)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        q, k, v = heads(self.q(x)), heads(self.k(memory)), heads(self.v(memory))
        return self.out(vectors(F.scaled_dot_product_attention(q, k, v)))


class Fused(nn.Module):
    """Is the causal attention of nanoGPT: one Linear for queries, keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.c_attn = nn.Linear(8, 24)
        self.c_proj = nn.Linear(8, 8)
        self.resid = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = map(heads, self.c_attn(x).split(8, dim=2))
        rate = 0.1 if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=rate, is_causal=True)
        return self.resid(self.c_proj(vectors(y)))


class Stacked(nn.Module):
    """Is the attention of timm's vision transformers; `order` says which part are queries."""

    def __init__(self, order: tuple[int, int, int] = (0, 1, 2), norm: bool = False) -> None:
        super().__init__()
        self.order = order
        self.qkv = nn.Linear(8, 24)
        self.norm = nn.LayerNorm(4) if norm else None
        self.proj = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv(x).reshape(*x.shape[:2], 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        q, k, v = (parts[index] for index in self.order)
        q = q if self.norm is None else self.norm(q)
        return self.proj(vectors(F.scaled_dot_product_attention(q, k, v)))


class KeysAndValues(nn.Module):
    """Has one Linear for keys and values, and a Sequential behind, as lucidrains' models."""

    def __init__(self) -> None:
        super().__init__()
        self.to_q = nn.Linear(8, 8, bias=False)
        self.to_kv = nn.Linear(8, 16, bias=False)
        self.to_out = nn.Sequential(nn.Linear(8, 8, bias=False), nn.Dropout(0.1))

    def forward(self, x: Tensor) -> Tensor:
        k, v = map(heads, self.to_kv(x).chunk(2, dim=-1))
        y = F.scaled_dot_product_attention(heads(self.to_q(x)), k, v)
        return self.to_out(y.transpose(1, 2).flatten(2))


class SelfAttention(nn.Module):
    """Is the attention of BERT in transformers, without the last projection."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(8, 8)
        self.key = nn.Linear(8, 8)
        self.value = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (heads(layer(x)) for layer in (self.query, self.key, self.value))
        rate = 0.1 if self.training else 0.0
        return vectors(F.scaled_dot_product_attention(q, k, v, dropout_p=rate))


class SelfOutput(nn.Module):
    """Projects the result of attention, and adds what it read."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(8, 8)
        self.dropout = nn.Dropout(0.1)
        self.LayerNorm = nn.LayerNorm(8)

    def forward(self, x: Tensor, input: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(x)) + input)


class Bert(nn.Module):
    """Holds the two modules of BERT's attention."""

    def __init__(self) -> None:
        super().__init__()
        self.self = SelfAttention()
        self.output = SelfOutput()

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.self(x), x)


class Tied(Separate):
    """Uses the weight of the queries once more."""

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        return F.linear(super().forward(x, memory), self.q.weight)


def by_parts(
    *paths: str, bias: bool = True, layer: str = "attention"
) -> dict[str, str | tuple[str, ...]]:
    """Return the key map of a layer that is made of these Linear layers, the last projection last."""
    *joined, out = paths
    found = dict[str, str | tuple[str, ...]]()
    for name in ("weight", "bias") if bias else ("weight",):
        keys = tuple(f"{path}.{name}" for path in joined)
        found[f"{layer}.in_proj_{name}"] = keys if len(keys) > 1 else keys[0]
        found[f"{layer}.out_proj.{name}"] = f"{out}.{name}"
    return found


CASES: dict[str, tuple[nn.Module, list[Any], str, dict[str, Any]]] = {
    "three layers, keys of another input": (
        Separate(bias=False),
        [("T", 8), ("U", 8)],
        "attention: {layer: MultiheadAttention, from: {query: x, key: memory}, num_heads: 2, bias: false}",
        by_parts("q", "k", "v", "out", bias=False),
    ),
    "keys of another width": (
        Separate(bias=False, memory=6),
        [("T", 8), ("U", 6)],
        "attention: {layer: MultiheadAttention, from: {query: x, key: memory}, num_heads: 2, bias: false}",
        {
            "attention.q_proj_weight": "q.weight",
            "attention.k_proj_weight": "k.weight",
            "attention.v_proj_weight": "v.weight",
            "attention.out_proj.weight": "out.weight",
        },
    ),
    "one layer that is split": (
        Fused(),
        [("T", 8)],
        "attention: {layer: MultiheadAttention, from: x, num_heads: 2, dropout: 0.1, is_causal: true}",
        by_parts("c_attn", "c_proj", layer="attention"),
    ),
    "one layer, stacked": (
        Stacked(),
        [("T", 8)],
        "attention: {layer: MultiheadAttention, from: x, num_heads: 2}",
        by_parts("qkv", "proj"),
    ),
    "a chain behind": (
        KeysAndValues(),
        [("T", 8)],
        "to_out: {from: x, seq: [{MultiheadAttention: {num_heads: 2, bias: false}}, {Dropout: 0.1}]}",
        by_parts("to_q", "to_kv", "to_out.0", bias=False, layer="to_out.0"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_attention_is_one_layer(name: str) -> None:
    module, inputs, layer, keys = CASES[name]
    found = imported(module, inputs)
    assert f"  {layer}\n" in body_of(found)
    assert found.keys == keys


def test_projection_in_the_next_module_moves() -> None:
    found = imported(Bert(), [("T", 8)])
    layer = "{layer: MultiheadAttention, from: x, num_heads: 2, dropout: 0.1}\n"
    assert layer in body_of(found)
    assert ("self.query.weight", "self.key.weight", "self.value.weight") in found.keys.values()
    assert "output.dense.weight" in found.keys.values()


REFUSED: dict[str, tuple[nn.Module, list[Any]]] = {
    "values before keys": (Stacked((0, 2, 1)), [("T", 8)]),
    "norms of queries": (Stacked(norm=True), [("T", 8)]),
    "a weight that is read elsewhere": (Tied(), [("T", 8), ("U", 8)]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_attention_of_other_parts_stays(name: str) -> None:
    module, inputs = REFUSED[name]
    spec = body_of(imported(module, inputs))
    assert "MultiheadAttention" not in spec
    assert "merge: attention" in spec


def test_without_tidy_keys_stay() -> None:
    found = round_trip(Fused(), [("T", 8)])
    assert "MultiheadAttention" not in found.graph.dumps()
    assert not found.keys


def imported(module: nn.Module, inputs: list[Any]) -> Imported:
    """Return what a module is imported as with --tidy, proven in training too."""
    torch.manual_seed(0)
    found = mg.from_module(module, inputs, tidy=True)
    assert found.proven, str(found.report)
    assert round_trip(module, inputs, tidy=True).graph.dumps() == found.graph.dumps()
    return found
