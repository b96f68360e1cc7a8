"""The table of configs is that of the installed transformers; `--rewrite` writes it again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mimgraph.encoders.transformers import configs
from mimgraph.encoders.transformers.configs import FAMILIES

transformers = pytest.importorskip("transformers")

# keys that make another kind of model, or that only generation and training read
_NOT_OURS = {"use_cache", "is_decoder", "is_encoder_decoder", "add_cross_attention"}
_NOT_OURS |= {"tie_word_embeddings", "pretraining_tp"}
_NOT_OURS |= {"sinusoidal_pos_embds"}  # makes them in a loop of Python, however many


def _defaults(config: type) -> dict[str, Any]:
    """Return the plain values that a config has unless they are given, by key."""
    own = [cls for cls in config.__mro__ if cls not in transformers.PreTrainedConfig.__mro__]
    keys = [key for cls in reversed(own) for key in vars(cls).get("__annotations__", ())]
    values = {key: getattr(config, key) for key in keys if hasattr(config, key)}
    return {
        key: value
        for key, value in values.items()
        if key not in _NOT_OURS
        and not key.startswith("_")
        and isinstance(value, bool | int | float | str | None)
    }


def _table() -> dict[str, Any]:
    models = {}
    for name in sorted(FAMILIES):
        config = getattr(transformers, name).config_class
        models[name] = {
            "type": config.model_type,
            "config": config.__name__,
            "inside": _inside(config),
            "aliases": getattr(config, "attribute_map", {}),
            "defaults": _defaults(config),
        }
    return {"activations": sorted(transformers.activations.ACT2FN), "models": models}


def _inside(config: Any) -> list[str]:
    """Return the model type and the key of a config that holds this one, as CLIP's holds two."""
    outer = config.model_type.partition("_")[0]
    key = getattr(config, "base_config_key", "")
    return [outer, key] if key else []


def test_the_table_is_that_of_the_library(rewrite: bool) -> None:
    text = json.dumps(_table(), indent=1) + "\n"
    if rewrite:
        configs.TABLE.write_text(text, encoding="utf-8")
    assert configs.TABLE.read_text(encoding="utf-8") == text
