"""What layers refuse, where the fault is, and that torch refuses it too where it can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from mimgraph.catalogue import OpFault
from mimgraph.ir.types import TensorType
from tests.layers.oracle import infer, tensor, unbatched


class Refusal(NamedTuple):
    """`at` is the option or the source at fault; `torch` is what raises there."""

    layer: str
    sources: TensorType | Mapping[str, TensorType]
    options: Mapping[str, Any]
    code: str
    at: str | None
    torch: Callable[[], Any] | None = None


x = torch.rand
VECTOR, SEQUENCE, IMAGE = tensor(6), tensor(5, 6), tensor(4, 9, 8)
NUMBERS, WORDS = tensor(5, dtype="int64"), tensor(5, dtype="int64", vocab=7)
LSTM_STATE = infer("LSTM", SEQUENCE, hidden_size=3).results["state"]
GRU_STATE = infer("GRU", SEQUENCE, hidden_size=3).results["state"]
CONV = {"out_channels": 6, "kernel_size": 3}

REFUSALS = [
    Refusal("Linear", IMAGE.cast("int64"), {"out_features": 3}, "dtype-mismatch", None),
    Refusal("Linear", tensor("T"), {"out_features": 3}, "symbolic-size", "in_features"),
    # convolutions
    Refusal("Conv2d", SEQUENCE, CONV, "rank-mismatch", None),
    Refusal("Conv2d", unbatched(4, 9, 8), CONV, "rank-mismatch", None),
    Refusal("Conv2d", tensor("C", 9, 8), CONV, "symbolic-size", "in_channels"),
    Refusal(
        "Conv2d",
        IMAGE,
        {**CONV, "groups": 3},
        "bad-option",
        "groups",
        lambda: nn.Conv2d(4, 6, 3, groups=3),
    ),
    Refusal(
        "Conv2d",
        IMAGE,
        {**CONV, "out_channels": 5, "groups": 2},
        "bad-option",
        "groups",
        lambda: nn.Conv2d(4, 5, 3, groups=2),
    ),
    Refusal(
        "Conv2d",
        IMAGE,
        {**CONV, "padding": "same", "stride": 2},
        "bad-option",
        "padding",
        lambda: nn.Conv2d(4, 6, 3, padding="same", stride=2),
    ),
    Refusal(
        "Conv1d",
        tensor(4, 2),
        {**CONV, "padding": 2, "padding_mode": "reflect"},
        "bad-option",
        "padding",
        lambda: nn.Conv1d(4, 6, 3, padding=2, padding_mode="reflect")(x(2, 4, 2)),
    ),
    Refusal(
        "Conv1d",
        tensor(4, 2),
        {**CONV, "padding": 3, "padding_mode": "circular"},
        "bad-option",
        "padding",
        lambda: nn.Conv1d(4, 6, 3, padding=3, padding_mode="circular")(x(2, 4, 2)),
    ),
    Refusal(
        "Conv1d",
        tensor(4, 2),
        {**CONV, "kernel_size": 5},
        "empty-output",
        None,
        lambda: nn.Conv1d(4, 6, 5)(x(2, 4, 2)),
    ),
    # pools
    Refusal(
        "MaxPool2d",
        IMAGE,
        {"kernel_size": 3, "padding": 2},
        "bad-option",
        "padding",
        lambda: nn.MaxPool2d(3, padding=2)(x(2, 4, 9, 8)),
    ),
    Refusal(
        "MaxPool2d",
        IMAGE,
        {"kernel_size": 9},
        "empty-output",
        None,
        lambda: nn.MaxPool2d(9)(x(2, 4, 9, 8)),
    ),
    Refusal(
        "MaxPool1d",
        tensor(4, 3),
        {"kernel_size": 9, "stride": 2, "ceil_mode": True},
        "empty-output",
        None,
        lambda: nn.MaxPool1d(9, 2, ceil_mode=True)(x(2, 4, 3)),
    ),
    Refusal(
        "AvgPool2d",
        IMAGE,
        {"kernel_size": 2, "divisor_override": 0},
        "bad-option",
        "divisor_override",
        lambda: nn.AvgPool2d(2, divisor_override=0)(x(2, 4, 9, 8)),
    ),
    Refusal("AdaptiveAvgPool1d", IMAGE, {"output_size": 1}, "rank-mismatch", None),
    # normalisations
    Refusal(
        "BatchNorm1d", IMAGE, {}, "rank-mismatch", None, lambda: nn.BatchNorm1d(4)(x(2, 4, 9, 8))
    ),
    Refusal(
        "BatchNorm2d", SEQUENCE, {}, "rank-mismatch", None, lambda: nn.BatchNorm2d(5)(x(2, 5, 6))
    ),
    Refusal("BatchNorm1d", tensor("C"), {}, "symbolic-size", "num_features"),
    Refusal(
        "BatchNorm1d",
        VECTOR,
        {"eps": 0.0},
        "bad-option",
        "eps",
        lambda: nn.BatchNorm1d(6, eps=0)(x(2, 6)),
    ),
    Refusal(
        "GroupNorm",
        IMAGE,
        {"num_groups": 3},
        "bad-option",
        "num_groups",
        lambda: nn.GroupNorm(3, 4),
    ),
    Refusal("LayerNorm", tensor(), {}, "rank-mismatch", None),
    Refusal(
        "LayerNorm",
        SEQUENCE,
        {"normalized_shape": (4, 6)},
        "inferred-conflict",
        "normalized_shape",
        lambda: nn.LayerNorm((4, 6))(x(2, 5, 6)),
    ),
    Refusal(
        "LayerNorm",
        SEQUENCE,
        {"normalized_shape": (1, 5, 6)},
        "inferred-conflict",
        "normalized_shape",
    ),
    Refusal(
        "LayerNorm", SEQUENCE, {"normalized_shape": 5}, "inferred-conflict", "normalized_shape"
    ),
    # embeddings
    Refusal("Embedding", VECTOR, {"embedding_dim": 3}, "dtype-mismatch", None),
    Refusal("Embedding", NUMBERS, {"embedding_dim": 3}, "missing-option", "num_embeddings"),
    Refusal(
        "Embedding",
        WORDS,
        {"embedding_dim": 3, "num_embeddings": 8},
        "inferred-conflict",
        "num_embeddings",
    ),
    Refusal(
        "Embedding",
        WORDS,
        {"embedding_dim": 3, "padding_idx": 7},
        "bad-option",
        "padding_idx",
        lambda: nn.Embedding(7, 3, padding_idx=7),
    ),
    # recurrent layers
    Refusal("LSTM", VECTOR, {"hidden_size": 3}, "rank-mismatch", "input"),
    Refusal("LSTM", tensor(5, "D"), {"hidden_size": 3}, "symbolic-size", "input"),
    Refusal(
        "LSTM",
        SEQUENCE,
        {"hidden_size": 3, "proj_size": 3},
        "bad-option",
        "proj_size",
        lambda: nn.LSTM(6, 3, proj_size=3),
    ),
    Refusal(
        "GRU",
        {"input": SEQUENCE, "lengths": tensor()},
        {"hidden_size": 3},
        "dtype-mismatch",
        "lengths",
    ),
    Refusal(
        "GRU",
        {"input": SEQUENCE, "lengths": NUMBERS},
        {"hidden_size": 3},
        "rank-mismatch",
        "lengths",
    ),
    Refusal(
        "GRU",
        {"input": SEQUENCE, "state": tensor(4)},
        {"hidden_size": 3},
        "shape-mismatch",
        "state",
    ),
    Refusal(
        "GRU",
        {"input": SEQUENCE, "state": tensor(3)},
        {"hidden_size": 3, "num_layers": 2},
        "rank-mismatch",
        "state",
    ),
    Refusal(
        "GRU",
        {"input": SEQUENCE, "state": LSTM_STATE},
        {"hidden_size": 3},
        "dtype-mismatch",
        "state",
    ),
    Refusal(
        "GRU",
        {"input": SEQUENCE, "state": GRU_STATE},
        {"hidden_size": 4},
        "shape-mismatch",
        "state",
    ),
    Refusal(
        "LSTM",
        {"input": SEQUENCE, "state": GRU_STATE},
        {"hidden_size": 3},
        "dtype-mismatch",
        "state",
    ),
    Refusal(
        "LSTM",
        {"input": SEQUENCE, "state": tensor(3)},
        {"hidden_size": 3},
        "dtype-mismatch",
        "state",
    ),
    Refusal(
        "LSTM",
        {"input": SEQUENCE, "hidden": tensor(3)},
        {"hidden_size": 3},
        "wrong-arity",
        "hidden",
    ),
    Refusal(
        "LSTM",
        {"input": SEQUENCE, "state": LSTM_STATE, "cell": tensor(3)},
        {"hidden_size": 3},
        "wrong-arity",
        "state",
    ),
    *(
        Refusal(layer, LSTM_STATE, options, "dtype-mismatch", "input")
        for layer, options in (
            ("Flatten", {}),
            ("Select", {"dim": 1, "index": 0}),
            ("Mean", {"dim": 1}),
            ("ReLU", {}),
            ("Dropout", {}),
            ("Rearrange", {"pattern": "n d h -> n h d"}),
        )
    ),
    # attention
    Refusal(
        "MultiheadAttention",
        SEQUENCE,
        {"num_heads": 4},
        "bad-option",
        "num_heads",
        lambda: nn.MultiheadAttention(6, 4),
    ),
    Refusal("MultiheadAttention", {"query": VECTOR}, {"num_heads": 2}, "rank-mismatch", "query"),
    Refusal(
        "MultiheadAttention",
        {"query": SEQUENCE, "value": SEQUENCE},
        {"num_heads": 2},
        "wrong-arity",
        "value",
    ),
    Refusal(
        "MultiheadAttention",
        {"query": SEQUENCE, "key": SEQUENCE, "value": tensor(4, 6)},
        {"num_heads": 2},
        "shape-mismatch",
        "value",
    ),
    Refusal(
        "MultiheadAttention",
        {"query": SEQUENCE, "attn_mask": tensor(5, 5, dtype="bool")},
        {"num_heads": 2},
        "shape-mismatch",
        "attn_mask",
        lambda: nn.MultiheadAttention(6, 2, batch_first=True)(
            *(x(2, 5, 6),) * 3, attn_mask=torch.zeros(2, 5, 5, dtype=torch.bool)
        ),
    ),
    Refusal(
        "MultiheadAttention",
        {"query": SEQUENCE, "key_padding_mask": tensor(4, dtype="bool")},
        {"num_heads": 2},
        "shape-mismatch",
        "key_padding_mask",
    ),
    Refusal(
        "MultiheadAttention",
        {"query": SEQUENCE, "key_padding_mask": NUMBERS},
        {"num_heads": 2},
        "dtype-mismatch",
        "key_padding_mask",
    ),
    # activations
    Refusal("Softmax", SEQUENCE, {"dim": 0}, "bad-option", "dim"),
    Refusal(
        "Softmax", SEQUENCE, {"dim": 3}, "bad-option", "dim", lambda: nn.Softmax(3)(x(2, 5, 6))
    ),
    Refusal("GLU", tensor(5), {}, "bad-option", "dim", lambda: nn.GLU()(x(2, 5))),
    Refusal("CELU", VECTOR, {"alpha": 0.0}, "bad-option", "alpha", lambda: nn.CELU(0)(x(2, 6))),
    Refusal(
        "Hardtanh",
        VECTOR,
        {"min_val": 1.0},
        "bad-option",
        "max_val",
        lambda: nn.Hardtanh(1, 1)(x(2, 6)),
    ),
    Refusal(
        "Softshrink",
        VECTOR,
        {"lambd": -1.0},
        "bad-option",
        "lambd",
        lambda: nn.Softshrink(-1)(x(2, 6)),
    ),
    Refusal("RReLU", VECTOR, {"lower": 0.5}, "bad-option", "upper", lambda: nn.RReLU(0.5)(x(2, 6))),
    Refusal(
        "PReLU",
        IMAGE,
        {"num_parameters": 3},
        "bad-option",
        "num_parameters",
        lambda: nn.PReLU(3)(x(2, 4, 9, 8)),
    ),
    # reshapes
    Refusal("Flatten", IMAGE, {"start_dim": 0}, "bad-option", "start_dim"),
    Refusal(
        "Flatten",
        IMAGE,
        {"start_dim": 3, "end_dim": 2},
        "bad-option",
        "start_dim",
        lambda: x(2, 4, 9, 8).flatten(3, 2),
    ),
    Refusal("Flatten", tensor(), {}, "rank-mismatch", None, lambda: nn.Flatten()(x(2))),
    Refusal("Reshape", SEQUENCE, {"shape": (4, 7)}, "bad-option", "shape"),
    Refusal("Reshape", SEQUENCE, {"shape": (4, -1)}, "bad-option", "shape"),
    Refusal(
        "Reshape",
        SEQUENCE,
        {"shape": (-1, -1)},
        "bad-option",
        "shape",
        lambda: x(6).reshape(-1, -1),
    ),
    Refusal("Reshape", tensor("T", 6), {"shape": (30,)}, "bad-option", "shape"),
    Refusal("Permute", SEQUENCE, {"dims": (1, 0, 2)}, "bad-option", "dims"),
    Refusal(
        "Permute",
        SEQUENCE,
        {"dims": (0, 1)},
        "bad-option",
        "dims",
        lambda: x(2, 5, 6).permute(0, 1),
    ),
    Refusal("Permute", SEQUENCE, {"dims": (0, 1, 1)}, "bad-option", "dims"),
    Refusal("Transpose", SEQUENCE, {"dim0": 0, "dim1": 1}, "bad-option", "dim0"),
    Refusal("Transpose", SEQUENCE, {"dim0": 1, "dim1": -3}, "bad-option", "dim1"),
    Refusal("Unsqueeze", SEQUENCE, {"dim": 0}, "bad-option", "dim"),
    Refusal(
        "Unsqueeze", SEQUENCE, {"dim": 4}, "bad-option", "dim", lambda: x(2, 5, 6).unsqueeze(4)
    ),
    Refusal("Squeeze", tensor("T"), {"dim": 1}, "symbolic-size", None),
    Refusal(
        "Select",
        SEQUENCE,
        {"dim": 1, "index": 5},
        "bad-option",
        "index",
        lambda: x(2, 5, 6).select(1, 5),
    ),
    Refusal("Select", SEQUENCE, {"dim": 0, "index": 0}, "bad-option", "dim"),
    Refusal(
        "Mean", SEQUENCE, {"dim": (1, -2)}, "bad-option", "dim", lambda: x(2, 5, 6).mean((1, -2))
    ),
    Refusal("Mean", SEQUENCE, {"dim": ()}, "bad-option", "dim"),
    Refusal("Mean", SEQUENCE, {"dim": (0, 1)}, "bad-option", "dim"),
    *(
        Refusal("Rearrange", IMAGE, {"pattern": pattern, **rest}, code, at)
        for pattern, rest, code, at in (
            ("n c h w", {}, "bad-option", "pattern"),
            ("n c h w -> n (c h w", {}, "bad-option", "pattern"),
            ("n c h w -> n ((c h) w)", {}, "bad-option", "pattern"),
            ("n c h w -> n c h w)", {}, "bad-option", "pattern"),
            ("n ... -> n ...", {}, "bad-option", "pattern"),
            ("n c h w -> n c h", {}, "bad-option", "pattern"),
            ("n c h h -> n c h h", {}, "bad-option", "pattern"),
            ("n c h w -> c n h w", {}, "bad-option", "pattern"),
            ("n c h w -> (n c) h w", {}, "bad-option", "pattern"),
            ("n (a b) h w -> n a b h w", {}, "bad-option", "pattern"),
            ("n (a b) h w -> n a b h w", {"sizes": {"a": 3}}, "bad-option", "pattern"),
            ("n c h w -> n h c w", {"sizes": {"c": 3}}, "bad-option", "pattern"),
            ("n c h w -> n h c w", {"sizes": {"d": 3}}, "bad-option", "sizes"),
            ("n c w -> n w c", {}, "rank-mismatch", None),
            ("n 1 h w -> n h w", {}, "bad-option", "pattern"),
        )
    ),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=[f"{r.layer}-{r.code}-{r.at}" for r in REFUSALS])
def test_refused(refusal: Refusal) -> None:
    with pytest.raises(OpFault) as caught:
        infer(refusal.layer, refusal.sources, **refusal.options)
    fault = caught.value
    assert (fault.code, fault.option or fault.source) == (refusal.code, refusal.at)
    assert fault.message[0].islower() or refusal.layer in fault.message
    assert not fault.message.endswith(".")
    if refusal.torch is not None:
        with pytest.raises(
            (RuntimeError, ValueError, IndexError, AssertionError, ZeroDivisionError)
        ):
            refusal.torch()


@pytest.mark.parametrize(
    ("layer", "option", "value"),
    [
        ("Conv2d", "kernel_size", 0),
        ("Conv2d", "kernel_size", (3, 3, 3)),
        ("Conv2d", "padding", "full"),
        ("Conv2d", "padding", -1),
        ("Conv2d", "padding_mode", "zero"),
        ("Conv2d", "bias", 1),
        ("AdaptiveAvgPool1d", "output_size", None),
        ("AdaptiveAvgPool2d", "output_size", None),
        ("Dropout", "p", 1.5),
        ("GELU", "approximate", "sigmoid"),
        ("RNN", "nonlinearity", "gelu"),
        ("Reshape", "shape", (-2, 3)),
    ],
)
def test_values_that_no_option_takes(layer: str, option: str, value: Any) -> None:
    from tests.layers.oracle import operation

    with pytest.raises(ValueError):
        operation(layer).options[option].check(value)


def test_a_kernel_that_is_too_large_is_told_with_its_padding_and_dilation() -> None:
    with pytest.raises(OpFault, match="kernel 5 is larger than the padded input 3"):
        infer("Conv1d", tensor(4, 1), out_channels=2, kernel_size=5, padding=1)
    with pytest.raises(OpFault, match="kernel 3 with dilation 2 is larger than the padded input 4"):
        infer("MaxPool1d", tensor(4, 4), kernel_size=3, dilation=2)
