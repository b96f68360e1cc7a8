"""Lists the cases of the conformance test for multi-head attention and Transformers."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.ir.types import TensorType
from tests.ops.layers.oracle import Case, tensor, unbatched

X, MEMORY, T = tensor(5, 6), tensor(4, 6), tensor("T", 6)
SMALL = {"nhead": 2, "dim_feedforward": 7}
STACK = {**SMALL, "num_layers": 2}
WHOLE = {**SMALL, "num_encoder_layers": 1, "num_decoder_layers": 2}
OTHERWISE = {
    "dropout": 0.2,
    "activation": "gelu",
    "layer_norm_eps": 1e-3,
    "norm_first": True,
    "bias": False,
}

ENCODER_MASKS = {
    "TransformerEncoderLayer": {"src": X, "src_mask": unbatched(5, 5)},
    "TransformerEncoder": {"src": X, "mask": unbatched(5, 5)},
}
DECODER: Mapping[str, TensorType] = {"tgt": X, "memory": MEMORY}
DECODER_MASKS: Mapping[str, TensorType] = {
    **DECODER,
    "tgt_mask": unbatched(5, 5),
    "memory_mask": unbatched(5, 4),
    "tgt_key_padding_mask": tensor(5),
    "memory_key_padding_mask": tensor(4),
}
BOTH: Mapping[str, TensorType] = {"src": MEMORY, "tgt": X}
BOTH_MASKS: Mapping[str, TensorType] = {
    **BOTH,
    "src_mask": unbatched(4, 4),
    "tgt_mask": unbatched(5, 5),
    "memory_mask": unbatched(5, 4),
    "src_key_padding_mask": tensor(4),
    "tgt_key_padding_mask": tensor(5),
    "memory_key_padding_mask": tensor(4),
}

CASES = [
    Case("MultiheadAttention", X, {"num_heads": 2, "is_causal": True}),
    Case("MultiheadAttention", X, {"num_heads": 2, "is_causal": True, "add_bias_kv": True}),
    Case("MultiheadAttention", X, {"num_heads": 2, "is_causal": True, "add_zero_attn": True}),
    Case(
        "MultiheadAttention",
        {"query": X, "key_padding_mask": tensor(5)},
        {"num_heads": 2, "is_causal": True},
    ),
    *(
        Case(name, sources, {**options, **more})
        for name, options in (("TransformerEncoderLayer", SMALL), ("TransformerEncoder", STACK))
        for sources, more in (
            (X, {}),
            (X, OTHERWISE),
            (X, {"is_causal": True}),
            ({"src": X, "src_key_padding_mask": tensor(5)}, {}),
            ({"src": X, "src_key_padding_mask": tensor(5)}, {"is_causal": True}),
            (ENCODER_MASKS[name], {}),
            ({**ENCODER_MASKS[name], "src_key_padding_mask": tensor(5)}, {"bias": False}),
        )
    ),
    Case("TransformerEncoderLayer", X, {"nhead": 3}),
    Case("TransformerEncoder", X, {**STACK, "norm": "LayerNorm", "layer_norm_eps": 1e-3}),
    Case("TransformerEncoder", X, {**STACK, "norm": "LayerNorm", "bias": False}),
    Case("TransformerEncoder", X, {**STACK, "enable_nested_tensor": False, "mask_check": False}),
    Case("TransformerEncoder", X, {"nhead": 3, "num_layers": 1}),
    *(
        Case(name, sources, {**options, **more})
        for name, options in (("TransformerDecoderLayer", SMALL), ("TransformerDecoder", STACK))
        for sources, more in (
            (DECODER, {}),
            (DECODER, OTHERWISE),
            (DECODER, {"tgt_is_causal": True}),
            (DECODER, {"memory_is_causal": True}),
            (DECODER_MASKS, {}),
        )
    ),
    Case("TransformerDecoder", DECODER, {**STACK, "norm": "LayerNorm"}),
    Case("Transformer", BOTH, WHOLE),
    Case("Transformer", BOTH, {**WHOLE, **OTHERWISE}),
    Case("Transformer", BOTH, {**WHOLE, "src_is_causal": True, "tgt_is_causal": True}),
    Case("Transformer", BOTH_MASKS, WHOLE),
    Case("Transformer", {"src": tensor(4, 16), "tgt": tensor(5, 16)}),
]

SYMBOLIC = [
    Case("MultiheadAttention", T, {"num_heads": 2, "is_causal": True}),
    Case("TransformerEncoder", T, {**STACK, "is_causal": True}),
    Case("TransformerDecoder", {"tgt": T, "memory": MEMORY}, {**STACK, "memory_is_causal": True}),
    Case("Transformer", {"src": T, "tgt": MEMORY}, {**WHOLE, "tgt_is_causal": True}),
]
