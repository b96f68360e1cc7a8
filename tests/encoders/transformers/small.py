"""Configs of small models, one of each class in the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.encoders.transformers.configs import FAMILIES, Family

# what the config of a class needs beside a small width, two layers and a small vocabulary
_MORE: Mapping[str, Mapping[str, Any]] = {
    "DistilBertModel": {"hidden_dim": 48},
    "T5EncoderModel": {"d_ff": 48, "d_kv": 8, "num_heads": 4},
    "AlbertModel": {"embedding_size": 16, "intermediate_size": 48},
    "ElectraModel": {"embedding_size": 16, "intermediate_size": 48},
    "CamembertModel": {"max_position_embeddings": 20, "intermediate_size": 48},
    "CLIPTextModel": {"eos_token_id": 2, "intermediate_size": 48},
    "DebertaV2Model": {"relative_attention": True, "type_vocab_size": 2},
    "Dinov2Model": {"patch_size": 4, "image_size": 16},
    "Dinov2WithRegistersModel": {"patch_size": 4, "image_size": 16, "num_register_tokens": 3},
    "LlamaModel": {"num_key_value_heads": 2, "intermediate_size": 48},
    "ModernBertModel": {"intermediate_size": 48, "pad_token_id": 0, "eos_token_id": 1},
    "Qwen2Model": {"num_key_value_heads": 2, "intermediate_size": 48},
    "Qwen3Model": {"num_key_value_heads": 2, "num_attention_heads": 4, "head_dim": 8},
}


def config(model: str) -> dict[str, Any]:
    """Return the config of a small model of this class."""
    family: Family = FAMILIES[model]
    found: dict[str, Any] = {family.width: 32, family.layers: 2}
    if family.heads:
        found[family.heads] = 4
    if family.reads == "input_ids":
        found["vocab_size"] = 50
    else:
        found |= {"image_size": 16, "patch_size": 8}
    return {**found, **_MORE.get(model, {})}
