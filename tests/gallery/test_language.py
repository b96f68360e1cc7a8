"""Models of language, each against Hugging Face's: the number of weights and, given them, the outputs.

The number is that of the published model; the outputs are those of two layers of each stack.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.codegen.runner import seeded_inputs
from tests.gallery import count, gallery, on_meta, randomise

transformers = pytest.importorskip("transformers")

VOCAB = 500  # of the models whose outputs are compared


@pytest.mark.parametrize(
    ("name", "model", "parameters"),
    [
        ("bert_base", "Bert", 109_482_240),
        ("gpt2", "GPT2LMHead", 124_439_808),
        ("clip", "CLIP", 151_277_313),
        ("t5_encoder", "T5Encoder", 35_330_816),
    ],
)
def test_has_as_many_weights(name: str, model: str, parameters: int) -> None:
    config = getattr(transformers, f"{model.removesuffix('LMHead').removesuffix('Encoder')}Config")
    with torch.device("meta"):
        theirs = getattr(transformers, f"{model}Model")(config())
    assert count(theirs) == count(on_meta(gallery(name))) == parameters


def test_t5_like_has_as_many_weights_as_t5_without_relative_positions() -> None:
    tables = 2 * 32 * 8  # a number for each bucket and head, of the encoder and of the decoder
    assert count(on_meta(gallery("t5_like"))) == 60_506_624 - tables


def randomised(model: Callable[..., nn.Module], config: object) -> nn.Module:
    made = model(config)
    randomise(made)
    return made.eval()


def filled(graph: mg.Graph, weights: Iterable[Tensor]) -> nn.Module:
    """The compiled graph, each of its tensors the next of that shape, of which none is left."""
    model = on_meta(graph).to_empty(device="cpu").eval()
    waiting = list(weights)
    for tensor in model.state_dict().values():
        place = next(i for i, other in enumerate(waiting) if other.shape == tensor.shape)
        tensor.copy_(waiting.pop(place))
    assert not waiting
    return model


def packed(state: Mapping[str, Tensor], *names: str) -> dict[str, Tensor]:
    """The projections of queries, keys and values as one, as nn.MultiheadAttention has them."""
    query, *others = names
    found = {}
    for key, tensor in state.items():
        if f".{query}." in key:
            parts = (state[key.replace(f".{query}.", f".{other}.")] for other in others)
            found[key] = torch.cat((tensor, *parts))
        elif not any(f".{other}." in key for other in others):
            found[key] = tensor
    return found


def without(state: Mapping[str, Tensor], *ends: str) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in state.items() if not key.endswith(ends)}


def norms_first(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of CLIP with each norm before what it is the norm of, as they are used."""
    parts = {"layer_norm1": 0, "self_attn": 1, "layer_norm2": 2, "mlp": 3}
    places: dict[str, int] = {}  # of what comes first of each layer

    def place(key: str) -> tuple[int, int]:
        layer, found, rest = key.partition(".layers.")
        number, _, rest = rest.partition(".")
        first = places.setdefault(layer + found + number if found else key, len(places))
        return first, parts.get(rest.split(".")[0], 0)

    return {key: state[key] for key in sorted(state, key=place)}


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    """Equal up to rounding, and not because all samples look alike."""
    scale = theirs.abs().max().item()
    assert theirs.std(0).max() > 1e-2 * scale
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * scale)


@torch.no_grad()
def test_bert_base() -> None:
    config = transformers.BertConfig(num_hidden_layers=2, vocab_size=VOCAB)
    theirs = randomised(transformers.BertModel, config)
    graph = gallery("bert_base", depth=2, vocab=VOCAB)
    ours = filled(graph, packed(theirs.state_dict(), "query", "key", "value").values())
    inputs = seeded_inputs(graph.typed, 3, 0, {"T": 9})
    known = ~inputs["padding"]
    expected = theirs(
        input_ids=inputs["tokens"], attention_mask=known, token_type_ids=inputs["segments"]
    )
    outputs = ours(**inputs)
    assert_close(outputs["states"][known], expected.last_hidden_state[known])
    assert_close(outputs["pooled"], expected.pooler_output)


