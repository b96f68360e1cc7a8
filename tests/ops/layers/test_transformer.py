"""Checks the Transformers: their masks, their code, their faults."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault
from tests.ops.layers.oracle import build, infer, results, tensor

X, MEMORY = tensor(5, 6), tensor(4, 6)
STACK = {"nhead": 2, "num_layers": 2, "dim_feedforward": 7}


@pytest.mark.parametrize(
    ("layer", "options", "flag"),
    [
        ("MultiheadAttention", {"num_heads": 2}, "is_causal"),
        ("MultiheadAttention", {"num_heads": 2, "add_bias_kv": True}, "is_causal"),
        ("TransformerEncoderLayer", {"nhead": 2}, "is_causal"),
        ("TransformerEncoder", STACK, "is_causal"),
        ("TransformerDecoderLayer", {"nhead": 2}, "tgt_is_causal"),
        ("TransformerDecoder", STACK, "tgt_is_causal"),
        ("Transformer", {"nhead": 2, "dim_feedforward": 7}, "tgt_is_causal"),
    ],
)
def test_causal_attention_ignores_later_steps(
    layer: str, options: dict[str, Any], flag: str
) -> None:
    torch.manual_seed(0)
    key = "query" if layer == "MultiheadAttention" else flag.removesuffix("is_causal") or "src"
    key = key.removesuffix("_")
    others = {"TransformerD": {"memory": MEMORY}, "Transformer": {"src": MEMORY}}
    rest = others.get(layer[:12] if layer[11:12] == "D" else layer, {})
    sources = {key: X, **rest}
    lowering = infer(layer, sources, **options, **{flag: True})
    module = build(lowering)
    assert module is not None
    x, extra = torch.rand(2, 5, 6), {name: torch.rand(2, 4, 6) for name in rest}
    changed = x.clone()
    changed[:, 3:] += 1
    first, second = (
        next(iter(results(lowering, {**extra, key: one}, module.eval(), {}).values()))[0]
        for one in (x, changed)
    )
    torch.testing.assert_close(first[:, :3], second[:, :3])
    assert not torch.allclose(first[:, 3:], second[:, 3:])


def test_a_padding_mask_hides_keys_in_training_and_eval() -> None:
    sources = {"src": X, "src_key_padding_mask": tensor(5, dtype="bool")}
    lowering = infer("TransformerEncoder", sources, **STACK, dropout=0.0)
    module, x = build(lowering), torch.rand(2, 5, 6)
    assert module is not None
    mask = torch.tensor([[False, False, False, True, True], [False] * 5])
    changed = x.clone()
    changed[0, 3:] += 1
    for training in (True, False):
        module.train(training)
        with torch.no_grad():
            first, second = (
                results(lowering, {"src": one, "src_key_padding_mask": mask}, module, {})[""][0]
                for one in (x, changed)
            )
        torch.testing.assert_close(first[0, :3], second[0, :3])


def test_the_help_for_a_mask_of_0_and_1_hides_where_it_is_0() -> None:
    graph = mg.loads("""
inputs: {x: [5, 6], known: {shape: [5], dtype: int64}}
nodes:
  padding: {merge: formula, expr: m == 0, from: {m: known}}
  y: {layer: MultiheadAttention, from: {query: x, key_padding_mask: padding}, num_heads: 2}
outputs: y
""")
    model, x = graph.compile(), torch.rand(2, 5, 6)
    changed = x.clone()
    changed[0, 3:] += 1
    known = torch.tensor([[1, 1, 1, 0, 0], [1] * 5])
    first, second = (model(x=one, known=known) for one in (x, changed))
    torch.testing.assert_close(first[0, :3], second[0, :3])
    everything = (model(x=one, known=torch.ones_like(known)) for one in (x, changed))
    with pytest.raises(AssertionError):
        torch.testing.assert_close(*(one[0, :3] for one in everything))


FLOATS = {
    "an input": ("m: [5]", ""),
    "computed": ("m: {shape: [5], dtype: int64}", "{merge: formula, expr: (1 - m) * -1e9, from: [m]}"),
    "filled": ("m: {shape: [5], dtype: bool}", "{merge: masked_fill, from: [zeros, m], value: -.inf}"),
}  # fmt: skip


@pytest.mark.parametrize(("declared", "node"), FLOATS.values(), ids=FLOATS)
def test_a_float_mask_that_is_a_bias_is_legal(declared: str, node: str) -> None:
    made = f"  bias: {node}\n" if node else ""
    if "zeros" in node:
        made = "  zeros: {layer: Cast, from: m, dtype: float32}\n" + made
    for layer, query, mask in (
        ("MultiheadAttention, num_heads: 2", "query", "key_padding_mask"),
        ("TransformerEncoderLayer, nhead: 2", "src", "src_key_padding_mask"),
    ):
        spec = f"""
inputs: {{x: [5, 6], {declared}}}
nodes:
{made}  y: {{layer: {layer}, from: {{{query}: x, {mask}: {"bias" if node else "m"}}}}}
outputs: y
"""
        assert str(mg.loads(spec).shapes["y"]) == "(N, 5, 6)"


ZEROS_AND_ONES = [
    ("bool", "key_padding_mask"),
    ("int64", "key_padding_mask"),
    ("uint8", "key_padding_mask"),
    ("bool", "attn_mask"),
]


@pytest.mark.parametrize(("dtype", "name"), ZEROS_AND_ONES)
def test_a_float_mask_that_was_cast_from_0_and_1_is_refused(dtype: str, name: str) -> None:
    dims = (5,) if name == "key_padding_mask" else (5, 5)
    mask = TensorType(dims, dtype, batched=name == "key_padding_mask")
    for steps in (
        ("float32",),
        ("float64", "float32"),
    ):  # a mask that was cast twice is still of 0 and 1
        cast = mask
        for step in steps:
            cast = infer("Cast", cast, dtype=step).results[""]
        with pytest.raises(OpFault, match="where 0 and 1 hide nothing") as caught:
            infer("MultiheadAttention", {"query": X, name: cast}, num_heads=2)
        assert caught.value.source == name


def test_a_mask_that_was_cast_is_refused_where_a_block_has_taken_a_bias() -> None:
    spec = """
