"""Models of language have as many weights as Hugging Face's, and the same outputs with the same weights.

Weights are counted at the size of the published model; outputs are compared with two layers a stack.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.runtime.runner import seeded_inputs
from tests.gallery import count, gallery, on_meta, randomise, transformers_for_torch
from tests.gallery.agreement import hold

transformers = transformers_for_torch()

VOCAB = 500  # of the models whose outputs are compared
WHISPERS_TOKENS = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")
LLAMA_3_8B = {"vocab_size": 128_256, "intermediate_size": 14_336, "num_key_value_heads": 8}


def reference(model: str, **options: Any) -> nn.Module:
    """Return a model of transformers, with other values for these options of its config."""
    made = getattr(transformers, model)
    return made(made.config_class(**options))


@pytest.mark.parametrize(
    ("name", "model", "options", "parameters"),
    [
        ("bert_base", "BertModel", {}, 109_482_240),
        ("gpt2", "GPT2LMHeadModel", {}, 124_439_808),
        ("clip", "CLIPModel", {}, 151_277_313),
        ("t5_encoder", "T5EncoderModel", {}, 35_330_816),
        ("t5", "T5ForConditionalGeneration", {}, 60_506_624),
        ("llama", "LlamaForCausalLM", LLAMA_3_8B, 8_030_261_248),
    ],
)
def test_a_model_has_as_many_weights_as_its_reference(
    name: str, model: str, options: dict[str, int], parameters: int
) -> None:
    with torch.device("meta"):
        theirs = reference(model, **options)
    assert count(theirs) == count(on_meta(gallery(name))) == parameters


def test_t5_like_has_as_many_weights_as_t5_without_relative_positions() -> None:
    tables = 2 * 32 * 8  # a number for each bucket and head, of the encoder and of the decoder
    assert count(on_meta(gallery("t5_like"))) == 60_506_624 - tables


def test_whisper_has_as_many_weights_as_its_reference() -> None:
    sinusoids = 1500 * 384  # a buffer here, and a parameter without gradients there
    with torch.device("meta"):
        theirs = reference("WhisperForConditionalGeneration")
    assert count(theirs) == count(on_meta(gallery("whisper"))) + sinusoids == 37_760_640


def test_llava_has_as_many_weights_as_the_layers_of_its_reference_that_run() -> None:
    with torch.device("meta"):
        text = {"model_type": "llama", "vocab_size": 32_064}
        theirs = reference("LlavaForConditionalGeneration", text_config=text)
    unused = layers_without_use(theirs)
    assert count(theirs) - sum(map(count, unused)) == count(on_meta(gallery("llava")))
    assert count(theirs) == 7_063_427_072


def layers_without_use(llava: Any) -> tuple[nn.Module, nn.Module]:
    """Return the layers of LLaVA's vision tower behind the states that it reads."""
    tower = llava.model.vision_tower
    return tower.encoder.layers[-1], tower.post_layernorm


def randomised(model: Callable[..., nn.Module], config: object) -> nn.Module:
    made = model(config)
    randomise(made)
    return made.eval()


def loaded(graph: mg.Graph, theirs: nn.Module, **inputs: str) -> nn.Module:
    """Return the compiled graph with all of the reference's weights."""
    model = on_meta(graph).to_empty(device="cpu").eval()
    transfer = graph.load_state(model, theirs, inputs=inputs)
    assert transfer.missing == transfer.unused == transfer.zeros == ()
    return model


def assert_close(graph: mg.Graph, ours: Tensor, theirs: Tensor) -> None:
    """Check that both are equal up to rounding, and that samples differ."""
    scale = theirs.abs().max().item()
    assert theirs.std(0).max() > 1e-2 * scale
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * scale)
    hold(graph, ours, theirs)


@torch.no_grad()
def test_bert_base() -> None:
    config = transformers.BertConfig(num_hidden_layers=2, vocab_size=VOCAB)
    theirs = randomised(transformers.BertModel, config)
    graph = gallery("bert_base", depth=2, vocab=VOCAB)
    names = {"tokens": "input_ids", "segments": "token_type_ids", "padding": "attention_mask"}
    ours = loaded(graph, theirs, **names)
    inputs = seeded_inputs(graph.typed, 3, 0, {"T": 9})
    known = ~inputs["padding"]
    expected = theirs(
        input_ids=inputs["tokens"], attention_mask=known, token_type_ids=inputs["segments"]
    )
    outputs = ours(**inputs)
    assert_close(graph, outputs["states"][known], expected.last_hidden_state[known])
    assert_close(graph, outputs["pooled"], expected.pooler_output)


