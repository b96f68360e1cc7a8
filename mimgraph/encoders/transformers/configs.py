"""Read and check the configs of transformers' models, without transformers and without torch."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import TRUE_OR_FALSE, did_you_mean
from mimgraph.ir.dim import Dim
from mimgraph.ops.op import OpFault

Reads = Literal["input_ids", "pixel_values"]


class Family(NamedTuple):
    """The keys of a config that decide the sizes of a model, and the results that the model has.

    `positions` is the key of the most tokens that it can count, `padded` whether it counts them from the
    padding token's number on. `before` are the tokens in front of those of an image's patches.
    """

    reads: Reads
    width: str = "hidden_size"
    layers: str = "num_hidden_layers"
    heads: str = "num_attention_heads"
    positions: str = ""
    padded: bool = False
    types: bool = False  # takes token_type_ids
    pooled: str = ""  # the key of the size of `pooler_output`
    masked: bool = True  # takes an attention_mask
    cached: bool = False  # returns a cache for generation unless it is told not to
    before: int = 0
    resized: bool = False  # takes images of any size
    auto: bool = True  # AutoModel makes this class of its model type

    @property
    def takes(self) -> tuple[str, ...]:
        """Return the names of the sources that the models may take, the one that they need first."""
        optional = {"attention_mask": self.masked, "token_type_ids": self.types}
        return (self.reads, *(key for key, takes in optional.items() if takes))


_BERT = Family("input_ids", positions="max_position_embeddings", types=True, pooled="hidden_size")
_ROBERTA = _BERT._replace(padded=True)
_LLAMA = Family("input_ids", cached=True)
_VIT = Family("pixel_values", pooled="pooler_output_size", masked=False, before=1)
_DINO = _VIT._replace(pooled="hidden_size", resized=True)

# by class of the model; the others are run on torch's meta device
FAMILIES = {
    "AlbertModel": _BERT,
    "BertModel": _BERT,
    "CLIPTextModel": _BERT._replace(types=False),
    "CLIPVisionModel": _VIT._replace(pooled="hidden_size"),
    "CamembertModel": _ROBERTA,
    "DebertaV2Model": _BERT._replace(pooled=""),
    "DeiTModel": _VIT._replace(before=2),
    "Dinov2Model": _DINO,
    "Dinov2WithRegistersModel": _DINO,
    "DistilBertModel": Family("input_ids", "dim", "n_layers", "n_heads", "max_position_embeddings"),
    "ElectraModel": _BERT._replace(pooled=""),
    "GPT2Model": Family(
        *("input_ids", "n_embd", "n_layer", "n_head", "n_positions"), types=True, cached=True
    ),
    "LlamaModel": _LLAMA,
    "MPNetModel": _ROBERTA._replace(types=False),
    "ModernBertModel": Family("input_ids"),
    "Qwen2Model": _LLAMA,
    "Qwen3Model": _LLAMA._replace(heads=""),
    "RobertaModel": _ROBERTA,
    "SiglipVisionModel": _VIT._replace(pooled="hidden_size", before=0),
    "T5EncoderModel": Family("input_ids", "d_model", "num_layers", "", auto=False),
    "ViTModel": _VIT,
    "XLMRobertaModel": _ROBERTA,
}


TABLE = Path(__file__).with_name("configs.json")  # written by tests/encoders
LARGEST = 2**31 - 1  # of a size
MOST_LAYERS = 1000  # each has weights of its own, which are counted
_WORDS = ("summary_activation", "pos_att_type")  # keys that are null unless they are given
_CODE = ("auto_map", "custom_pipelines", "quantization_config", "trust_remote_code")


@dataclass(frozen=True, slots=True)
class Config:
    """The class of a model, the config's values that are given, by key, and where they are from."""

    model: str
    given: Mapping[str, Any]

    @property
    def family(self) -> Family:
        """Return how this kind of model reads its config."""
        return FAMILIES[self.model]

    @property
    def name(self) -> str:
        """Return the class of the config: `BertConfig`."""
        return str(_model(self.model)["config"])

    def size(self, key: str) -> int:
        """Return the whole number that the config gives a key, 0 if it gives none."""
        value = self.given.get(key, _model(self.model)["defaults"].get(key))
        return int(value) if isinstance(value, int) else 0

    @property
    def width(self) -> int:
        """Return the size of each token's vector."""
        return self.size(self.family.width)

    @property
    def pooled(self) -> int:
        """Return the size of the pooled vector, 0 if the model has none."""
        key = self.family.pooled
        return self.size(key) or self.width if key else 0

    @property
    def longest(self) -> int | None:
        """Return the number of tokens that the model can count, None if there is no such limit."""
        family = self.family
        if not family.positions or not self.given.get("position_biased_input", True):
            return None
        padding = self.size("pad_token_id") + 1 if family.padded else 0
        return self.size(family.positions) - padding

    @property
    def reads_types(self) -> bool:
        """Return whether the model takes the token_type_ids."""
        has_none = "type_vocab_size" in self.defaults and not self.size("type_vocab_size")
        return self.family.types and not has_none

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Return the values of the keys that are not given."""
        defaults: Mapping[str, Any] = _model(self.model)["defaults"]
        return defaults


def model_of(model_type: str) -> str | None:
    """Return the class that AutoModel makes of a model type; None if the table does not have it."""
    return _auto().get(model_type)


def type_of(model: str) -> str:
    """Return the model type of a class: `bert` of `BertModel`."""
    return str(_model(model)["type"])


def model_types() -> list[str]:
    """Return the model types in the table, in order."""
    return sorted(_auto())


def checked(model: str, given: Mapping[str, Any]) -> Config:
    """Return the config with the values of a spec; raise the fault of a key or value that is wrong."""
    values: dict[str, Any] = {}
    for written, value in given.items():
        key = _model(model)["aliases"].get(written, written)
        if key not in _model(model)["defaults"]:
            raise _unknown(model, written)
        if key in values:
            raise _fault(f"{written} and {key} are one key of {type_of(model)}", "give one of them")
        if wants := _refused(model, key, value):
            raise _fault(f"{written} must be {wants}, not {_shown(value)}", symbolic=value)
        values[key] = value
    return _consistent(Config(model, values))


def read(model: str, found: Mapping[str, Any]) -> Config:
    """Return the config in a file: the values that the table knows, those that are wrong left out."""
    outer = _model(model)["inside"]
    if outer and found.get("model_type") == outer[0] and isinstance(found.get(outer[1]), Mapping):
        found = found[outer[1]]
    named = {_model(model)["aliases"].get(key, key): value for key, value in found.items()}
    known = {key: value for key, value in named.items() if key in _model(model)["defaults"]}
    return Config(model, {k: v for k, v in known.items() if not _refused(model, k, v)})


def holds(model: str, model_type: object) -> bool:
    """Return whether a config of this model type has the config of a class, perhaps inside."""
    return model_type in (type_of(model), *_model(model)["inside"][:1])


def _consistent(config: Config) -> Config:
    """Refuse sizes that no model can have together."""
    family = config.family
    heads = config.size(family.heads) if family.heads else 1
    if heads and config.width % heads and "head_dim" not in config.given:
        message = f"{family.width} {config.width} is not a multiple of {family.heads} {heads}"
        raise _fault(message, "each head has an equal part of the vector")
    vocab, padding = config.size("vocab_size"), config.size("pad_token_id")
    if "pad_token_id" in config.defaults and padding >= vocab:
        raise _fault(f"pad_token_id {padding} is not below vocab_size {vocab}")
    patch = config.size("patch_size")
    if patch > config.size("image_size") > 0:
        message = f"patch_size {patch} is larger than image_size {config.size('image_size')}"
        raise _fault(message)
    if config.longest is not None and config.longest < 1:
        raise _fault(f"{family.positions} {config.size(family.positions)} leaves no token")
    return config


def _refused(model: str, key: str, value: Any) -> str:
    """Return what a value should have been, "" if it is right."""
    default, family = _model(model)["defaults"][key], FAMILIES[model]
    text = isinstance(value, str)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    whole = number and isinstance(value, int)
    if default in _table()["activations"]:
        names = ", ".join(get_close_matches(str(value), _table()["activations"], 3) or ["gelu"])
        return "" if text and value in _table()["activations"] else f"an activation such as {names}"
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else TRUE_OR_FALSE
    if key == family.layers:
        return "" if whole and 1 <= value <= MOST_LAYERS else f"a number from 1 to {MOST_LAYERS}"
    if isinstance(default, int):
        least = 0 if key.endswith("_token_id") or key == "type_vocab_size" or default <= 0 else 1
        least = min(least, default)
        return "" if whole and least <= value <= LARGEST else f"a number from {least} to {LARGEST}"
    if isinstance(default, float):
        return "" if number and math.isfinite(value) and value >= 0 else "a number of at least 0"
    if isinstance(default, str):
        return "" if text and re.fullmatch(r"[\w.|-]{1,60}", value, re.ASCII) else "a word"
    if value is None:
        return ""
    if key in _WORDS:
        return "" if text and re.fullmatch(r"[\w|]{1,60}", value, re.ASCII) else "a word"
    if key.endswith("dropout"):
        return "" if number and 0 <= value <= 1 else "a number from 0 to 1"
    least = 0 if key.endswith("_token_id") else 1
    return "" if whole and least <= value <= LARGEST else f"a number from {least} to {LARGEST}"


def _unknown(model: str, key: str) -> OpFault:
    """Return the fault of a key that the config does not have."""
    if key in _CODE or key.startswith("_") or "code" in key:
        help = "a spec cannot choose code: mimgraph never sets trust_remote_code"
        return _fault(f"config has no {key}", help)
    keys = list(_model(model)["defaults"])
    near = nearest(key, [*keys, *_model(model)["aliases"]])
    help = did_you_mean(near) if near else f"its keys: {', '.join(keys)}"
    return _fault(f"the config of {type_of(model)} has no {key!r}", help)


def _fault(message: str, help: str = "", symbolic: object = None) -> OpFault:
    """Return a fault at the config."""
    if isinstance(symbolic, Dim):
        note = f"{symbolic} is known only at run time"
        return OpFault("symbolic-size", message, option="config", note=note)
    return OpFault("bad-option", message, option="config", help=help)


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else f"{value}"[:60]


def _model(model: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _table()["models"][model]
    return found


@cache
def _table() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


@cache
def _auto() -> Mapping[str, str]:
    return {type_of(model): model for model, family in FAMILIES.items() if family.auto}
