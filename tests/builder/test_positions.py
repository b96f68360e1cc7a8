"""Options by position: torch's order is an error where torch begins with sizes that are inferred here."""

from __future__ import annotations

import inspect

import numpy
import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers
from mimgraph.ops import registry

NAMES = {"layers": layers, "mg": mg, "numpy": numpy, "torch": torch}
INPUTS = {
    "image": mg.Input("image", (3, 8, 8)),
    "steps": mg.Input("steps", (10, 8)),
    "row": mg.Input("row", (16,)),
    "word": mg.Input("word", vocab=1000),
}
CONV = "write layers.Conv2d(16, 3): in_channels is inferred from the input"
EMBEDDING = "write layers.Embedding(64, num_embeddings=1000)"

# by call the help, which has the user's values: first as torch takes them, then as Python did before
WRITTEN = {
    "layers.Conv2d(3, 16, 3)(image)": f"{CONV}; or layers.Conv2d(3, 16, stride=3)",
    "layers.Conv2d(3, 16, 3, padding=1, activation='ReLU')(image)": (
        "write layers.Conv2d(16, 3, padding=1, ...): in_channels is inferred from the input;"
        " or layers.Conv2d(3, 16, stride=3, padding=1, ...)"
    ),
    "layers.Conv2d(3, 16, kernel_size=3)(image)": CONV,
    "layers.Conv2d(3, out_channels=16, kernel_size=3)(image)": CONV,
    "layers.Conv2d(16, (3, 3), 2)(image)": "write layers.Conv2d(16, [3, 3], stride=2)",
    "layers.Conv2d(*numpy.array([3, 16, 3]))(image)": (
        f"{CONV}; or layers.Conv2d(3, 16, stride=3)"
    ),
    "layers.Conv2d(*'abc')(image)": "by position: out_channels, kernel_size",
    "mg.Sequential(layers.Conv2d(3, 16, kernel_size=3))(image)": CONV,
    "layers.Embedding(1000, 64)(word)": f"{EMBEDDING}; or layers.Embedding(1000, padding_idx=64)",
    "layers.Embedding(1000, embedding_dim=64)(word)": EMBEDDING,
    "layers.LSTM(8, 64)(steps)": (
        "write layers.LSTM(64): input_size is inferred from the input; or layers.LSTM(8, num_layers=64)"
    ),
    "layers.Linear(16, 3)(row)": "write layers.Linear(3): in_features is inferred from the input",
    "layers.Linear(steps.dims[1], 3)(row)": (
        "write layers.Linear(3): in_features is inferred from the input"
    ),
    "layers.Linear(3, False)(row)": "write layers.Linear(3, bias=False)",
    "layers.Bilinear(16, 16, 4)(row, row)": (
        "write layers.Bilinear(4): in1_features and in2_features are inferred from the input"
    ),
    "layers.MultiheadAttention(8, 4)(steps)": (
        "write layers.MultiheadAttention(4): embed_dim is inferred from the input"
    ),
    "layers.TransformerEncoderLayer(64, 4)(steps)": (
        "write layers.TransformerEncoderLayer(4): d_model is inferred from the input;"
        " or layers.TransformerEncoderLayer(64, dim_feedforward=4)"
    ),
    # torch's seventh is batch_first, which has no option here
    "layers.TransformerEncoderLayer(8, 4, 64, 0.1, 'gelu', 1e-5, True)(steps)": "by position: nhead",
    "layers.Transformer(8)(steps, steps)": (
        "write layers.Transformer(): d_model is inferred from the input; or layers.Transformer(nhead=8)"
    ),
    "layers.BatchNorm2d(3, 0.1)(image)": (
        "write layers.BatchNorm2d(eps=0.1): num_features is inferred from the input"
    ),
    "layers.LayerNorm([8, 8])(image)": "write layers.LayerNorm(normalized_shape=[8, 8])",
    "layers.GroupNorm(3, 3)(image)": (
        "write layers.GroupNorm(3): num_channels is inferred from the input"
    ),
    "layers.Permute(0, 2, 1)(steps)": "write layers.Permute([0, 2, 1])",
}


@pytest.mark.parametrize("call", WRITTEN)
def test_options_in_the_order_of_torch(call: str) -> None:
    with pytest.raises(mg.SpecError) as caught:
        eval(call, {**NAMES, **INPUTS})
    (found,) = caught.value.diagnostics
    assert found.help == WRITTEN[call]
    for written in found.help.removeprefix("write ").split("; or "):
        if written.startswith("layers.") and "..." not in written:
            assert eval(written.partition(": ")[0], NAMES)  # a call that is valid


@pytest.mark.parametrize(
    "call",
    [
        "Conv2d(16, 3)(image)",
        "Conv2d(16, 3, in_channels=3)(image)",
        "Embedding(64)(word)",
        "Embedding(64, num_embeddings=1000)(word)",
        "LSTM(64)(steps)",
        "MultiheadAttention(4)(steps)",
        "MaxPool2d(2, 2)(image)",  # no size is inferred: torch's order
        "Hardtanh(0.0, 2.0)(row)",
    ],
)
def test_required_options_by_position(call: str) -> None:
    assert isinstance(eval(f"layers.{call}", {**NAMES, **INPUTS}), mg.Tensor)


def test_a_registered_module_takes_the_parameters_of_its_class_by_position() -> None:
    class Scaled(nn.Module):
        def __init__(self, width: int, factor: float = 1.0) -> None:
            super().__init__()
            self.linear, self.factor = nn.Linear(16, width), factor

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.linear(x) * self.factor)

    assert mg.register(Scaled)(4, 2.0)(INPUTS["row"]).shape[1:] == (4,)


ORDERED = {
    name: getattr(nn, name)
    for name, op in registry.ops("layer").items()
    if op.inferred
    and hasattr(nn, name)
    and name not in ("TransformerEncoder", "TransformerDecoder")
}


@pytest.mark.parametrize("name", ORDERED)
def test_the_declared_order_is_that_of_torch(name: str) -> None:
    op, theirs = registry.ops("layer")[name], ORDERED[name]
    is_recurrent = issubclass(theirs, nn.RNNBase)  # whose base takes the mode first
    order = [*inspect.signature(nn.RNNBase if is_recurrent else theirs).parameters][is_recurrent:]
    assert tuple(order[: len(op.sizes)]) == op.sizes
    assert [n for n in op.torch_order if n in order] == [n for n in order if n in op.torch_order]