@torch.no_grad()
def test_gpt2() -> None:
    theirs = randomised(
        transformers.GPT2LMHeadModel, transformers.GPT2Config(n_layer=2, vocab_size=VOCAB)
    )
    graph = gallery("gpt2", depth=2, vocab=VOCAB)
    tokens = seeded_inputs(graph.typed, 3, 0, {"T": 9})["tokens"]
    ours = loaded(graph, theirs, tokens="input_ids")
    assert_close(graph, ours(tokens=tokens), theirs(input_ids=tokens).logits)


@torch.no_grad()
def test_clip() -> None:
    config = transformers.CLIPConfig(
        text_config={"num_hidden_layers": 2, "vocab_size": VOCAB, "eos_token_id": VOCAB - 1},
        vision_config={"num_hidden_layers": 2},
    )
    theirs = randomised(transformers.CLIPModel, config)
    graph = gallery("clip", depth=2, vocab=VOCAB)
    inputs = seeded_inputs(graph.typed, 3, 0, {})
    inputs["text"][:, 5:] = 0
    inputs["text"][[0, 1, 2], [9, 12, 70]] = VOCAB - 1  # the end
    ours = loaded(graph, theirs, text="input_ids", image="pixel_values")(**inputs)
    expected = theirs(input_ids=inputs["text"], pixel_values=inputs["image"])
    assert_close(graph, ours["image"], expected.image_embeds)
    assert_close(graph, ours["text"], expected.text_embeds)
    assert_close(graph, ours["logits_per_image"], expected.logits_per_image)
    assert_close(graph, ours["logits_per_text"], expected.logits_per_text)


@torch.no_grad()
def test_t5_encoder() -> None:
    theirs = randomised(
        transformers.T5EncoderModel, transformers.T5Config(num_layers=2, vocab_size=VOCAB)
    )
    graph = gallery("t5_encoder", depth=2, vocab=VOCAB)
    inputs = seeded_inputs(graph.typed, 2, 0, {"T": 300})  # beyond the last bucket
    known = ~inputs["padding"]
    expected = theirs(input_ids=inputs["tokens"], attention_mask=known).last_hidden_state
    ours = loaded(graph, theirs, tokens="input_ids", padding="attention_mask")
    assert_close(graph, ours(**inputs)[known], expected[known])


@torch.no_grad()
def test_t5() -> None:
    config = transformers.T5Config(
        vocab_size=VOCAB,
        num_layers=2,
        num_decoder_layers=2,
        d_model=64,
        d_kv=16,
        num_heads=4,
        d_ff=256,
    )
    theirs = randomised(transformers.T5ForConditionalGeneration, config)
    graph = gallery("t5", depth=2, vocab=VOCAB, width=64, heads=4)
    inputs = seeded_inputs(graph.typed, 2, 0, {"S": 200, "T": 150})  # beyond the last bucket
    names = {"source": "input_ids", "target": "decoder_input_ids", "padding": "attention_mask"}
    ours = loaded(graph, theirs, **names)
    expected = theirs(
        input_ids=inputs["source"],
        attention_mask=~inputs["padding"],
        decoder_input_ids=inputs["target"],
    )
    assert_close(graph, ours(**inputs), expected.logits)


@torch.no_grad()
def test_t5_like() -> None:
    """T5 without relative positions, with sinusoids and queries eight times as large."""
    config = transformers.T5Config(
        vocab_size=VOCAB, num_layers=2, num_decoder_layers=2, scale_decoder_outputs=False
    )
    theirs = randomised(transformers.T5ForConditionalGeneration, config)
    for key, tensor in theirs.state_dict().items():
        if key.endswith("relative_attention_bias.weight"):
            tensor.zero_()
    places = sinusoid(20, 512)
    graph = gallery("t5_like", depth=2, vocab=VOCAB, longest=20)
    inputs = seeded_inputs(graph.typed, 3, 0, {"S": 12, "T": 9})
    model = graph.compile().eval()
    names = {"source": "input_ids", "target": "decoder_input_ids", "padding": "attention_mask"}
    with pytest.warns(UserWarning, match="outputs differ from outputs of the other model: logits"):
        transfer = graph.load_state(model, theirs, inputs=names, strict=False)
    assert transfer.missing == ("places",)  # the sinusoids stay as they are
    assert {key.rpartition(".")[0].rpartition(".")[2] for key in transfer.unused} == {
        "relative_attention_bias"
    }
    for key, tensor in model.state_dict().items():
        if key.endswith("in_proj_weight"):
            tensor[:512] *= 8  # T5 does not divide by the root of a head's width, 64
    expected = theirs(
        inputs_embeds=theirs.shared(inputs["source"]) + places[:12],
        attention_mask=~inputs["padding"],
        decoder_inputs_embeds=theirs.shared(inputs["target"]) + places[:9],
    )
    assert_close(graph, model(**inputs), expected.logits)


