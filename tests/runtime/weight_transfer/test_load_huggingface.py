"""Weights of Hugging Face's models give equal outputs in specs that a user writes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import yaml
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.runtime.runner import seeded_inputs
from tests.gallery import gallery, randomise
from tests.helpers.cases import texts

transformers = pytest.importorskip("transformers")
if not transformers.is_torch_available():
    pytest.skip("transformers takes no torch as old as this", allow_module_level=True)

WIDTH, HEADS, VOCAB, DEPTH = 32, 4, 50, 2
MADE = yaml.safe_load(Path(__file__).with_name("huggingface.yaml").read_text())


def made(name: str, model: str | None = None) -> nn.Module:
    """Return a model of `huggingface.yaml`, or another of its config, with random weights, none of them
    zero or one."""
    ids = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 0)
    known = MADE[name]
    config = getattr(transformers, known["config"])(**ids, **known["options"])
    other = getattr(transformers, model or known["model"])(config)
    randomise(other)
    return other.eval()


# --- specs ----------------------------------------------------------------------------------------

JOINED = """
      attended: {layer: MultiheadAttention, from: norm, num_heads: 4%(causal)s}"""
APART = """
      v: {block: heads, from: norm}
      k: {block: heads, from: norm, bias: %(key_bias)s}
      q: {block: heads, from: norm}
      seen: {merge: attention, from: {key: k, value: v, query: q}%(causal)s}
      attended: {from: seen, seq: [{Rearrange: "n h t d -> n t (h d)"}, {Linear: 32}]}"""
CHUNKED = """
      qkv: {layer: Linear, from: norm, out_features: 96}
      cut: {layer: Chunk, from: qkv, chunks: 3, dim: 2}
      v: {layer: Rearrange, from: cut.1, pattern: "n t (h d) -> n h t d", sizes: {h: 4}}
      k: {layer: Rearrange, from: cut.2, pattern: "n t (h d) -> n h t d", sizes: {h: 4}}
      q: {layer: Rearrange, from: cut.0, pattern: "n t (h d) -> n h t d", sizes: {h: 4}}
      seen: {merge: attention, from: {query: q, key: k, value: v}%(causal)s}
      attended: {from: seen, seq: [{Rearrange: "n h t d -> n t (h d)"}, {Linear: 32}]}"""
STYLES = {"MultiheadAttention": JOINED, "three Linears": APART, "one Linear, q v k": CHUNKED}

BLOCKS = """
blocks:
  heads:
    params: {bias: true}
    seq: [{Linear: {out_features: 32, bias: $bias}},
          {Rearrange: {pattern: "n t (h d) -> n h t d", sizes: {h: 4}}}]
  layer:
    inputs: {x: [T, D]}
    nodes:
      norm: {layer: LayerNorm, from: x, eps: %(eps)s}%(attention)s
      mixed: {merge: add, from: [x, attended]}
      mlp: {from: mixed, seq: [LayerNorm: {eps: %(eps)s}, Linear: 128, %(act)s, Linear: 32]}
      out: {merge: add, from: [mixed, mlp]}
    outputs: out
