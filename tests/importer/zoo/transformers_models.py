"""Models of transformers, made from small configs with random weights."""

from __future__ import annotations

from typing import Any

import transformers as tf
from torch import nn

from tests.importer.zoo.model import InputSpec, Model, ids, mask

VOCAB = 100
# the names that most configs have for their sizes
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
TEXT = dict(vocab_size=VOCAB, max_position_embeddings=64, **SIZES)
IMAGE = dict(image_size=32, patch_size=8, **SIZES)
# decoders return their cache too, unless they are told not to: it is no tensor
DECODER = {"use_cache": False, "bos_token_id": 1, "eos_token_id": 2}
LLAMA = dict(num_key_value_heads=2, pad_token_id=0, **TEXT, **DECODER)
BART = dict(
    vocab_size=VOCAB,
    max_position_embeddings=64,
    d_model=32,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=64,
    decoder_ffn_dim=64,
    pad_token_id=0,
    decoder_start_token_id=2,
    forced_eos_token_id=None,
    **DECODER,
)
T5 = {
    "vocab_size": VOCAB,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 3,
    "num_heads": 4,
    "decoder_start_token_id": 0,
    "use_cache": False,
}
CLIP = {
    "text_config": dict(bos_token_id=1, eos_token_id=2, projection_dim=16, **TEXT),
    "vision_config": dict(projection_dim=16, **IMAGE),
    "projection_dim": 16,
}
GPT2 = dict(vocab_size=VOCAB, n_positions=64, n_embd=32, n_layer=3, n_head=4, **DECODER)
SWIN = {
    "image_size": 32,
    "patch_size": 2,
    "embed_dim": 16,
    "depths": [2, 2],
    "num_heads": [2, 4],
    "window_size": 4,
}
WHISPER = dict(num_mel_bins=20, max_source_positions=16, max_target_positions=32, **BART)
# without SpecAugment and LayerDrop, which draw with numpy and Python
WAV2VEC2 = dict(
    vocab_size=VOCAB,
    conv_dim=[16, 16],
    conv_kernel=[3, 3],
    conv_stride=[2, 2],
    num_conv_pos_embeddings=4,
    num_conv_pos_embedding_groups=2,
    apply_spec_augment=False,
    layerdrop=0.0,
    **SIZES,
)

TOKENS: dict[str, InputSpec] = {"input_ids": ids("T", VOCAB)}
MASKED: dict[str, InputSpec] = {**TOKENS, "attention_mask": mask("T")}
SEGMENTS: dict[str, InputSpec] = {**MASKED, "token_type_ids": mask("T")}
PAIR: dict[str, InputSpec] = {**MASKED, "decoder_input_ids": ids("U", VOCAB)}
PIXELS: dict[str, InputSpec] = {"pixel_values": (3, 32, 32)}


def _model(
    name: str, kind: str, options: dict[str, Any], inputs: dict[str, InputSpec], gallery: str = ""
) -> Model:
    """Return the model of a class of transformers; its config has the name of the class."""

    def make() -> nn.Module:
        cls = getattr(tf, kind)
        module: nn.Module = cls(cls.config_class(**options))
        return module

    return Model(name, make, inputs, "transformers", gallery)


EAGER = {"attn_implementation": "eager"}

MODELS = [
    _model("bert", "BertModel", TEXT, SEGMENTS, "bert_base"),
    _model("bert-eager", "BertModel", TEXT | EAGER, SEGMENTS, "bert_base"),
    _model("bert-no-mask", "BertModel", TEXT, TOKENS, "bert_base"),
    _model("bert-classifier", "BertForSequenceClassification", TEXT, SEGMENTS),
    _model("bert-mlm", "BertForMaskedLM", TEXT, SEGMENTS),
    _model("roberta", "RobertaModel", TEXT | {"pad_token_id": 0}, MASKED),
    _model(
        "distilbert",
        "DistilBertModel",
        {
            "vocab_size": VOCAB,
            "max_position_embeddings": 64,
            "dim": 32,
            "n_layers": 3,
            "n_heads": 4,
            "hidden_dim": 64,
        },
        MASKED,
    ),
    _model("albert", "AlbertModel", TEXT | {"embedding_size": 16}, SEGMENTS),
    _model("electra", "ElectraModel", TEXT | {"embedding_size": 16}, SEGMENTS),
    _model("mobilebert", "MobileBertModel", TEXT | {"embedding_size": 16}, SEGMENTS),
    _model("gpt2", "GPT2Model", GPT2, TOKENS, "gpt2"),
    _model("gpt2-eager", "GPT2Model", GPT2 | EAGER, TOKENS, "gpt2"),
    _model("gpt2-lm", "GPT2LMHeadModel", GPT2, MASKED),
    _model("t5", "T5Model", T5, PAIR, "t5"),
    _model("t5-encoder", "T5EncoderModel", T5, MASKED, "t5_encoder"),
    _model("bart", "BartModel", BART, PAIR),
    _model("clip", "CLIPModel", CLIP, {**MASKED, **PIXELS}, "clip"),
    _model("vit", "ViTModel", IMAGE, PIXELS, "vit_b16"),
    _model("deit", "DeiTModel", IMAGE, PIXELS),
    _model("swin", "SwinModel", SWIN, PIXELS, "swin_t"),
    _model(
        "convnext",
        "ConvNextModel",
        {"hidden_sizes": [16, 32], "depths": [2, 2], "num_stages": 2, "image_size": 32},
        PIXELS,
        "convnext_tiny",
    ),
    _model(
        "segformer",
        "SegformerForSemanticSegmentation",
        {
            "num_encoder_blocks": 2,
            "depths": [1, 1],
            "sr_ratios": [4, 2],
            "hidden_sizes": [16, 32],
            "patch_sizes": [7, 3],
            "strides": [4, 2],
            "num_attention_heads": [1, 2],
            "mlp_ratios": [2, 2],
            "decoder_hidden_size": 16,
        },
        PIXELS,
    ),
    _model("llama", "LlamaModel", LLAMA, TOKENS, "llama"),
    _model("llama-eager", "LlamaModel", LLAMA | EAGER, TOKENS, "llama"),
    _model("mistral", "MistralModel", LLAMA | {"sliding_window": None}, TOKENS),
    _model("qwen2", "Qwen2Model", LLAMA, TOKENS),
    _model("gpt-neox", "GPTNeoXModel", TEXT | DECODER, TOKENS),
    _model(
        "whisper",
        "WhisperModel",
        WHISPER,
        {"input_features": (20, 32), "decoder_input_ids": ids("T", VOCAB)},
        "whisper",
    ),
    _model("wav2vec2", "Wav2Vec2Model", WAV2VEC2, {"input_values": ("T",)}),
]