@torch.no_grad()
def test_llama() -> None:
    config = transformers.LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=8,
        num_key_value_heads=2,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
    )
    theirs = randomised(transformers.LlamaForCausalLM, config)
    graph = gallery("llama", depth=2, vocab=VOCAB, width=64, feed=96, heads=8, groups=2)
    tokens = seeded_inputs(graph.typed, 3, 0, {"T": 20})["tokens"]
    ours = loaded(graph, theirs, tokens="input_ids")
    assert_close(graph, ours(tokens=tokens), theirs(input_ids=tokens).logits)


@torch.no_grad()
def test_whisper() -> None:
    config = transformers.WhisperConfig(
        vocab_size=VOCAB,
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        max_source_positions=50,
        **dict.fromkeys(WHISPERS_TOKENS, 0),
    )
    graph = gallery("whisper", depth=2, vocab=VOCAB, width=64, heads=4, steps=50)
    theirs = transformers.WhisperForConditionalGeneration(config)
    places = theirs.model.encoder.embed_positions.weight.detach()
    torch.testing.assert_close(graph.compile().sinusoids, places)
    randomise(theirs)
    ours = loaded(graph, theirs.eval(), sound="input_features", tokens="decoder_input_ids")
    inputs = seeded_inputs(graph.typed, 3, 0, {"T": 9})
    expected = theirs(input_features=inputs["sound"], decoder_input_ids=inputs["tokens"])
    assert_close(graph, ours(**inputs), expected.logits)


class ImageFirst(nn.Module):
    """LLaVA, called with an image and the text behind it, without the marks that stand for the image."""

    def __init__(self, llava: Any) -> None:
        super().__init__()
        self.llava = llava

    def forward(self, image: Tensor, tokens: Tensor) -> Tensor:
        seen = self.llava.model.get_image_features(pixel_values=image).pooler_output
        words = self.llava.get_input_embeddings()(tokens)
        both = torch.cat((torch.stack(tuple(seen)), words), 1)
        states = self.llava.model.language_model(inputs_embeds=both).last_hidden_state
        logits: Tensor = self.llava.lm_head(states)
        return logits


@torch.no_grad()
def test_llava() -> None:
    vision = {"hidden_size": 64, "intermediate_size": 256, "image_size": 42, "patch_size": 14}
    vision |= {"num_attention_heads": 1, "num_hidden_layers": 3}
    text = {"hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 4}
    text |= {"num_hidden_layers": 2, "vocab_size": VOCAB, "rms_norm_eps": 1e-5}
    config = transformers.LlavaConfig(
        vision_config={"model_type": "clip_vision_model", **vision},
        text_config={"model_type": "llama", **text},
    )
    theirs = randomised(
        lambda config: ImageFirst(transformers.LlavaForConditionalGeneration(config)), config
    )
    small = {"depth": 2, "width": 48, "heads": 4, "feed": 96, "side": 3, "vision": 64}
    graph = gallery("llava", vocab=VOCAB, vision_depth=2, **small)
    ours = on_meta(graph).to_empty(device="cpu").eval()
    transfer = graph.load_state(ours, theirs)
    without = sum(len(layer.state_dict()) for layer in layers_without_use(theirs.llava))
    assert len(transfer.unused) == without
    inputs = seeded_inputs(graph.typed, 3, 0, {"T": 9})
    assert_close(graph, ours(**inputs), theirs(**inputs))


def sinusoid(length: int, width: int) -> Tensor:
    """Return sine and cosine of each position at falling rates (Vaswani et al. 2017, section 3.5)."""
    rows = [
        [(math.sin, math.cos)[i % 2](place / 10000 ** ((i - i % 2) / width)) for i in range(width)]
        for place in range(length)
    ]
    return torch.tensor(rows)
