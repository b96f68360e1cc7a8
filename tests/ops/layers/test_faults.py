"""Checks the faults of layers: their codes and places, and that torch refuses the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from mimgraph.ops.op import OpFault
from tests.ops.layers.oracle import infer, tensor, unbatched
from tests.ops.layers.refusal import Refusal, refused

x = torch.rand
VECTOR, SEQUENCE, IMAGE = tensor(6), tensor(5, 6), tensor(4, 9, 8)
NUMBERS, WORDS = tensor(5, dtype="int64"), tensor(5, dtype="int64", vocab=7)
LSTM_STATE = infer("LSTM", SEQUENCE, hidden_size=3).results["state"]
PLACES = tensor(5, 6, dtype="int64")
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
    # transposed convolutions, folds, pads, upsampling
    Refusal("ConvTranspose2d", SEQUENCE, CONV, "rank-mismatch", None),
    Refusal("ConvTranspose1d", tensor("C", 9), CONV, "symbolic-size", "in_channels"),
    Refusal(
        "ConvTranspose2d",
        IMAGE,
        {**CONV, "groups": 3},
        "bad-option",
        "groups",
        lambda: nn.ConvTranspose2d(4, 6, 3, groups=3),
    ),
    Refusal(
        "ConvTranspose2d",
        IMAGE,
        {**CONV, "stride": (3, 2), "output_padding": 2},
        "bad-option",
        "output_padding",
        lambda: nn.ConvTranspose2d(4, 6, 3, (3, 2), output_padding=2)(x(2, 4, 9, 8)),
    ),
    Refusal("Unfold", SEQUENCE, {"kernel_size": 2}, "rank-mismatch", None),
    Refusal(
        "Unfold",
        IMAGE,
        {"kernel_size": 9},
        "empty-output",
        None,
        lambda: nn.Unfold(9)(x(2, 4, 9, 8)),
    ),
    Refusal(
        "Fold",
        tensor(12, 11),
        {"output_size": (4, 5), "kernel_size": 2},
        "bad-option",
        "output_size",
        lambda: nn.Fold((4, 5), 2)(x(2, 12, 11)),
    ),
    Refusal(
        "Fold",
        tensor(11, 12),
        {"output_size": (4, 5), "kernel_size": 2},
        "shape-mismatch",
        None,
        lambda: nn.Fold((4, 5), 2)(x(2, 11, 12)),
    ),
    Refusal(
        "Fold",
        tensor(12, "L"),
        {"output_size": (4, 5), "kernel_size": 2},
        "symbolic-size",
        "the number of windows",
    ),
    Refusal("ZeroPad2d", VECTOR, {"padding": 1}, "rank-mismatch", None),
    Refusal("ReflectionPad1d", VECTOR, {"padding": 1}, "rank-mismatch", None),
    Refusal(
        "ReflectionPad1d",
        SEQUENCE,
        {"padding": (6, 0)},
        "bad-option",
        "padding",
        lambda: nn.ReflectionPad1d((6, 0))(x(2, 5, 6)),
    ),
    Refusal(
        "CircularPad2d",
        IMAGE,
        {"padding": (9, 0, 9, 0)},
        "bad-option",
        "padding",
        lambda: nn.CircularPad2d((9, 0, 9, 0))(x(2, 4, 9, 8)),
    ),
    *(
        Refusal(
            "Upsample",
            IMAGE,
            options,
            code,
            at,
            lambda options=options: nn.Upsample(**options)(x(2, 4, 9, 8)),
        )
        for options, code, at in (
            ({}, "missing-option", "size"),
            ({"size": 5, "scale_factor": 2}, "bad-option", "scale_factor"),
            ({"size": 5, "recompute_scale_factor": True}, "bad-option", "recompute_scale_factor"),
            ({"size": (5,)}, "bad-option", "size"),
            ({"scale_factor": (2, 2, 2)}, "bad-option", "scale_factor"),
            ({"scale_factor": 2, "mode": "linear"}, "rank-mismatch", None),
            ({"scale_factor": 2, "align_corners": False}, "bad-option", "align_corners"),
        )
    ),
    Refusal("Upsample", VECTOR, {"scale_factor": 2}, "rank-mismatch", None),
    Refusal("Upsample", tensor(4, "T"), {"scale_factor": 0.3}, "symbolic-size", "scale_factor"),
    Refusal("UpsamplingNearest2d", SEQUENCE, {"size": 5}, "rank-mismatch", None),
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
    Refusal(
        "LPPool1d",
        SEQUENCE,
        {"norm_type": 0.0, "kernel_size": 2},
        "bad-option",
        "norm_type",
        lambda: nn.LPPool1d(0.0, 2)(x(2, 5, 6)),
    ),
    *(
        Refusal(
            "FractionalMaxPool2d",
            IMAGE,
            {"kernel_size": 2, **options},
            code,
            at,
            lambda options=options: nn.FractionalMaxPool2d(2, **options)(x(2, 4, 9, 8)),
        )
        for options, code, at in (
            ({}, "missing-option", "output_size"),
            ({"output_size": 3, "output_ratio": 0.5}, "bad-option", "output_ratio"),
            ({"output_ratio": 1.0}, "bad-option", "output_ratio"),
            ({"output_size": 8}, "bad-option", "output_size"),
        )
    ),
    Refusal(
        "FractionalMaxPool3d",
        tensor(4, 9, 9, 9),
        {"kernel_size": 2, "output_size": 8},
        "bad-option",
        "output_size",
        lambda: nn.FractionalMaxPool3d(2, 8)(x(2, 4, 9, 9, 9)),
    ),
    *(
        Refusal(
            "MaxUnpool1d",
            {"input": SEQUENCE, "indices": PLACES},
            {"kernel_size": 2, "output_size": (size,)},
            "bad-option",
            "output_size",
            lambda size=size: nn.MaxUnpool1d(2)(
                x(2, 5, 6), torch.zeros(2, 5, 6, dtype=torch.int64), (size,)
            ),
        )
        for size in (10, 14)
    ),
    Refusal(
        "MaxUnpool1d",
        {"input": SEQUENCE, "indices": tensor(5, 7, dtype="int64")},
        {"kernel_size": 2},
        "shape-mismatch",
        "indices",
    ),
    Refusal(
        "MaxUnpool1d",
        {"input": SEQUENCE, "indices": PLACES.cast("int32")},
        {"kernel_size": 2},
        "dtype-mismatch",
        "indices",
    ),
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
    Refusal("SyncBatchNorm", tensor(), {}, "rank-mismatch", None),
    Refusal("InstanceNorm1d", VECTOR, {}, "rank-mismatch", None),
    Refusal(
        "InstanceNorm1d",
        tensor(6, 1),
        {},
        "shape-mismatch",
        None,
        lambda: nn.InstanceNorm1d(6)(x(2, 6, 1)),
    ),
    Refusal("InstanceNorm1d", tensor("C", 5), {}, "symbolic-size", "num_features"),
    Refusal("RMSNorm", SEQUENCE, {"normalized_shape": 5}, "inferred-conflict", "normalized_shape"),
    Refusal("RMSNorm", tensor(), {}, "rank-mismatch", None),
    Refusal(
        "LocalResponseNorm",
        VECTOR,
        {"size": 2},
        "rank-mismatch",
        None,
        lambda: nn.LocalResponseNorm(2)(x(2, 6)),
    ),
    Refusal("CrossMapLRN2d", SEQUENCE, {"size": 2}, "rank-mismatch", None),
    Refusal(
        "FeatureAlphaDropout",
        tensor(),
        {},
        "rank-mismatch",
        None,
        lambda: nn.FeatureAlphaDropout()(x(2)),
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
    Refusal("EmbeddingBag", WORDS.cast("int16"), {"embedding_dim": 3}, "dtype-mismatch", "input"),
    Refusal(
        "EmbeddingBag",
        tensor(dtype="int64", vocab=7),
        {"embedding_dim": 3},
        "rank-mismatch",
        "input",
        lambda: nn.EmbeddingBag(7, 3)(torch.ones(2, dtype=torch.int64)),
    ),
    Refusal("EmbeddingBag", NUMBERS, {"embedding_dim": 3}, "missing-option", "num_embeddings"),
    *(
        Refusal(
            "EmbeddingBag",
            WORDS,
            {"embedding_dim": 3, "mode": "max", option: True},
            "bad-option",
            option,
            lambda option=option: nn.EmbeddingBag(7, 3, mode="max", **{option: True})(
                torch.ones(2, 5, dtype=torch.int64)
            ),
        )
        for option in ("sparse", "scale_grad_by_freq")
    ),
    Refusal(
        "EmbeddingBag",
        {"input": WORDS, "per_sample_weights": tensor(5)},
        {"embedding_dim": 3},
        "bad-option",
        "mode",
        lambda: nn.EmbeddingBag(7, 3)(
            torch.ones(2, 5, dtype=torch.int64), per_sample_weights=x(2, 5)
        ),
    ),
    Refusal(
        "EmbeddingBag",
        {"input": WORDS, "per_sample_weights": tensor(4)},
        {"embedding_dim": 3, "mode": "sum"},
        "shape-mismatch",
        "per_sample_weights",
    ),
    # cells and distances
    Refusal("GRUCell", SEQUENCE, {"hidden_size": 3}, "rank-mismatch", "input"),
    Refusal("GRUCell", tensor("D"), {"hidden_size": 3}, "symbolic-size", "input"),
    Refusal("GRUCell", GRU_STATE, {"hidden_size": 3}, "dtype-mismatch", "input"),
    Refusal(
        "RNNCell",
        {"input": VECTOR, "hidden": tensor(4)},
        {"hidden_size": 3},
        "shape-mismatch",
        "hidden",
        lambda: nn.RNNCell(6, 3)(x(2, 6), x(2, 4)),
    ),
    Refusal(
        "LSTMCell",
        {"input": VECTOR, "cell": tensor(3)},
        {"hidden_size": 3},
        "wrong-arity",
        "cell",
    ),
    Refusal("CosineSimilarity", {"x1": VECTOR, "x2": tensor(5)}, {}, "shape-mismatch", "x2"),
    Refusal("CosineSimilarity", {"x1": SEQUENCE, "x2": VECTOR}, {}, "shape-mismatch", "x1"),
    Refusal("CosineSimilarity", {"x1": VECTOR, "x2": VECTOR}, {"dim": 0}, "bad-option", "dim"),
    Refusal("CosineSimilarity", {"x1": NUMBERS, "x2": NUMBERS}, {}, "dtype-mismatch", "x1"),
    Refusal("PairwiseDistance", {"x1": tensor(), "x2": tensor()}, {}, "rank-mismatch", "x1"),
    Refusal(
        "PairwiseDistance",
        {"x1": VECTOR, "x2": VECTOR.cast("bool")},
        {},
        "dtype-mismatch",
        "x2",
        lambda: nn.PairwiseDistance()(x(2, 6), x(2, 6) > 0.5),
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
    Refusal("Softmax2d", SEQUENCE, {}, "rank-mismatch", None),
    # reshapes
    Refusal(
        "PixelShuffle",
        IMAGE,
        {"upscale_factor": 3},
        "bad-option",
        "upscale_factor",
        lambda: nn.PixelShuffle(3)(x(2, 4, 9, 8)),
    ),
    Refusal(
        "PixelUnshuffle",
        IMAGE,
        {"downscale_factor": 2},
        "bad-option",
        "downscale_factor",
        lambda: nn.PixelUnshuffle(2)(x(2, 4, 9, 8)),
    ),
    Refusal("PixelShuffle", SEQUENCE, {"upscale_factor": 1}, "rank-mismatch", None),
    Refusal(
        "ChannelShuffle",
        IMAGE,
        {"groups": 3},
        "bad-option",
        "groups",
        lambda: nn.ChannelShuffle(3)(x(2, 4, 9, 8)),
    ),
    Refusal(
        "ChannelShuffle",
        VECTOR,
        {"groups": 2},
        "rank-mismatch",
        None,
        lambda: nn.ChannelShuffle(2)(x(2, 6)),
    ),
    *(
        Refusal(
            "Unflatten",
            VECTOR,
            {"dim": 1, "unflattened_size": sizes},
            "bad-option",
            "unflattened_size",
            lambda sizes=sizes: nn.Unflatten(1, sizes)(x(2, 6)),
        )
        for sizes in ((), (2, 2), (-1, 4), (-1, -1))
    ),
    Refusal("Unflatten", VECTOR, {"dim": 0, "unflattened_size": (1, -1)}, "bad-option", "dim"),
    Refusal(
        "Unflatten",
        tensor("T"),
        {"dim": 1, "unflattened_size": (2, 3)},
        "bad-option",
        "unflattened_size",
    ),
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
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=map(str, REFUSALS))
def test_refused(refusal: Refusal) -> None:
    refused(refusal)


@pytest.mark.parametrize(
    ("layer", "option", "value"),
    [
        ("Conv2d", "kernel_size", 0),
        ("Conv2d", "kernel_size", (3, 3, 3)),
        ("Conv2d", "padding", "full"),
        ("Conv2d", "padding", -1),
        ("Conv2d", "padding_mode", "zero"),
        ("Conv2d", "bias", 1),
        ("ConvTranspose2d", "padding", "same"),
        ("ConvTranspose2d", "padding_mode", "reflect"),
        ("LPPool1d", "kernel_size", (2,)),
        ("ReflectionPad2d", "padding", (1, 2)),
        ("Upsample", "mode", "lanczos"),
        ("AdaptiveMaxPool1d", "output_size", (None,)),
        ("AdaptiveAvgPool1d", "output_size", None),
        ("AdaptiveAvgPool2d", "output_size", None),
        ("Dropout", "p", 1.5),
        ("GELU", "approximate", "sigmoid"),
        ("RNN", "nonlinearity", "gelu"),
        ("Reshape", "shape", (-2, 3)),
    ],
)
def test_values_of_a_wrong_type_are_refused(layer: str, option: str, value: Any) -> None:
    from tests.ops.layers.oracle import operation

    with pytest.raises(ValueError):
        operation(layer).options[option].check(value)


def test_the_fault_of_a_too_large_kernel_names_padding_and_dilation() -> None:
    with pytest.raises(OpFault, match="kernel 5 is larger than the padded input 3"):
        infer("Conv1d", tensor(4, 1), out_channels=2, kernel_size=5, padding=1)
    with pytest.raises(OpFault, match="kernel 3 with dilation 2 is larger than the padded input 4"):
        infer("MaxPool1d", tensor(4, 4), kernel_size=3, dilation=2)
