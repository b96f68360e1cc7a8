"""Compares the rule of every layer with torch: types, weights, options, dtypes."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mimgraph import layers
from mimgraph.ir.lowering import Lowering, Module
from mimgraph.ir.types import DTYPES, Constraint, TensorType
from mimgraph.ops.normalized_weight import NORMS
from mimgraph.ops.op import OpFault
from mimgraph.ops.signature import REQUIRED
from tests.ops.layers import function_cases, transformer_cases
from tests.ops.layers.oracle import (
    TORCH,
    Case,
    build,
    infer,
    is_new,
    keyed,
    make,
    operation,
    results,
    run,
    runs_here,
    shape_of,
    size_of,
    tensor,
    unbatched,
)

warnings.simplefilter("ignore")


VECTOR, SEQUENCE, SIGNAL = tensor(6), tensor(5, 6), tensor(4, 9)
IMAGE, VOLUME = tensor(4, 9, 8), tensor(4, 9, 8, 7)
NUMBERS = tensor(5, dtype="int64", vocab=7)
LENGTHS = tensor(dtype="int64")
SPATIAL = (SIGNAL, IMAGE, VOLUME)

CASES = [
    Case("Identity", IMAGE),
    Case("Linear", SEQUENCE, {"out_features": 3}),
    Case("Linear", VECTOR, {"out_features": 3, "bias": False}),
    Case("Linear", unbatched(6), {"out_features": 3}),
    Case("Bilinear", {"input1": tensor(6), "input2": tensor(5)}, {"out_features": 3}),
    Case("GridSample", {"input": IMAGE, "grid": tensor(5, 7, 2)}, {"padding_mode": "border"}),
    Case("AffineGrid", tensor(2, 3), {"size": (5, 7)}),
    # torchvision
    *(
        Case(name, {"input": tensor(36, 9, 8), "boxes": tensor(5, 4)}, {"output_size": 3})
        for name in ("RoIAlign", "RoIPool", "PSRoIAlign", "PSRoIPool")
    ),
    Case(
        "DeformConv2d",
        {"input": IMAGE, "offset": tensor(18, 4, 6), "mask": tensor(9, 4, 6)},
        {"out_channels": 6, "kernel_size": 3, "stride": (2, 1), "groups": 2},
    ),
    Case("FrozenBatchNorm2d", IMAGE),
    Case("BoxConvert", tensor(5, 4), {"in_fmt": "xywh", "out_fmt": "cxcywh"}),
    Case("BoxIoU", {"boxes1": tensor(5, 4), "boxes2": tensor(3, 4)}),
    # convolutions
    Case("Conv1d", SIGNAL, {"out_channels": 6, "kernel_size": 3}),
    Case("Conv1d", SIGNAL, {"out_channels": 6, "kernel_size": (3,), "padding": "same"}),
    Case("Conv1d", SIGNAL, {"out_channels": 6, "kernel_size": 4, "padding": "valid", "stride": 2}),
    Case("Conv2d", IMAGE, {"out_channels": 6, "kernel_size": 3, "padding": 1, "groups": 2}),
    Case(
        "Conv2d", IMAGE, {"out_channels": 6, "kernel_size": (3, 2), "stride": (2, 1), "bias": False}
    ),
    Case(
        "Conv2d",
        IMAGE,
        {"out_channels": 6, "kernel_size": (4, 3), "padding": "same", "dilation": 2},
    ),
    Case(
        "Conv2d",
        IMAGE,
        {"out_channels": 6, "kernel_size": 3, "padding": (2, 0), "dilation": (1, 3)},
    ),
    *(
        Case(
            "Conv2d",
            IMAGE,
            {"out_channels": 6, "kernel_size": 3, "padding": 2, "padding_mode": mode},
        )
        for mode in ("reflect", "replicate", "circular")
    ),
    Case("Conv3d", VOLUME, {"out_channels": 6, "kernel_size": 3}),
    Case("Conv3d", VOLUME, {"out_channels": 6, "kernel_size": (1, 2, 3), "padding": (0, 1, 2)}),
    Case("ConvTranspose1d", SIGNAL, {"out_channels": 6, "kernel_size": 3, "groups": 2}),
    Case("ConvTranspose1d", SIGNAL, {"out_channels": 6, "kernel_size": (3,), "bias": False}),
    Case(
        "ConvTranspose2d",
        IMAGE,
        {"out_channels": 6, "kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
    ),
    Case(
        "ConvTranspose2d",
        IMAGE,
        {"out_channels": 6, "kernel_size": (2, 3), "dilation": (1, 2), "output_padding": (0, 1)},
    ),
    Case("ConvTranspose3d", VOLUME, {"out_channels": 6, "kernel_size": 3, "stride": (1, 2, 3)}),
    Case("Unfold", IMAGE, {"kernel_size": 2}),
    Case("Unfold", IMAGE, {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1, "dilation": 2}),
    Case("Fold", tensor(12, 12), {"output_size": (4, 5), "kernel_size": 2}),
    Case(
        "Fold",
        tensor(12, 9),
        {"output_size": 5, "kernel_size": (2, 3), "stride": 2, "padding": (1, 1), "dilation": 1},
    ),
    # pads
    *(
        Case(f"{kind}Pad{axes}d", source, {"padding": padding, **value})
        for axes, source in ((1, SIGNAL), (2, IMAGE), (3, VOLUME))
        for padding in (2, (1, 2, -1, 0, 0, 3)[: 2 * axes])
        for kind, value in (
            ("Zero", {}),
            ("Constant", {"value": 0.5}),
            ("Reflection", {}),
            ("Replication", {}),
            ("Circular", {}),
        )
    ),
    Case("ZeroPad1d", VECTOR, {"padding": (3, 0)}),
    Case("ConstantPad2d", unbatched(3, 4), {"padding": 1, "value": 7}),
    Case("ReplicationPad1d", tensor(4, 9, dtype="int64"), {"padding": 3}),
    # upsampling
    *(
        Case("Upsample", source, {"scale_factor": factor, "mode": mode})
        for factor in (2, 0.7)
        for mode, source in (
            ("nearest", SIGNAL),
            ("nearest", IMAGE),
            ("nearest", VOLUME),
            ("nearest-exact", IMAGE),
            ("linear", SIGNAL),
            ("bilinear", IMAGE),
            ("bicubic", IMAGE),
            ("trilinear", VOLUME),
            ("area", SIGNAL),
            ("area", IMAGE),
            ("area", VOLUME),
        )
    ),
    Case("Upsample", IMAGE, {"size": 5}),
    Case("Upsample", IMAGE, {"size": (5, 20), "mode": "bilinear", "align_corners": True}),
    Case("Upsample", IMAGE, {"scale_factor": (1.3, 2), "recompute_scale_factor": True}),
    Case("UpsamplingNearest2d", IMAGE, {"scale_factor": (2, 1.5)}),
    Case("UpsamplingBilinear2d", IMAGE, {"size": (4, 20)}),
    # pools
    Case("MaxPool1d", SIGNAL, {"kernel_size": 2}),
    Case("MaxPool1d", SIGNAL, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    Case("MaxPool2d", IMAGE, {"kernel_size": 2}),
    Case("MaxPool2d", IMAGE, {"kernel_size": (3, 2), "stride": (2, 3), "padding": (1, 0)}),
    Case("MaxPool2d", IMAGE, {"kernel_size": 2, "stride": 3, "dilation": 2, "ceil_mode": True}),
    Case("MaxPool3d", VOLUME, {"kernel_size": (1, 2, 3), "ceil_mode": True}),
    Case("AvgPool1d", SIGNAL, {"kernel_size": 2, "count_include_pad": False}),
    Case("AvgPool2d", IMAGE, {"kernel_size": (3, 2), "padding": 1, "divisor_override": 5}),
    Case("AvgPool2d", IMAGE, {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    Case("AvgPool3d", VOLUME, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    Case("AdaptiveAvgPool1d", SIGNAL, {"output_size": 5}),
    Case("AdaptiveAvgPool1d", SIGNAL, {"output_size": (5,)}),
    Case("AdaptiveAvgPool2d", IMAGE, {"output_size": 1}),
    Case("AdaptiveAvgPool2d", IMAGE, {"output_size": (None, 20)}),
    Case("AdaptiveAvgPool3d", VOLUME, {"output_size": (1, None, 3)}),
    *(Case(f"AdaptiveMaxPool{i + 1}d", x, {"output_size": 2}) for i, x in enumerate(SPATIAL)),
    Case("AdaptiveMaxPool2d", IMAGE, {"output_size": (None, 20)}),
    Case("AdaptiveMaxPool3d", VOLUME, {"output_size": (1, None, 3)}),
    Case("FractionalMaxPool2d", IMAGE, {"kernel_size": 2, "output_size": (8, 7)}),
    Case("FractionalMaxPool2d", IMAGE, {"kernel_size": (3, 1), "output_ratio": (0.5, 0.7)}),
    Case("FractionalMaxPool3d", VOLUME, {"kernel_size": 2, "output_size": (7, 6, 5)}),
    Case("FractionalMaxPool3d", VOLUME, {"kernel_size": (1, 2, 3), "output_ratio": 0.5}),
    *(
        Case(f"LPPool{i + 1}d", x, {"norm_type": norm, "kernel_size": 2, "ceil_mode": ceil})
        for i, x in enumerate(SPATIAL)
        for norm in (1.0, 2.5, -1.0, float("inf"))
        for ceil in (True, False)
    ),
    Case("LPPool1d", SIGNAL, {"norm_type": 2.0, "kernel_size": 3, "stride": (2,)}),
    Case("LPPool2d", IMAGE, {"norm_type": 2.0, "kernel_size": (3, 2), "stride": (1, 3)}),
    *(
        Case(f"MaxUnpool{i + 1}d", {"input": x, "indices": x.cast("int64")}, {"kernel_size": 2})
        for i, x in enumerate(SPATIAL)
    ),
    Case(
        "MaxUnpool2d",
        {"input": IMAGE, "indices": IMAGE.cast("int64")},
        {"kernel_size": (3, 2), "stride": 2, "padding": (1, 0), "output_size": (18, 15)},
    ),
    # normalisations
    Case("BatchNorm1d", VECTOR),
    Case("BatchNorm1d", SIGNAL, {"affine": False}),
    Case("BatchNorm1d", SIGNAL, {"affine": False, "track_running_stats": False}),
    Case("BatchNorm1d", SIGNAL, {"bias": False}),
    Case("BatchNorm2d", IMAGE, {"momentum": None}),
    Case("BatchNorm2d", IMAGE, {"track_running_stats": False, "eps": 1e-3}),
    Case("BatchNorm3d", VOLUME),
    Case("LayerNorm", SEQUENCE),
    Case("LayerNorm", unbatched(6), {"bias": False}),
    Case("LayerNorm", SEQUENCE, {"normalized_shape": 6, "elementwise_affine": False}),
    Case("LayerNorm", SEQUENCE, {"normalized_shape": (5, 6)}),
    Case("GroupNorm", IMAGE, {"num_groups": 2}),
    Case("GroupNorm", VECTOR, {"num_groups": 3, "affine": False}),
    Case("GroupNorm", SIGNAL, {"num_groups": 1, "bias": False}),
    *(
        Case(f"InstanceNorm{i + 1}d", x, {"affine": affine, "track_running_stats": tracked})
        for i, x in enumerate(SPATIAL)
        for affine in (True, False)
        for tracked in (True, False)
    ),
    Case("InstanceNorm1d", SIGNAL, {"affine": True, "bias": False, "eps": 0.0, "momentum": None}),
    Case("SyncBatchNorm", VECTOR, {"affine": False, "track_running_stats": False}),
    Case("SyncBatchNorm", IMAGE, {"momentum": None, "bias": False}),
    Case("RMSNorm", SEQUENCE),
    Case("RMSNorm", unbatched(6), {"eps": 1e-3, "elementwise_affine": False}),
    Case("RMSNorm", SEQUENCE, {"normalized_shape": (5, 6)}),
    *(Case("LocalResponseNorm", x, {"size": size}) for x in SPATIAL for size in (1, 2, 9)),
    Case("LocalResponseNorm", IMAGE, {"size": 3, "alpha": 0.1, "beta": 0.5, "k": 2.0}),
    Case("CrossMapLRN2d", IMAGE, {"size": 3, "alpha": 0.1, "beta": 0.5, "k": 2.0}),
    Case("CrossMapLRN2d", IMAGE, {"size": 6}),
    # dropouts
    Case("Dropout", SEQUENCE),
    Case("Dropout", SEQUENCE, {"p": 0.1, "inplace": True}),
    Case("Dropout1d", SIGNAL),
    Case("Dropout2d", IMAGE),
    Case("Dropout3d", VOLUME),
    Case("AlphaDropout", VECTOR),
    Case("FeatureAlphaDropout", VECTOR),
    Case("FeatureAlphaDropout", IMAGE, {"p": 0.1, "inplace": True}),
    # embeddings
    Case("Embedding", NUMBERS, {"embedding_dim": 3}),
    Case("Embedding", tensor(dtype="int32"), {"embedding_dim": 3, "num_embeddings": 7}),
    Case("Embedding", NUMBERS, {"embedding_dim": 3, "padding_idx": -1, "max_norm": 1.0}),
    Case("Embedding", NUMBERS, {"embedding_dim": 3, "scale_grad_by_freq": True, "norm_type": 1.0}),
    *(
        Case("EmbeddingBag", NUMBERS, {"embedding_dim": 3, "mode": m})
        for m in ("sum", "mean", "max")
    ),
    Case("EmbeddingBag", NUMBERS, {"embedding_dim": 3, "sparse": True, "padding_idx": -7}),
    Case(
        "EmbeddingBag",
        {"input": NUMBERS, "per_sample_weights": tensor(5)},
        {"embedding_dim": 3, "mode": "sum", "scale_grad_by_freq": True},
    ),
    # cells
    *(
        Case(layer, sources, {"hidden_size": 3, **options})
        for layer in ("RNNCell", "GRUCell")
        for sources in (VECTOR, {"input": VECTOR, "hidden": tensor(3)})
        for options in ({}, {"bias": False})
    ),
    Case("RNNCell", VECTOR, {"hidden_size": 3, "nonlinearity": "relu"}),
    Case("LSTMCell", VECTOR, {"hidden_size": 3}),
    Case(
        "LSTMCell",
        {"input": VECTOR, "hidden": tensor(3), "cell": tensor(3)},
        {"hidden_size": 3, "bias": False},
    ),
    # distances
    Case("CosineSimilarity", {"x1": VECTOR, "x2": VECTOR}),
    Case("CosineSimilarity", {"x1": IMAGE, "x2": IMAGE}, {"dim": -1, "eps": 1e-3}),
    Case("PairwiseDistance", {"x1": VECTOR, "x2": VECTOR}, {"p": 0.0}),
    Case("PairwiseDistance", {"x1": SEQUENCE, "x2": SEQUENCE}, {"keepdim": True}),
    *(
        Case(layer, {"x1": VECTOR.cast(dtype), "x2": VECTOR.cast("bfloat16")})
        for layer in ("CosineSimilarity", "PairwiseDistance")
        for dtype in ("float16", "int64", "float64")
    ),
    # recurrent layers
    *(
        Case(layer, sources, {"hidden_size": 3, **options})
        for layer in ("RNN", "GRU", "LSTM")
        for sources in (SEQUENCE, {"input": SEQUENCE, "lengths": LENGTHS})
        for options in ({}, {"num_layers": 2, "bias": False}, {"bidirectional": True})
    ),
    *(
        Case(layer, {"input": SEQUENCE, "state": state}, {"hidden_size": 3, **options})
        for layer in ("RNN", "GRU")
        for state, options in (
            (tensor(3), {}),
            (tensor(1, 3), {}),
            (tensor(4, 3), {"num_layers": 2, "bidirectional": True, "dropout": 0.5}),
        )
    ),
    Case("RNN", SEQUENCE, {"hidden_size": 3, "nonlinearity": "relu"}),
    Case(
        "LSTM", SEQUENCE, {"hidden_size": 3, "proj_size": 2, "num_layers": 2, "bidirectional": True}
    ),
    Case(
        "LSTM",
        {"input": SEQUENCE, "lengths": LENGTHS, "hidden": tensor(3), "cell": tensor(3)},
        {"hidden_size": 3},
    ),
    Case(
        "LSTM",
        {"input": SEQUENCE, "hidden": tensor(4, 2), "cell": tensor(4, 3)},
        {"hidden_size": 3, "num_layers": 2, "bidirectional": True, "proj_size": 2},
    ),
    # attention
    Case("Fill", SEQUENCE, {"value": "zeros"}),
    Case("Fill", {"input": IMAGE, "present": tensor(dtype="bool")}, {"value": "zeros"}),
    Case("Fill", {"input": tensor(), "present": tensor(dtype="bool")}, {"value": "zeros"}),
    Case("MultiheadAttention", SEQUENCE, {"num_heads": 2}),
    Case(
        "MultiheadAttention",
        SEQUENCE,
        {"num_heads": 2, "average_attn_weights": False, "bias": False},
    ),
    Case(
        "MultiheadAttention", SEQUENCE, {"num_heads": 2, "add_bias_kv": True, "add_zero_attn": True}
    ),
    Case("MultiheadAttention", {"query": SEQUENCE, "key": tensor(4, 7)}, {"num_heads": 3}),
    Case(
        "MultiheadAttention",
        {"query": SEQUENCE, "key": tensor(4, 6), "value": tensor(4, 8)},
        {"num_heads": 3, "kdim": 6, "add_bias_kv": True},
    ),
    Case(
        "MultiheadAttention",
        {
            "query": SEQUENCE,
            "key": tensor(4, 6),
            "key_padding_mask": tensor(4),
            "attn_mask": unbatched(5, 4),
        },
        {"num_heads": 2},
    ),
    Case("MultiheadAttention", {"query": SEQUENCE, "attn_mask": tensor(5, 5)}, {"num_heads": 1}),
    # activations
    *(
        Case(name, SEQUENCE)
        for name in [
            "CELU",
            "ELU",
            "GELU",
            "GLU",
            "Hardshrink",
            "Hardsigmoid",
            "Hardswish",
            "Hardtanh",
            "LeakyReLU",
            "LogSigmoid",
            "Mish",
            "PReLU",
            "ReLU",
            "ReLU6",
            "RReLU",
            "SELU",
            "Sigmoid",
            "SiLU",
            "Softplus",
            "Softshrink",
            "Softsign",
            "Tanh",
            "Tanhshrink",
        ]
    ),
    *(
        Case(name, SEQUENCE, {"inplace": True})
        for name in [
            "CELU",
            "ELU",
            "Hardsigmoid",
            "Hardswish",
            "Hardtanh",
            "LeakyReLU",
            "Mish",
            "ReLU",
            "SELU",
            "SiLU",
        ]
    ),
    Case("GELU", SEQUENCE, {"approximate": "tanh"}),
    Case("GLU", IMAGE, {"dim": 1}),
    Case("GLU", IMAGE, {"dim": -1}),
    Case("PReLU", IMAGE, {"num_parameters": 4, "init": 0.1}),
    Case("LeakyReLU", SEQUENCE, {"negative_slope": 0.2, "inplace": True}),
    Case("Hardtanh", SEQUENCE, {"min_val": 0.0, "max_val": 0.5}),
    Case("Softplus", SEQUENCE, {"beta": 2.0, "threshold": 1.0}),
    Case("Softshrink", SEQUENCE, {"lambd": 0.1}),
    Case("Threshold", SEQUENCE, {"threshold": 0.5, "value": 3.0}),
    *(
        Case(name, SEQUENCE, {"dim": dim})
        for name in ("Softmax", "LogSoftmax", "Softmin")
        for dim in (1, -1)
    ),
    *(Case(name, tensor("N"), {"dim": 0}) for name in ("Softmax", "LogSoftmax", "Softmin")),
    Case("Softmax2d", IMAGE),
    # reshapes
    Case("PixelShuffle", IMAGE, {"upscale_factor": 2}),
    Case("PixelShuffle", tensor(2, 9, 3, 4), {"upscale_factor": 3}),
    Case("PixelUnshuffle", tensor(4, 9, 6), {"downscale_factor": 3}),
    Case("PixelUnshuffle", unbatched(4, 8, 6), {"downscale_factor": 2}),
    *(Case("ChannelShuffle", x, {"groups": 2}) for x in SPATIAL),
    Case("Unflatten", IMAGE, {"dim": 1, "unflattened_size": (2, 2)}),
    Case("Unflatten", IMAGE, {"dim": -1, "unflattened_size": (2, -1, 2)}),
    Case("Unflatten", unbatched(4, 6), {"dim": 0, "unflattened_size": (4,)}),
    Case("Flatten", IMAGE),
    Case("Flatten", VECTOR),
    Case("Flatten", VOLUME, {"start_dim": 2, "end_dim": 3}),
    Case("Flatten", unbatched(3, 4, 5), {"start_dim": 0, "end_dim": -2}),
    *function_cases.CASES,
    *function_cases.OTHER_CASES,
    *transformer_cases.CASES,
]
CASES = [case for case in CASES if runs_here(case)]
IDS = [str(case) for case in CASES]


def check(
    lowering: Lowering, sources: Mapping[str, TensorType], sizes: Mapping[str, int] = {}
) -> None:
    """Check that every result has the type of the rule, in training and in eval."""
    module = build(lowering)
    for training in (True, False):
        if module is not None:
            module.train(training)
        inputs = {key: make(x, sizes) for key, x in sources.items()}
        for port, values in results(lowering, inputs, module, sizes).items():
            expected = lowering.results[port]
            for value in values:
                for part in value if isinstance(value, tuple) else (value,):
                    if expected.dtype in DTYPES:
                        assert str(part.dtype) == f"torch.{expected.dtype}"
                        assert tuple(part.shape) == shape_of(expected, sizes), port


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_results_have_the_inferred_types(case: Case) -> None:
    lowering = infer(case.layer, case.sources, **case.options)
    check(lowering, keyed(operation(case.layer), case.sources))


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_weights_and_buffers_equal_torchs(case: Case) -> None:
    lowering = infer(case.layer, case.sources, **case.options)
    module = build(lowering)
    if module is None or lowering.module is None:
        return
    weights = {name: tuple(tensor.shape) for name, tensor in module.named_parameters()}
    buffers = {name: tuple(tensor.shape) for name, tensor in module.named_buffers()}
    assert list(lowering.module.weights.items()) == list(weights.items())
    assert lowering.module.buffers == buffers


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_functions_compute_the_same_as_their_modules(case: Case) -> None:
    lowering = infer(case.layer, case.sources, **case.options)
    module = build(lowering)
    if lowering.function is None or module is None:
        return
    assert isinstance(case.sources, TensorType)
    x = make(case.sources, {}) * 4 - 2
    expected = module.eval()(x.clone())
    assert torch.equal(run(lowering.function, {"input": x}), expected)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_port_is_the_same_if_only_it_is_used(case: Case) -> None:
    lowering = infer(case.layer, case.sources, **case.options)
    module = build(lowering)
    if module is None:
        return
    sources = keyed(operation(case.layer), case.sources)
    inputs = {key: make(x, {}) for key, x in sources.items()}
    for values in results(lowering, inputs, module.eval(), {}).values():
        for value in values[1:]:
            torch.testing.assert_close(value, values[0])


def test_every_layer_has_a_case() -> None:
    assert {case.layer for case in CASES} == set(layers.__all__)


# signatures

CLASSES = [name for name in layers.__all__ if hasattr(nn, name)]
LEFT_OUT = {"device", "dtype", "batch_first", "return_indices", "_weight", "_freeze"}
LEFT_OUT |= {"min_value", "max_value", "args", "kwargs"}  # Hardtanh's old names
LEFT_OUT |= {"process_group", "_random_samples", "include_last_offset"}
LEFT_OUT |= {"custom_encoder", "custom_decoder"}
OURS = {"average_attn_weights", "is_causal"}  # of a forward
OURS |= {f"{source}_is_causal" for source in ("src", "tgt", "memory")}


def of_forward(layer: str, option: str) -> bool:
    """Return whether an option belongs to `forward`, not to the constructor."""
    return option in OURS or (option == "output_size" and layer.startswith("MaxUnpool"))


def signature(name: str) -> dict[str, Any]:
    """Return the arguments of the constructor with their defaults; a recurrent class hides its own."""
    if name in ("RNN", "GRU", "LSTM"):
        found = {k: p.default for k, p in inspect.signature(nn.RNNBase).parameters.items()}
        del found["mode"]
        if name != "LSTM":
            del found["proj_size"]
        if name == "RNN":
            items = list(found.items())
            found = dict([*items[:3], ("nonlinearity", "tanh"), *items[3:]])
    else:
        found = {k: p.default for k, p in inspect.signature(class_of(name)).parameters.items()}
    if "activation" in found:
        found["activation"] = "relu"  # torch's default is the function
    return {key: default for key, default in found.items() if key not in LEFT_OUT}


def class_of(name: str) -> type[nn.Module]:
    """Return the class of torch, or of torchvision, that has this name."""
    found: type[nn.Module] = getattr(nn if hasattr(nn, name) else torchvision.ops, name)
    return found


def arguments(name: str) -> dict[str, Any]:
    """Return the arguments of the constructor; for a stack, after the arguments of its layer."""
    if name not in ("TransformerEncoder", "TransformerDecoder"):
        return signature(name)
    (_, *own), (d_model, nhead, *rest) = signature(name).items(), signature(f"{name}Layer").items()
    return dict([d_model, nhead, own[0], *rest, *own[1:]])


@pytest.mark.parametrize("name", CLASSES)
def test_options_equal_the_arguments_of_torch(name: str) -> None:
    op, theirs = operation(name), arguments(name)
    if name in ("Softmax", "LogSoftmax", "Softmin"):
        theirs["dim"] = REQUIRED  # torch guesses one, and warns
    ours = {
        option.name: option.default
        for option in op.options.values()
        if not (option.inferred or of_forward(name, option.name) or is_new(name, option.name))
        and option.name not in NORMS
    }
    assert list(ours.items()) == [(k, v) for k, v in theirs.items() if k not in op.inferred]
    assert set(op.inferred) <= set(theirs)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_modules_list_their_arguments_in_torchs_order(case: Case) -> None:
    made = infer(case.layer, case.sources, **case.options).module
    if made is not None:
        given = [
            name
            for name in made.arguments
            if name != "batch_first" and not is_new(case.layer, name)
        ]
        assert given == list(signature(case.layer))
        for name, value in case.options.items():
            assert of_forward(case.layer, name) or argument(made, name) == value


def argument(made: Module, name: str) -> Any:
    """Return an argument; a module by its name."""
    found = made.argument(name)
    return found.name if isinstance(found, Module) else found


# dtypes


# not complex64: a 1x1 AdaptiveAvgPool2d, which is a mean, takes it, though no other does
TRIED = ("float16", "bfloat16", "float64", "uint8", "int16", "int32", "int64", "bool")
REFUSALS = (RuntimeError, NotImplementedError, ValueError, TypeError)


# dtypes that other releases of torch take and torch 2.13, which the rules follow, does not
WIDENED = ("LPPool1d", "LPPool2d", "LPPool3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")
TAKEN_LATER = {("Hardtanh", "uint8")}  # from torch 2.14 on
WITHOUT_TYPE = {("ViewAsComplex", "float16")}  # its result, complex32, is no dtype of a spec


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_rules_take_the_dtypes_that_torch_takes(case: Case) -> None:
    if case.layer in WIDENED and TORCH < (2, 13):
        pytest.skip("torch took fewer dtypes before 2.13")
    (key, first), *others = keyed(operation(case.layer), case.sources).items()
    options = {**case.options, **({"num_embeddings": 7} if "Embedding" in case.layer else {})}
    lowering = infer(case.layer, case.sources, **case.options)
    for dtype in TRIED:
        if (case.layer, dtype) in TAKEN_LATER and TORCH > (2, 13):
            continue
        if (case.layer, dtype) in WITHOUT_TYPE:
            continue
        sources = {key: first.cast(dtype), **dict(others)}
        inputs = {name: make(x, {}) for name, x in sources.items()}
        try:
            results(lowering, inputs, build(lowering), {})
        except REFUSALS:
            with pytest.raises(OpFault) as caught:
                infer(case.layer, sources, **options)
            assert caught.value.code == "dtype-mismatch", dtype
        else:
            check(infer(case.layer, sources, **options), sources)


# sizes that are names

SYMBOLIC = [
    Case("Linear", tensor("T", 6), {"out_features": 3}),
    Case("Conv1d", tensor(4, "T"), {"out_channels": 6, "kernel_size": 3, "stride": 2}),
    Case("Conv1d", tensor(4, "T"), {"out_channels": 6, "kernel_size": 4, "padding": "same"}),
    Case(
        "Conv1d",
        tensor(4, "T"),
        {"out_channels": 6, "kernel_size": 3, "padding": 2, "padding_mode": "reflect"},
    ),
    Case(
        "Conv1d",
        tensor(4, "T"),
        {"out_channels": 6, "kernel_size": 3, "padding": 2, "padding_mode": "circular"},
    ),
    Case(
        "Conv2d",
        tensor(4, "T", 8),
        {"out_channels": 6, "kernel_size": 5, "dilation": 2, "padding": 1},
    ),
    Case(
        "ConvTranspose1d",
        tensor(4, "T"),
        {"out_channels": 6, "kernel_size": 2, "stride": 3, "padding": 3, "output_padding": 1},
    ),
    Case("Unfold", tensor(3, "T", 8), {"kernel_size": 3, "stride": 2}),
    Case("Fold", tensor("T", 12), {"output_size": (4, 5), "kernel_size": 2}),
    *(
        Case(f"{kind}Pad1d", tensor(4, "T"), {"padding": padding})
        for kind in ("Zero", "Reflection", "Replication", "Circular")
        for padding in (4, (-2, 5), (-3, 0))
    ),
    *(
        Case("Upsample", tensor(4, "T", 8), {"scale_factor": factor})
        for factor in (2, 0.5, 1.25, (0.75, 3))
    ),
    Case("AdaptiveMaxPool2d", tensor(4, "T", 8), {"output_size": (None, 1)}),
    Case("FractionalMaxPool2d", tensor(4, "T", 8), {"kernel_size": 2, "output_size": (4, 3)}),
    Case("FractionalMaxPool3d", tensor(4, "T", 8, 8), {"kernel_size": 2, "output_ratio": 0.5}),
    Case("LPPool1d", tensor(4, "T"), {"norm_type": 2, "kernel_size": 3, "ceil_mode": True}),
    Case(
        "MaxUnpool1d",
        {"input": tensor(4, "T"), "indices": tensor(4, "T", dtype="int64")},
        {"kernel_size": 2, "stride": 3, "output_size": (6,)},
    ),
    Case("InstanceNorm2d", tensor(4, "T", "T")),
    Case("RMSNorm", tensor("T", 6)),
    Case("LocalResponseNorm", tensor("T", 6), {"size": 3}),
    Case("EmbeddingBag", tensor("T", dtype="int64", vocab=7), {"embedding_dim": 3}),
    Case("CosineSimilarity", {"x1": tensor("T", 6), "x2": tensor("T", 6)}, {"dim": 2}),
    Case("PixelShuffle", tensor("T", 6, 5), {"upscale_factor": 2}),
    Case("PixelUnshuffle", tensor(4, "T", 6), {"downscale_factor": 2}),
    Case("ChannelShuffle", tensor("T", 6), {"groups": 3}),
    Case("Unflatten", tensor("T"), {"dim": 1, "unflattened_size": (-1, 3)}),
    Case("MaxPool1d", tensor(4, "T"), {"kernel_size": 3, "stride": 2, "padding": 1}),
    Case(
        "MaxPool1d",
        tensor(4, "T"),
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    ),
    Case("MaxPool1d", tensor(4, "T"), {"kernel_size": 2, "stride": 5, "ceil_mode": True}),
    Case(
        "AvgPool1d",
        tensor(4, "T"),
        {"kernel_size": 4, "stride": 3, "padding": 2, "ceil_mode": True},
    ),
    Case("AdaptiveAvgPool2d", tensor(4, "T", 8), {"output_size": (None, 1)}),
    Case("BatchNorm1d", tensor(4, "T")),
    Case("LayerNorm", tensor("T", 6)),
    Case("GroupNorm", tensor(4, "T"), {"num_groups": 2}),
    Case("Dropout", tensor("T", 6)),
    Case("ReLU", tensor("T")),
    Case("GLU", tensor("T", 6), {"dim": 1}),
    Case("Softmax", tensor("T"), {"dim": 1}),
    Case("Embedding", tensor("T", dtype="int64", vocab=7), {"embedding_dim": 3}),
    Case("LSTM", tensor("T", 6), {"hidden_size": 3}),
    Case("GRU", {"input": tensor("T", 6), "lengths": LENGTHS}, {"hidden_size": 3}),
    Case("MultiheadAttention", {"query": tensor("T", 6), "key": tensor(4, 6)}, {"num_heads": 2}),
    Case("Flatten", tensor("T", 6)),
    *function_cases.SYMBOLIC,
    *transformer_cases.SYMBOLIC,
]


def holds(constraint: Constraint, sizes: Mapping[str, int]) -> bool:
    size = size_of(constraint.dim, sizes)
    if constraint.divisor is not None:
        return size % constraint.divisor == 0
    return size >= (constraint.minimum or 0)


def is_legal(lowering: Lowering, sizes: Mapping[str, int]) -> bool:
    """Return whether the constraints of the rule hold and no result is empty."""
    required = all(holds(constraint, sizes) for constraint in lowering.requires)
    return required and all(
        min(shape_of(x, sizes), default=1) >= 1 for x in lowering.results.values()
    )


def gives_anything(
    lowering: Lowering, sources: Mapping[str, TensorType], sizes: Mapping[str, int]
) -> bool:
    """Return whether torch takes tensors of these sizes and no result is empty."""
    inputs = {key: make(x, sizes) for key, x in sources.items()}
    try:
        found = results(lowering, inputs, build(lowering), sizes)
    except (*REFUSALS, IndexError):
        return False
    tensors = (x for values in found.values() for x in values if isinstance(x, torch.Tensor))
    return all(x.numel() for x in tensors)


@pytest.mark.parametrize("case", SYMBOLIC, ids=map(str, SYMBOLIC))
def test_a_size_that_is_a_name_is_right_for_every_number(case: Case) -> None:
    lowering = infer(case.layer, case.sources, **case.options)
    sources = keyed(operation(case.layer), case.sources)
    for length in (2, 3, 4, 5, 6, 7, 12, *(() if "lengths" in sources else (1,))):
        sizes = {"T": length}
        if is_legal(lowering, sizes):
            check(lowering, sources, sizes)
        else:
            assert not gives_anything(lowering, sources, sizes)


# the state of recurrent layers


def test_an_lstm_continues_from_the_state_of_another() -> None:
    first = infer("LSTM", SEQUENCE, hidden_size=3, num_layers=2, proj_size=2)
    state = first.results["state"]
    second = infer(
        "LSTM",
        {"input": SEQUENCE, "state": state},
        hidden_size=3,
        num_layers=2,
        proj_size=2,
    )
    module, x = build(first), torch.rand(2, 10, 6)
    handed = results(first, {"input": x[:, :5]}, module, {})["state"][0]
    found = results(second, {"input": x[:, 5:], "state": handed}, module, {})
    assert module is not None
    torch.testing.assert_close(found["output"][0], module(x)[0][:, 5:])


@pytest.mark.parametrize("layer", ["RNN", "GRU"])
def test_a_recurrent_layer_continues_from_the_hidden_state_of_another(layer: str) -> None:
    first = infer(layer, SEQUENCE, hidden_size=3, num_layers=2)
    module, x = build(first), torch.rand(2, 10, 6)
    handed = results(first, {"input": x[:, :5]}, module, {})
    assert module is not None
    for port in ("state", "hidden"):
        sources = {"input": SEQUENCE, "state": first.results[port]}
        second = infer(layer, sources, hidden_size=3, num_layers=2)
        inputs = {"input": x[:, 5:], "state": handed[port][0]}
        found = results(second, inputs, module, {})
        torch.testing.assert_close(found["output"][0], module(x)[0][:, 5:])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layer", ["RNN", "GRU", "LSTM"])
def test_last_is_the_final_state_of_each_sample(layer: str, bidirectional: bool) -> None:
    options = {"hidden_size": 3, "num_layers": 2, "bidirectional": bidirectional}
    lowering = infer(layer, {"input": SEQUENCE, "lengths": LENGTHS}, **options)
    module, x, lengths = build(lowering), torch.rand(2, 5, 6), torch.tensor([2, 4])
    found = results(lowering, {"input": x, "lengths": lengths}, module, {})
    plain = infer(layer, SEQUENCE, **options)
    for row, length in enumerate([2, 4]):
        alone = results(plain, {"input": x[row : row + 1, :length]}, module, {})
        torch.testing.assert_close(found["last"][0][row], alone["last"][0][0])
        torch.testing.assert_close(found["output"][0][row, :length], alone["output"][0][0])
        assert not found["output"][0][row, length:].any()
        torch.testing.assert_close(alone["last"][0][0, :3], alone["output"][0][0, -1, :3])
        if bidirectional:
            torch.testing.assert_close(alone["last"][0][0, 3:], alone["output"][0][0, 0, 3:])


# windows

small = st.integers(1, 5)


@settings(max_examples=400, deadline=None)
@given(
    layer=st.sampled_from(["Conv1d", "MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d"]),
    size=st.integers(1, 14),
    kernel=small,
    stride=small,
    padding=st.integers(0, 4),
    dilation=st.integers(1, 3),
    ceil_mode=st.booleans(),
)
def test_the_number_of_windows_is_that_of_torch(
    layer: str, size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool
) -> None:
    options: dict[str, Any] = {"kernel_size": kernel, "stride": stride, "padding": padding}
    if layer == "Conv1d":
        options |= {"dilation": dilation, "out_channels": 1}
    elif layer.startswith("Max"):
        options |= {"dilation": dilation, "ceil_mode": ceil_mode}
    else:
        options |= {"ceil_mode": ceil_mode}
    axes = int(layer[-2])
    module = getattr(nn, layer)(**({"in_channels": 1} if layer == "Conv1d" else {}), **options)
    expected: tuple[int, ...] | None
    found: tuple[int, ...] | None
    try:
        expected = tuple(module(torch.zeros(2, 1, *(size,) * axes)).shape)
    except RuntimeError:
        expected = None
    # infer the size as a number, then as a name for that number
    try:
        known = infer(layer, tensor(1, *(size,) * axes), **options)
        found = shape_of(next(iter(known.results.values())), {})
    except OpFault:
        found = None
    assert found == expected
    try:
        lowering = infer(layer, tensor(1, *("T",) * axes), **options)
    except OpFault as fault:
        assert fault.code == "bad-option" and expected is None
        return
    if expected is None:
        assert not is_legal(lowering, {"T": size})
    else:
        assert shape_of(next(iter(lowering.results.values())), {"T": size}) == expected
