"""Know how the models of transformers read their configs: the keys of their sizes, inputs and results."""

from __future__ import annotations

from typing import Literal, NamedTuple

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