"""
WHOLE = (
    "TransformerEncoderLayer:"
    " {nhead: 4, dim_feedforward: 128, norm_first: true, activation: gelu, layer_norm_eps: %(eps)s}"
)
POST_NORM = "{TransformerEncoderLayer: {nhead: 4, dim_feedforward: 128, activation: gelu}}"


def written(text: str, style: str, **options: str) -> mg.Graph:
    """Return the graph of a spec in one of the styles; `LAYERS` in the text stands for the layers."""
    options = {"causal": "", "key_bias": "true", "eps": "1e-5", "act": "GELU"} | options
    if style == "TransformerEncoderLayer":
        layer = "{%s}" % (WHOLE % options)
        return mg.loads(text.replace("LAYERS", ", ".join([layer] * DEPTH)))
    blocks = BLOCKS % (options | {"attention": STYLES[style] % options})
    return mg.loads(blocks + text.replace("LAYERS", f"{{layer: {{repeat: {DEPTH}}}}}"))


ENCODERS = [*STYLES, "TransformerEncoderLayer"]
SPECS = {name: text for name, (text,) in texts(Path(__file__).with_name("huggingface.md")).items()}


# --- the outputs are the same ---------------------------------------------------------------------


def assert_same(ours: Tensor, theirs: Tensor) -> None:
    assert theirs.std(0).max() > 1e-2
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def transferred(
    graph: mg.Graph, other: nn.Module, names: Mapping[str, str], **sizes: int
) -> tuple[Any, Any, mg.Transfer]:
    """Check that both give the same for the same inputs, with masks inverted, after the weights are loaded."""
    model = graph.compile().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transfer = graph.load_state(model, other, inputs=names)
    inputs = seeded_inputs(graph.typed, 3, 1, sizes)
    given = {
        names[name]: ~tensor if tensor.dtype == torch.bool else tensor
        for name, tensor in inputs.items()
        if name in names
    }
    return model(**inputs), other(**given), transfer


@pytest.mark.slow
@pytest.mark.parametrize("style", ENCODERS)
@pytest.mark.parametrize("part", [lambda model: model, lambda model: model.get_encoder()])
def test_the_encoder_of_whisper(style: str, part: Callable[[nn.Module], nn.Module]) -> None:
    graph = written(SPECS["the encoder of Whisper"], style, key_bias="false")
    model, theirs = graph.compile().eval(), made("Whisper")
    transfer = graph.load_state(model, part(theirs), inputs={"mel": "input_features"})
    assert (transfer.missing, transfer.equal) == ((), ("states",))
    mel = seeded_inputs(graph.typed, 3, 1, {})["mel"]
    with torch.no_grad():
        assert_same(model(mel=mel), theirs.get_encoder()(mel).last_hidden_state)


@pytest.mark.slow
@pytest.mark.parametrize("style", ENCODERS)
def test_vit(style: str) -> None:
    graph = written(SPECS["ViT"], style, eps="1e-6")
    ours, theirs, transfer = transferred(graph, made("ViT"), {"image": "pixel_values"})
    assert_same(ours, theirs.last_hidden_state)
    assert transfer.unused == ("pooler.dense.weight", "pooler.dense.bias")


@pytest.mark.parametrize("style", STYLES)
def test_gpt2(style: str) -> None:
    """The other model has one transposed matrix for queries, keys and values."""
    graph = written(SPECS["GPT-2"], style, act="GELU: tanh", causal=", is_causal: true")
    ours, theirs, transfer = transferred(graph, made("GPT-2"), {"text": "input_ids"}, T=9)
    assert_same(ours, theirs.last_hidden_state)
    assert (transfer.unused, transfer.equal) == ((), ("states",))
    assert transfer.mapping["places"] == "wpe.weight"


def test_whisper() -> None:
    """Its keys have no bias, so those rows of ours are zero. An Embedding takes a table, and a table takes one."""
    names = {"mel": "input_features", "text": "decoder_input_ids"}
    ours, theirs, transfer = transferred(mg.loads(SPECS["Whisper"]), made("Whisper"), names, T=9)
    assert_same(ours, theirs.last_hidden_state)
    assert transfer.mapping["places"] == "decoder.embed_positions.weight"
    assert transfer.mapping["written.1.cross.in_proj_bias"] == (
        "decoder.layers.1.encoder_attn.q_proj.bias",
        "decoder.layers.1.encoder_attn.v_proj.bias",
    )
    assert len(transfer.zeros) == 6


# --- the gallery ----------------------------------------------------------------------------------

SMALL = {"vocab": VOCAB, "width": WIDTH, "heads": HEADS, "depth": DEPTH}
BERT_NAMES = {"tokens": "input_ids", "segments": "token_type_ids", "padding": "attention_mask"}


class Given(NamedTuple):
    """A spec of the gallery, a model, our inputs by its names, and its outputs by ours."""

    graph: Callable[[], mg.Graph]
    other: Callable[[], nn.Module]
    names: Mapping[str, str]
    outputs: Mapping[str, str]
    sizes: Mapping[str, int]


GALLERY = {
    "bert_base": Given(
        lambda: gallery("bert_base", **SMALL, longest=40),
        lambda: made("BERT"),
        BERT_NAMES,
        {"states": "last_hidden_state", "pooled": "pooler_output"},
        {"T": 9},
    ),
    "gpt2": Given(
        lambda: gallery("gpt2", **SMALL, longest=40),
        lambda: made("GPT-2", "GPT2LMHeadModel"),
        {"tokens": "input_ids"},
        {"logits": "logits"},
        {"T": 9},
    ),
    "vit_b16": Given(
        lambda: gallery("vit_b16", width=WIDTH, heads=HEADS, depth=DEPTH, patch=32, classes=7),
        lambda: made("ViT", "ViTForImageClassification"),
        {"image": "pixel_values"},
        {"logits": "logits"},
        {},
    ),
    "t5_encoder": Given(
        lambda: gallery("t5_encoder", **SMALL),
        lambda: made("T5"),
        {"tokens": "input_ids", "padding": "attention_mask"},
        {"states": "last_hidden_state"},
        {"T": 140},  # beyond the last bucket
    ),
    "the encoder of the whole T5": Given(
        lambda: gallery("t5_encoder", **SMALL),
        lambda: made("T5", "T5Model"),
        {"tokens": "input_ids", "padding": "attention_mask"},
        {},  # compared below, as its decoder must be given ids, too
        {"T": 9},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("given", GALLERY.values(), ids=GALLERY)
def test_the_gallery_takes_hugging_face_weights(given: Given) -> None:
    graph = given.graph()
    if not given.outputs:
        model, other = graph.compile(), given.other()
        assert graph.load_state(model, other, inputs=given.names).equal == ("states",)
        return
    ours, theirs, transfer = transferred(graph, given.other(), given.names, **given.sizes)
    outputs = ours if isinstance(ours, dict) else dict.fromkeys(given.outputs, ours)
    assert transfer.missing == transfer.unused == transfer.zeros == ()
    for name, output in outputs.items():
        assert_same(output, theirs[given.outputs[name]])
    assert set(transfer.equal) == set(given.outputs)


def test_gpt2_without_its_head() -> None:
    """The graph's logits are its states times the embedding, as the head of the other model computes them."""
    graph = gallery("gpt2", **SMALL, longest=40)
    model, other = graph.compile().eval(), made("GPT-2")
    graph.load_state(model, other, inputs={"tokens": "input_ids"})
    tokens = seeded_inputs(graph.typed, 3, 1, {"T": 9})["tokens"]
    with torch.no_grad():
        states = other(input_ids=tokens).last_hidden_state
        assert_same(model(tokens=tokens), states @ other.wte.weight.T)


