"""References of models that read and write text."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tests.gallery.published import Weights, hugging_face, reference


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


LLAMA = {"vocab": 50, "width": 16, "feed": 24, "heads": 4, "groups": 2, "theta": 100}
STEPS = {"T": 7}


@reference("mamba", vocab=50, width=8, depth=2, state=3, rank=2, sizes={"T": 6})
def mamba(**params: int) -> nn.Module:
    names = {"state": "state_size", "rank": "time_step_rank"}
    return hugging_face("MambaForCausalLM", params, names=names)


@reference("mistral", **LLAMA, depth=2, window=3, sizes=STEPS)
def mistral(**params: int) -> nn.Module:
    return hugging_face("MistralForCausalLM", params, rms_norm_eps=1e-5)


@reference(
    "mixtral", **LLAMA, depth=2, experts=5, chosen=2, weights=weights_of_mixtral, sizes=STEPS
)
def mixtral(**params: int) -> nn.Module:
    names = {"experts": "num_local_experts", "chosen": "num_experts_per_tok"}
    return hugging_face("MixtralForCausalLM", params, names=names, rms_norm_eps=1e-5)


@reference("gemma2", **LLAMA, head=6, depth=4, window=3, sizes=STEPS)
def gemma2(head: int, **params: int) -> nn.Module:
    return hugging_face("Gemma2ForCausalLM", params, head_dim=head, query_pre_attn_scalar=head)


@reference(
    "bart", vocab=50, width=16, heads=4, depth=2, longest=12, dropout=0.1, sizes={"S": 6, "T": 5}
)
def bart(width: int, heads: int, depth: int, dropout: float, **params: int) -> nn.Module:
    def call(model: nn.Module, source: Tensor, padding: Tensor, target: Tensor) -> Tensor:
        return model(source, attention_mask=~padding, decoder_input_ids=target).logits

    stacks = {"layers": depth, "attention_heads": heads, "ffn_dim": 4 * width}
    return hugging_face(
        "BartForConditionalGeneration",
        params,
        call,
        d_model=width,
        dropout=dropout,
        **{f"{part}_{key}": x for part in ("encoder", "decoder") for key, x in stacks.items()},
    )


@reference(
    "albert",
    sizes=STEPS,
    vocab=50,
    narrow=8,
    width=16,
    heads=4,
    depth=3,
    longest=12,
    dropout=0.1,
)
def albert(dropout: float, **params: int) -> nn.Module:
    def call(
        model: nn.Module, tokens: Tensor, segments: Tensor, padding: Tensor
    ) -> tuple[Tensor, Tensor]:
        known = model(tokens, attention_mask=~padding, token_type_ids=segments)
        return known.prediction_logits, known.sop_logits

    rates = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout_prob")
    return hugging_face(
        "AlbertForPreTraining",
        params,
        call,
        names={"narrow": "embedding_size"},
        intermediate_size=4 * params["width"],
        **dict.fromkeys(rates, dropout),
    )


class UniversalLayer(nn.Module):
    """A step of Dehghani et al. 2018 at all positions, equations 4 and 5; a decoder reads `memory`, too."""

    def __init__(self, width: int, hidden: int, heads: int, *, decodes: bool) -> None:
        super().__init__()
        self.decodes = decodes
        self.halting = nn.Linear(width, 1)
        self.own = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm = nn.LayerNorm(width)
        if decodes:
            self.cross = nn.MultiheadAttention(width, heads, batch_first=True)
            self.cross_norm = nn.LayerNorm(width)
        self.transition = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width)
        )
        self.last_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, memory: Tensor | None, padding: Tensor) -> Tensor:
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        hidden = {"attn_mask": later} if self.decodes else {"key_padding_mask": padding}
        x = self.norm(x + self.own(x, x, x, **hidden)[0])
        if memory is not None:
            x = self.cross_norm(x + self.cross(x, memory, memory, key_padding_mask=padding)[0])
        return self.last_norm(x + self.transition(x))


def coordinates(length: int, width: int, step: int) -> Tensor:
    """Return the embedding of the positions at a step (equations 6 and 7)."""
    wave = [
        [
            sum(
                (math.sin, math.cos)[j % 2](n / 10000 ** ((j - j % 2) / width))
                for n in (place, step)
            )
            for j in range(width)
        ]
        for place in range(length)
    ]
    return torch.tensor(wave)


@reference(
    "universal_transformer",
    sizes={"S": 5, "T": 6},
    vocab=30,
    width=16,
    hidden=24,
    heads=4,
    steps=6,
    longest=12,
    enough=0.5,
)
class UniversalTransformer(nn.Module):
    def __init__(
        self,
        vocab: int,
        width: int,
        hidden: int,
        heads: int,
        steps: int,
        longest: int,
        enough: float,
    ) -> None:
        super().__init__()
        self.steps, self.enough = steps, enough
        self.words = nn.Embedding(vocab, width)
        self.encoder = UniversalLayer(width, hidden, heads, decodes=False)
        self.decoder = UniversalLayer(width, hidden, heads, decodes=True)
        self.logits = nn.Linear(width, vocab, bias=False)

    def think(
        self, layer: UniversalLayer, state: Tensor, memory: Tensor | None, padding: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Apply a layer until each position halts (appendix C), and return the states and their cost."""
        probability, remainders, updates = torch.zeros(3, *state.shape[:2])
        previous, step = torch.zeros_like(state), 0
        while ((probability < self.enough) & (updates < self.steps)).any():
            state = state + coordinates(*state.shape[1:], step)
            p = layer.halting(state)[..., 0].sigmoid()
            running = (probability < 1).float()
            halted = (probability + p * running > self.enough).float() * running
            running = (probability + p * running <= self.enough).float() * running
            probability = probability + p * running
            remainders = remainders + halted * (1 - probability)
            probability = probability + halted * remainders
            updates = updates + running + halted
            update = (p * running + halted * remainders)[..., None]
            state = layer(state, memory, padding)
            previous = state * update + previous * (1 - update)
            step += 1
        return previous, updates + remainders

    def forward(
        self, source: Tensor, padding: Tensor, target: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        memory, source_ponder = self.think(self.encoder, self.words(source), None, padding)
        states, target_ponder = self.think(self.decoder, self.words(target), memory, padding)
        return self.logits(states), source_ponder, target_ponder