inputs: {x: [5, 8], bias: [5], known: {shape: [5], dtype: int64}}
blocks:
  step:
    inputs: [t, m]
    nodes:
      y: {layer: MultiheadAttention, from: {query: t, key_padding_mask: m}, num_heads: 4}
    outputs: y
nodes:
  mask: {layer: Cast, from: known, dtype: float32}
  one: {block: step, from: [x, bias]}
  two: {block: step, from: [one, mask]}
outputs: two
"""
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(spec)
    assert [(d.code, d.note) for d in caught.value.diagnostics] == [
        ("dtype-mismatch", "cast from int64")
    ]


def test_a_bias_of_integers_may_be_cast() -> None:
    distance = infer("Cast", TensorType((5, 5), "int64", batched=False), dtype="float32").results[
        ""
    ]
    infer("MultiheadAttention", {"query": X, "attn_mask": distance}, num_heads=2)


SPEC = """
inputs: {x: [10, 64], y: [T, 64]}
nodes:
  encoder: {layer: TransformerEncoder, from: x, nhead: 4, num_layers: 2, norm: LayerNorm}
  decoder: {layer: TransformerDecoder, from: [y, encoder], nhead: 8, num_layers: 3, activation: gelu}
  whole: {layer: Transformer, from: [encoder, decoder], num_encoder_layers: 1}
outputs: whole
"""


def test_the_code_of_a_stack_contains_its_layer() -> None:
    source = mg.loads(SPEC).source()
    assert (
        """
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(64, 4, batch_first=True),
            num_layers=2,
            norm=nn.LayerNorm(64),
        )
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(64, 8, activation="gelu", batch_first=True),
            num_layers=3,
        )
        self.whole = nn.Transformer(64, num_encoder_layers=1, batch_first=True)
"""
        in source
    )
    assert "self.decoder(y, encoder)" in source or "self.decoder(y, x)" in source


def test_the_weights_equal_torchs_under_the_same_seed() -> None:
    graph = mg.loads(SPEC)
    torch.manual_seed(0)
    found = graph.compile().state_dict()
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(64, 4, batch_first=True)
    expected = nn.TransformerEncoder(layer, 2, nn.LayerNorm(64)).state_dict()
    for name, weight in expected.items():
        assert torch.equal(found[f"encoder.{name}"], weight)


@pytest.mark.slow
def test_a_causal_stack_compiles_whole() -> None:
    graph = mg.loads("""
inputs: {x: [T, 8]}
nodes: {y: {layer: TransformerEncoder, from: x, nhead: 2, num_layers: 1, is_causal: true}}
outputs: y
""")
    model = graph.compile().eval()
    exported = torch.export.export(
        model,
        (),
        {"x": torch.rand(2, 5, 8)},
        dynamic_shapes={"x": {1: torch.export.Dim("t", min=2)}},
    )
    x = torch.rand(2, 7, 8)
    torch.testing.assert_close(exported.module()(x=x), model(x=x), rtol=1e-4, atol=1e-4)


# activation: the option that these layers have, not the word of every node


def test_activation_is_an_option_of_transformer_layers() -> None:
    node = "{layer: TransformerEncoderLayer, from: x, nhead: 2, activation: gelu}"
    spec = mg.loads(f"inputs: {{x: [5, 8]}}\nnodes: {{y: {node}}}\noutputs: y")
    x = mg.Input("x", (5, 8))
    built = mg.Graph(layers.TransformerEncoderLayer(2, activation="gelu")(x, name="y"))
    assert spec == built
    assert mg.loads(built.dumps()) == built
    assert "return self.y(x)" in built.source()
    assert 'activation="gelu"' in built.source()


def test_activation_is_an_option_of_transformer_layers_in_a_chain() -> None:
    spec = "inputs: {x: [5, 8]}\nnodes: {y: {from: x, seq: [%s]}}\noutputs: y"
    item = "{TransformerEncoderLayer: {nhead: 2, activation: gelu}}"
    source = mg.loads(spec % item).source()
    assert 'nn.TransformerEncoderLayer(8, 2, activation="gelu", batch_first=True)' in source


@pytest.mark.parametrize(
    ("given", "code", "within"),
    [
        ("activation: tanh", "bad-option", "tanh"),
        ("activation: {gelu: {approximate: tanh}}", "bad-option", "gelu"),
        ("d_model: 6", "inferred-conflict", "6"),
        ("norm: BatchNorm1d", "bad-option", "BatchNorm1d"),
        ("batch_first: true", "unknown-option", "batch_first"),
    ],
)
def test_the_place_of_a_fault(given: str, code: str, within: str) -> None:
    line = f"  y: {{layer: TransformerEncoder, from: x, nhead: 2, num_layers: 1, {given}}}"
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(f"inputs: {{x: [5, 8]}}\nnodes:\n{line}\noutputs: y")
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.span.line) == (code, 3)
    assert line[fault.span.column - 1 : fault.span.end_column - 1] == within