def test_clip_with_towers_of_one_width() -> None:
    """Each tensor of one tower has the shape of a tensor of the other."""
    names = {"image": "pixel_values", "text": "input_ids"}
    ours, theirs, transfer = transferred(mg.loads(SPECS["CLIP"]), made("CLIP"), names)
    assert_same(ours["image"], theirs.image_embeds)
    assert_same(ours["text"], theirs.text_embeds)
    assert_same(ours["scale"] * ours["image"] @ ours["text"].T, theirs.logits_per_image)
    assert transfer.unused == ()


# --- state dicts, dtypes, inputs ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bert_base", "gpt2", "t5_encoder"])
def test_a_state_dict_is_matched_by_names_and_order(name: str) -> None:
    """Biases show that the matrices are transposed."""
    given = GALLERY[name]
    graph, other = given.graph(), given.other()
    by_state, by_module = graph.compile(), graph.compile()
    graph.load_state(by_state, other.state_dict())
    graph.load_state(by_module, other, inputs=given.names)
    for key, tensor in by_module.state_dict().items():
        assert torch.equal(tensor, by_state.state_dict()[key]), key


def test_a_state_dict_of_keys_without_bias() -> None:
    graph, other = mg.loads(SPECS["Whisper"]), made("Whisper")
    model = graph.compile().eval()
    graph.load_state(model, other.state_dict())
    inputs = seeded_inputs(graph.typed, 3, 1, {"T": 9})
    with torch.no_grad():
        theirs = other(input_features=inputs["mel"], decoder_input_ids=inputs["text"])
        assert_same(model(**inputs), theirs.last_hidden_state)