@torch.no_grad()
def test_gpt2() -> None:
    theirs = randomised(
        transformers.GPT2LMHeadModel, transformers.GPT2Config(n_layer=2, vocab_size=VOCAB)
    )
    state = without(theirs.state_dict(), "lm_head.weight")
    turned = (w.T if ".c_" in key and w.dim() == 2 else w for key, w in state.items())
    graph = gallery("gpt2", depth=2, vocab=VOCAB)
    tokens = seeded_inputs(graph.typed, 3, 0, {"T": 9})["tokens"]
    assert_close(filled(graph, turned)(tokens=tokens), theirs(input_ids=tokens).logits)


@torch.no_grad()
def test_clip() -> None:
    config = transformers.CLIPConfig(
        text_config={"num_hidden_layers": 2, "vocab_size": VOCAB, "eos_token_id": VOCAB - 1},
        vision_config={"num_hidden_layers": 2},
    )
    theirs = randomised(transformers.CLIPModel, config)
    state = norms_first(packed(theirs.state_dict(), "q_proj", "k_proj", "v_proj"))
    cls_token = "vision_model.embeddings.class_embedding"
    state[cls_token] = state[cls_token].view(1, 1, -1)
    graph = gallery("clip", depth=2, vocab=VOCAB)
    inputs = seeded_inputs(graph.typed, 3, 0, {})
    inputs["text"][:, 5:] = 0
    inputs["text"][[0, 1, 2], [9, 12, 70]] = VOCAB - 1  # the end
    ours = filled(graph, state.values())(**inputs)
    expected = theirs(input_ids=inputs["text"], pixel_values=inputs["image"])
    assert_close(ours["image"], expected.image_embeds)
    assert_close(ours["text"], expected.text_embeds)
    assert_close(ours["scale"] * ours["image"] @ ours["text"].T, expected.logits_per_image)


@torch.no_grad()
def test_t5_encoder() -> None:
    theirs = randomised(
        transformers.T5EncoderModel, transformers.T5Config(num_layers=2, vocab_size=VOCAB)
    )
    state = without(theirs.state_dict(), "embed_tokens.weight")
    graph = gallery("t5_encoder", depth=2, vocab=VOCAB)
    inputs = seeded_inputs(graph.typed, 2, 0, {"T": 300})  # beyond the last bucket
    known = ~inputs["padding"]
    expected = theirs(input_ids=inputs["tokens"], attention_mask=known).last_hidden_state
    assert_close(filled(graph, state.values())(**inputs)[known], expected[known])


@torch.no_grad()
def test_t5_like() -> None:
    """T5 told nothing by its buckets, but by sinusoids, and queries eight times as large."""
    config = transformers.T5Config(
        vocab_size=VOCAB, num_layers=2, num_decoder_layers=2, scale_decoder_outputs=False
    )
    theirs = randomised(transformers.T5ForConditionalGeneration, config)
    for key, tensor in theirs.state_dict().items():
        if key.endswith("relative_attention_bias.weight"):
            tensor.zero_()
    tied = ("embed_tokens.weight", "lm_head.weight", "relative_attention_bias.weight")
    state = without(theirs.state_dict(), *tied)
    scaled = {key: 8 * w if key.endswith(".q.weight") else w for key, w in state.items()}
    places = sinusoid(20, 512)
    graph = gallery("t5_like", depth=2, vocab=VOCAB, longest=20)
    inputs = seeded_inputs(graph.typed, 3, 0, {"S": 12, "T": 9})
    ours = filled(graph, [places, *packed(scaled, "q", "k", "v").values()])
    expected = theirs(
        inputs_embeds=theirs.shared(inputs["source"]) + places[:12],
        attention_mask=~inputs["padding"],
        decoder_inputs_embeds=theirs.shared(inputs["target"]) + places[:9],
    )
    assert_close(ours(**inputs), expected.logits)


def sinusoid(length: int, width: int) -> Tensor:
    """Sine and cosine of each position at falling rates (Vaswani et al. 2017, section 3.5)."""
    rows = [
        [(math.sin, math.cos)[i % 2](place / 10000 ** ((i - i % 2) / width)) for i in range(width)]
        for place in range(length)
    ]
    return torch.tensor(rows)
