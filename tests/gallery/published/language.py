"""References of models that read and write text."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from tests.gallery.published import Weights, reference

transformers = pytest.importorskip("transformers")


class Logits(nn.Module):
    """Return the logits of a model of Hugging Face's, which takes tokens by position."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        return self.model(tokens).logits


@reference("mamba", vocab=50, width=8, depth=2, state=3, rank=2, sizes={"T": 6})
def mamba(vocab: int, width: int, depth: int, state: int, rank: int) -> nn.Module:
    config = transformers.MambaConfig(
        vocab_size=vocab,
        hidden_size=width,
        num_hidden_layers=depth,
        state_size=state,
        time_step_rank=rank,
    )
    return Logits(transformers.MambaForCausalLM(config))


@reference(
    "mistral",
    vocab=50,
    width=16,
    feed=24,
    heads=4,
    groups=2,
    depth=2,
    window=3,
    theta=100,
    sizes={"T": 7},
)
def mistral(
    vocab: int,
    width: int,
    feed: int,
    heads: int,
    groups: int,
    depth: int,
    window: int,
    theta: int,
) -> nn.Module:
    config = transformers.MistralConfig(
        vocab_size=vocab,
        hidden_size=width,
        intermediate_size=feed,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        sliding_window=window,
        rms_norm_eps=1e-5,
        rope_theta=theta,
    )
    return Logits(transformers.MistralForCausalLM(config))


def weights_of_mixtral(theirs: Weights) -> Weights:
    """Return its weights by our keys: it keeps the matrices of all experts of a layer in one tensor."""
    names = (
        ("model.model.embed_tokens", "words"),
        ("model.model.layers", "states"),
        ("input_layernorm", "norm"),
        *(
            (f"self_attn.{name[0]}_proj", f"attention.{name}.0")
            for name in ("query", "key", "value")
        ),
        ("self_attn.o_proj", "attention.out.1"),
        ("post_attention_layernorm", "ff.0"),
        ("mlp.gate.", "ff.1.router."),
        ("mlp.", "ff.1."),
        ("model.model.norm", "norm"),
        ("model.lm_head", "logits"),
    )
    ours: Weights = {}
    for key, tensor in theirs.items():
        for name, other in names:
            key = key.replace(name, other)
        experts, _, matrix = key.rpartition(".")
        for i, expert in enumerate(tensor) if matrix.endswith("proj") else ():
            inner = ("gate", "up") if matrix == "gate_up_proj" else ("down",)
            for name, part in zip(inner, expert.chunk(len(inner)), strict=True):
                ours[f"{experts}.{i}.{name}.weight"] = part
        if matrix == "weight":
            ours[key] = tensor
    return ours


@reference(
    "mixtral",
    weights=weights_of_mixtral,
    vocab=50,
    width=16,
    feed=24,
    heads=4,
    groups=2,
    depth=2,
    experts=5,
    chosen=2,
    theta=100,
    sizes={"T": 7},
)
def mixtral(
    vocab: int,
    width: int,
    feed: int,
    heads: int,
    groups: int,
    depth: int,
    experts: int,
    chosen: int,
    theta: int,
) -> nn.Module:
    config = transformers.MixtralConfig(
        vocab_size=vocab,
        hidden_size=width,
        intermediate_size=feed,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        num_local_experts=experts,
        num_experts_per_tok=chosen,
        rms_norm_eps=1e-5,
        rope_theta=theta,
    )
    return Logits(transformers.MixtralForCausalLM(config))


@reference(
    "gemma2",
    sizes={"T": 7},
    vocab=50,
    width=16,
    feed=24,
    heads=4,
    groups=2,
    head=6,
    depth=4,
    window=3,
    theta=100,
)
def gemma2(
    vocab: int,
    width: int,
    feed: int,
    heads: int,
    groups: int,
    head: int,
    depth: int,
    window: int,
    theta: int,
) -> nn.Module:
    config = transformers.Gemma2Config(
        vocab_size=vocab,
        hidden_size=width,
        intermediate_size=feed,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        head_dim=head,
        query_pre_attn_scalar=head,
        sliding_window=window,
        rope_theta=theta,
    )
    return Logits(transformers.Gemma2ForCausalLM(config))


@reference(
    "bart",
    sizes={"S": 6, "T": 5},
    vocab=50,
    width=16,
    heads=4,
    depth=2,
    longest=12,
    dropout=0.1,
)
class Bart(nn.Module):
    def __init__(
        self, vocab: int, width: int, heads: int, depth: int, longest: int, dropout: float
    ) -> None:
        super().__init__()
        config = transformers.BartConfig(
            vocab_size=vocab,
            d_model=width,
            encoder_layers=depth,
            decoder_layers=depth,
            encoder_attention_heads=heads,
            decoder_attention_heads=heads,
            encoder_ffn_dim=4 * width,
            decoder_ffn_dim=4 * width,
            max_position_embeddings=longest,
            dropout=dropout,
        )
        self.model = transformers.BartForConditionalGeneration(config)

    def forward(self, source: Tensor, padding: Tensor, target: Tensor) -> Tensor:
        return self.model(source, attention_mask=~padding, decoder_input_ids=target).logits


@reference(
    "albert",
    sizes={"T": 7},
    vocab=50,
    narrow=8,
    width=16,
    heads=4,
    depth=3,
    longest=12,
    dropout=0.1,
)
class Albert(nn.Module):
    def __init__(
        self,
        vocab: int,
        narrow: int,
        width: int,
        heads: int,
        depth: int,
        longest: int,
        dropout: float,
    ) -> None:
        super().__init__()
        config = transformers.AlbertConfig(
            vocab_size=vocab,
            embedding_size=narrow,
            hidden_size=width,
            num_hidden_layers=depth,
            num_attention_heads=heads,
            intermediate_size=4 * width,
            max_position_embeddings=longest,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            classifier_dropout_prob=dropout,
        )
        self.model = transformers.AlbertForPreTraining(config)

    def forward(self, tokens: Tensor, segments: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        known = self.model(tokens, attention_mask=~padding, token_type_ids=segments)
        return known.prediction_logits, known.sop_logits