@pytest.mark.slow
@pytest.mark.parametrize("ours", [torch.float32, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("theirs", [torch.float32, torch.bfloat16, torch.float64], ids=str)
def test_weights_in_other_dtypes(ours: torch.dtype, theirs: torch.dtype) -> None:
    """Each model keeps its dtype, and a head is recognised in any of them."""
    graph, other = written(SPECS["ViT"], "MultiheadAttention", eps="1e-6"), made("ViT").to(theirs)
    model = graph.compile().to(ours)
    transfer = graph.load_state(model, other, inputs={"image": "pixel_values"})
    assert transfer.equal == ("states",)
    weight = model.state_dict()["states.0.0.attended.out_proj.weight"]
    assert weight.dtype == ours
    assert torch.equal(weight, other.layers[0].attention.o_proj.weight.to(ours))


def test_padding_words_are_left_out_of_the_comparison() -> None:
    """RoBERTa counts positions without its padding word 1."""
    other = made("RoBERTa")
    other.embeddings.word_embeddings.padding_idx = other.embeddings.padding_idx = 1
    graph = mg.loads(SPECS["RoBERTa"].replace("LAYERS", f"{POST_NORM}, {POST_NORM}"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transfer = graph.load_state(graph.compile(), other, inputs={"text": "input_ids"})
    assert transfer.equal == ("states",)


@pytest.mark.parametrize(
    "names",
    [{"tokens": "input_ids"}, {"tokens": "input_ids", "segments": "token_type_ids"}],
    ids=["only one", "no mask"],
)
def test_inputs_without_a_name_are_left_out(names: dict[str, str]) -> None:
    graph = GALLERY["bert_base"].graph()
    assert graph.load_state(graph.compile(), made("BERT"), inputs=names).equal == (
        "states",
        "pooled",
    )


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ({"token": "input_ids"}, "the graph has no input 'token'; did you mean 'tokens'"),
        (
            {"tokens": "input_id"},
            "the forward of BertModel has no argument 'input_id'; did you mean 'input_ids'",
        ),
    ],
)
def test_names_that_do_not_exist(names: dict[str, str], says: str) -> None:
    graph = GALLERY["bert_base"].graph()
    with pytest.raises(ValueError, match=says):
        graph.load_state(graph.compile(), made("BERT"), inputs=names)


def test_a_warning_asks_for_names_of_inputs_given_by_position() -> None:
    graph = GALLERY["bert_base"].graph()
    model = graph.compile()
    says = r'give their names with inputs=\{"tokens": ..., "segments": ..., .* takes input_ids, '
    with pytest.warns(UserWarning, match=says):
        graph.load_state(model, made("BERT"))


# --- heads ----------------------------------------------------------------------------------------


def test_a_head_that_only_the_graph_has() -> None:
    graph, names = GALLERY["vit_b16"].graph(), {"image": "pixel_values"}
    model, other = graph.compile(), made("ViT")
    with pytest.raises(
        ValueError, match=r"(?s)no weights for: logits\.2\.weight .* it may be a head"
    ) as e:
        graph.load_state(model, other, inputs=names)
    assert "strict=False" in str(e.value)
    before = model.logits[2].weight.clone()
    transfer = graph.load_state(model, other, inputs=names, strict=False)
    assert transfer.missing == ("logits.2.weight", "logits.2.bias")
    assert transfer.unused == ("pooler.dense.weight", "pooler.dense.bias")
    assert torch.equal(before, model.logits[2].weight)
    assert torch.equal(model.logits[0].weight, other.layernorm.weight)


def test_unused_weights_are_an_error_except_of_a_head() -> None:
    """The graph has one layer fewer."""
    graph = gallery("bert_base", **SMALL | {"depth": 1}, longest=40)
    with pytest.raises(
        ValueError, match=r"unused weights: encoder\.layer\.\d\.attention\.self\.query"
    ):
        graph.load_state(graph.compile(), made("BERT"), inputs=BERT_NAMES)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_warning_names_outputs_that_differ_with_the_same_weights(dtype: torch.dtype) -> None:
    """The other model uses another GELU. Weights in bfloat16 are exact in float32, and so are the outputs."""
    graph = written(SPECS["GPT-2"], "MultiheadAttention", act="GELU", causal=", is_causal: true")
    with pytest.warns(
        UserWarning, match="outputs differ from outputs of the other model: states by"
    ):
        transfer = graph.load_state(
            graph.compile(), made("GPT-2").to(dtype), inputs={"text": "input_ids"}
        )
    assert transfer.equal == ()


# --- tables and projections the other way round ---------------------------------------------------


@pytest.mark.parametrize("shape", [(16, 32), (1, 16, 32)], ids=str)
def test_a_position_table_may_be_longer_or_begin_later_in_the_other_model(
    shape: tuple[int, ...],
) -> None:
    """BART's table has two rows before the first position, and our text has only 16 of its 20 positions."""
    other = made("BART")
    graph = mg.loads(f"""
inputs: {{text: {{shape: [16], vocab: 50}}}}
nodes:
  words: {{layer: Embedding, from: text, embedding_dim: 32}}
  places: {{parameter: {list(shape)}, init: {{normal: {{std: 0.02}}}}}}
  placed: {{merge: add, from: [words, places], broadcast: true}}
  states: {{from: placed, seq: [LayerNorm, {POST_NORM}, {POST_NORM}]}}
outputs: states
""")
    model = graph.compile()
    transfer = graph.load_state(model, other, inputs={"text": "input_ids"})
    assert transfer.mapping["places"] == "encoder.embed_positions.weight"
    assert torch.equal(model.places.view(16, 32), other.encoder.embed_positions.weight[2:18])
    assert transfer.equal == ("states",)


def test_a_longer_table_may_be_read_along_its_second_axis() -> None:
    text = """
inputs: {text: {shape: [T], vocab: 50}}
nodes:
  words: {layer: Embedding, from: text, embedding_dim: 32}
  places: {parameter: [1, 20, 32], init: zeros}
  unused: {parameter: [], init: 1.0}
  some: {layer: Slice, from: places, dim: 1, start: 0, end: $T}
  placed: {merge: add, from: [words, some], broadcast: true}
  states: {from: placed, seq: [LAYERS, LayerNorm]}
  out: {merge: multiply, from: [states, unused], broadcast: true}
outputs: out
"""
    graph = written(
        text, "one Linear, q v k", act="{GELU: {approximate: tanh}}", causal=", is_causal: true"
    )
    model, other = graph.compile(), made("GPT-2")
    with pytest.raises(ValueError, match=r"no weights for: unused \(\)\n"):
        graph.load_state(model, other, inputs={"text": "input_ids"})
    graph.load_state(model, other, inputs={"text": "input_ids"}, strict=False)
    assert torch.equal(model.places[0], other.wpe.weight[:20])


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("as_state", [False, True], ids=["module", "state"])
def test_from_multihead_attention(style: str, as_state: bool) -> None:
    text = "inputs: {x: [T, 32]}\nnodes:\n  states: {from: x, seq: [LAYERS, LayerNorm]}\noutputs: states"
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 4 * WIDTH, activation="gelu", batch_first=True, norm_first=True
    )
    other = nn.TransformerEncoder(layer, DEPTH, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
    randomise(other)
    graph = written(text, style)
    model = graph.compile().eval()
    if as_state and style != "MultiheadAttention":  # it could also be cut in another way
        with pytest.raises(ValueError, match="give the module itself"):
            graph.load_state(model, other.state_dict())
        return
    graph.load_state(model, other.state_dict() if as_state else other)
    x = torch.randn(3, 9, WIDTH)
    with torch.no_grad():
        assert_same(model(x=x), other.eval()(x))
