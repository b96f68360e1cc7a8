"""Attention and transformers are imported with their masks, whichever axis is the batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.importer.support import check, nodes, refusals

X, MEMORY = ("T", 8), ("S", 8)
PADDING = {"shape": ("T",), "dtype": "bool"}


class Attends(nn.Module):
    def __init__(self, call: Any, **options: Any) -> None:
        super().__init__()
        self.attn, self.call = nn.MultiheadAttention(8, 2, **options), call

    def forward(self, x: Tensor, y: Tensor) -> Any:
        return self.call(self.attn, x, y), y


def causal(x: Tensor, **how: Any) -> Tensor:
    return nn.Transformer.generate_square_subsequent_mask(x.size(1), **how)


CALLS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "to itself": (lambda a, x, y: a(x, x, x)[0], "x", {}),
    "to another": (lambda a, x, y: a(x, y, y)[0], ["x", "y"], {}),
    "no weights": (lambda a, x, y: a(x, y, y, need_weights=False)[0], ["x", "y"], {}),
    "three": (
        lambda a, x, y: a(x, y, y * 2)[0],
        {"query": "x", "key": "y", "value": "formula"},
        {},
    ),
    "weights": (lambda a, x, y: a(x, y, y), ["x", "y"], {}),
    "weights of heads": (
        lambda a, x, y: a(x, y, y, average_attn_weights=False),
        ["x", "y"],
        {"average_attn_weights": False},
    ),
    "causal": (
        lambda a, x, y: a(x, x, x, attn_mask=causal(x), need_weights=False)[0],
        "x",
        {"is_causal": True},
    ),
    "causal bool": (
        lambda a, x, y: a(x, x, x, attn_mask=torch.ones(x.size(1), x.size(1)).triu(1).bool())[0],
        "x",
        {"is_causal": True},
    ),
    "causal hint": (
        lambda a, x, y: a(x, x, x, attn_mask=causal(x), is_causal=True, need_weights=False)[0],
        "x",
        {"is_causal": True},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_multihead_attention(name: str) -> None:
    call, sources, options = CALLS[name]
    node = nodes(check(Attends(call, batch_first=True), x=X, y=MEMORY))["attn"]
    found = node["from"]
    found = [*found.values()] if isinstance(found, dict) and isinstance(sources, list) else found
    assert found == sources
    assert {k: v for k, v in node.items() if k not in ("layer", "from", "num_heads")} == options


def test_options_of_attention() -> None:
    options = {"bias": False, "add_bias_kv": True, "add_zero_attn": True, "dropout": 0.2}
    module = Attends(lambda a, x, y: a(x, x, x)[0], batch_first=True, **options)
    node = nodes(check(module, x=X, y=MEMORY))["attn"]
    assert options.items() <= node.items()


@pytest.mark.parametrize("name", ["to itself", "to another", "weights"])
def test_steps_first(name: str) -> None:
    call = CALLS[name][0]

    def swapped(attn: Any, x: Tensor, y: Tensor) -> Any:
        x = x.transpose(0, 1)
        result = call(attn, x, x if name == "to itself" else y.permute(1, 0, 2))
        output = result[0] if isinstance(result, tuple) else result
        return output.transpose(0, 1)

    found = check(Attends(swapped), x=X, y=MEMORY)
    assert [*nodes(found)] == ["attn"]


def test_padding() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attn = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: Tensor, padding_mask: Tensor) -> Any:
            return self.attn(x, x, x, key_padding_mask=padding_mask, need_weights=False)[0]

    found = check(Masked(), x=X, padding_mask=PADDING)
    assert nodes(found)["attn"]["from"] == {"query": "x", "key_padding_mask": "padding_mask"}


def test_batch_as_steps_is_refused() -> None:
    class Wrong(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attn = nn.MultiheadAttention(8, 2)

        def forward(self, x: Tensor) -> Any:
            return self.attn(x, x, x, need_weights=False)[0]

    (message,) = refusals(Wrong(), x=X)
    assert message.startswith("MultiheadAttention with batch_first=False is given (N, T, 8)")


class Encodes(nn.Module):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, **options)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.first = options.get("batch_first", False)

    def forward(self, x: Tensor, padding_mask: Tensor) -> Tensor:
        mask = causal(x)
        x = x if self.first else x.transpose(0, 1)
        x = self.encoder(x, mask=mask, src_key_padding_mask=padding_mask.float() * -1e9)
        return x if self.first else x.transpose(0, 1)


@pytest.mark.parametrize("first", [True, False])
def test_encoder(first: bool) -> None:
    found = check(Encodes(batch_first=first, activation="gelu"), x=X, padding_mask=PADDING)
    node = nodes(found)["encoder"]
    assert node["is_causal"] is True and node["activation"] == "gelu"


class Translates(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.transformer = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)

    def forward(self, x: Tensor, y: Tensor) -> Any:
        return self.transformer(x, y, tgt_mask=causal(y), tgt_is_causal=True)


def test_transformer() -> None:
    node = nodes(check(Translates(), x=X, y=MEMORY))["transformer"]
    assert node == {
        "layer": "Transformer",
        "from": {"src": "x", "tgt": "y"},
        "nhead": 2,
        "num_encoder_layers": 1,
        "num_decoder_layers": 1,
        "dim_feedforward": 16,
        "tgt_is_causal": True,
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda e: setattr(e.layers[1].norm1, "eps", 1e-3),
        lambda e: setattr(e.layers[0].dropout1, "p", 0.5),
        lambda e: setattr(e.layers[0], "activation", torch.tanh),
        lambda e: setattr(e, "norm", nn.LayerNorm(8, eps=1e-2)),
    ],
    ids=["eps", "rate", "activation", "norm"],
)
def test_changed_layers_are_refused(change: Any) -> None:
    class Changed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            change(self.encoder)

        def forward(self, x: Tensor) -> Any:
            return self.encoder(x)

    (message,) = refusals(Changed(), x=X)
    assert message.startswith(("a stack", "a layer of a transformer"))
