"""A concat that skips missing sources: its size is known only at run time, and equal sums are equal sizes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.cost.choose_sizes import choose_sizes
from tests.helpers.cases import each
from tests.helpers.marked import locations, split

SPEC = """\
inputs:
  words: {shape: [S, 8]}
  image: {shape: [5, 8], optional: true}
  audio: {shape: [A, 8], optional: true}
nodes:
  seen: {merge: formula, from: {w: words}, expr: w > 0}
  word_mask: {layer: Max, from: seen, dim: -1}
  looks: {merge: formula, from: {w: image}, expr: w > 0}
  image_mask: {layer: Max, from: looks, dim: -1}
  hears: {merge: formula, from: {w: audio}, expr: w > 0}
  audio_mask: {layer: Max, from: hears, dim: -1}
  tokens: {merge: concat, from: [words, image, audio], missing: skip}
  mask: {merge: concat, from: [audio_mask, word_mask, image_mask], missing: skip}
  back: {merge: concat, from: [audio, words, image], missing: skip}
  joined: {merge: attention, from: {query: tokens, key: back, value: back, mask: mask}}
  conv: {from: joined, seq: [{Transpose: {dim0: 1, dim1: 2}}, {Conv1d: {out_channels: 3, kernel_size: 4}}]}
outputs: {joined: joined, conv: conv}
"""


def by_hand(words: Tensor, image: Tensor | None, audio: Tensor | None) -> Tensor:
    tokens = torch.cat([x for x in (words, image, audio) if x is not None], 1)
    back = torch.cat([x for x in (audio, words, image) if x is not None], 1)
    mask = (back > 0).amax(-1)
    return F.scaled_dot_product_attention(tokens, back, back, attn_mask=mask[:, None])


@each("image", [False, True])
@each("audio", [False, True])
def test_a_model_joins_what_is_given(image: bool, audio: bool) -> None:
    graph = mg.loads(SPEC)
    inputs = {"words": torch.randn(2, 7, 8)}
    inputs |= {"image": torch.randn(2, 5, 8)} if image else {}
    inputs |= {"audio": torch.randn(2, 3, 8)} if audio else {}
    model = graph.compile(check=True)
    found = model(**inputs)
    expected = by_hand(inputs["words"], inputs.get("image"), inputs.get("audio"))
    torch.testing.assert_close(found["joined"], expected)
    torch.testing.assert_close(found["conv"], model.conv(expected))
    exported = torch.export.export(model, (), inputs).module()
    torch.testing.assert_close(exported(**inputs)["joined"], expected)


def test_equal_sums_are_one_size_named_by_the_first_node() -> None:
    graph = mg.loads(SPEC)
    names = ("tokens", "mask", "back", "joined", "conv")
    size = "tokens"
    assert [str(graph.shapes[name]) for name in names] == [
        f"(N, {size}, 8)",
        f"(N, {size})",
        f"(N, {size}, 8)",
        f"(N, {size}, 8)",
        f"(N, 3, {size} - 3)",
    ]
    assert mg.loads(graph.dumps()) == graph and choose_sizes(graph.typed, {})["tokens"] >= 4
    assert {"tokens", "mask"} <= {*graph.split(["joined"])[1].typed.body.inputs}


# nodes in which `mask` is joined in another way than `tokens`, of the same lengths
JOINED_ALIKE = {
    "step by step": "some: {merge: concat, from: [words, image], missing: skip}\n  tokens: {merge: concat, from: [some, audio], missing: skip}\n  mask: {merge: concat, from: [audio_mask, word_mask, image_mask], missing: skip}",
    "mask step by step": "tokens: {merge: concat, from: [words, image, audio], missing: skip}\n  some: {merge: concat, from: [image_mask, audio_mask], missing: skip}\n  mask: {merge: concat, from: [word_mask, some], missing: skip}",
    "what is always given first": "both: {merge: concat, from: [word_mask, word_mask]}\n  tokens: {merge: concat, from: [words, image, words, audio], missing: skip}\n  mask: {merge: concat, from: [both, image_mask, audio_mask], missing: skip}",
    "what one input gives first": "both: {merge: concat, from: [image_mask, image_mask]}\n  tokens: {merge: concat, from: [words, image, image, audio], missing: skip}\n  mask: {merge: concat, from: [word_mask, both, audio_mask], missing: skip}",
}


@each("nodes", JOINED_ALIKE)
@each("image", [False, True])
def test_equal_lengths_are_one_size_however_they_are_joined(nodes: str, image: bool) -> None:
    text = SPEC[: SPEC.index("  tokens:")] + (
        f"  {nodes}\n  joined: {{merge: attention, from: {{query: words, key: tokens, value: tokens, mask: mask}}}}\n"
        "outputs: joined\n"
    )
    graph = mg.loads(text)
    assert graph.shapes["tokens"][1] == graph.shapes["mask"][1]
    inputs = {"words": torch.randn(2, 7, 8)} | ({"image": torch.randn(2, 5, 8)} if image else {})
    assert graph.compile(check=True)(**inputs).shape == (2, 7, 8)
    assert mg.loads(graph.dumps()) == graph


def test_lengths_that_count_at_other_times_are_two_sizes() -> None:
    text = SPEC.replace(
        "[audio_mask, word_mask, image_mask]", "[audio_mask, word_mask, audio_mask]"
    )
    assert "shape-mismatch" in [line.split()[0] for line in locations(text)]


def test_a_graph_built_in_python_equals_the_spec() -> None:
    words, image = mg.Input("words", ("S", 8)), mg.Input("image", (5, 8), optional=True)
    tokens = merges.concat(words, image, missing="skip", name="tokens")
    turned = merges.concat(image, words, missing="skip", name="turned")
    graph = mg.Graph(merges.add(tokens, layers.ReLU()(turned, name="relu"), name="sum"))
    text = """\
inputs: {words: [S, 8], image: {shape: [5, 8], optional: true}}
nodes:
  tokens: {merge: concat, from: [words, image], missing: skip}
  turned: {merge: concat, from: [image, words], missing: skip}
  relu: {layer: ReLU, from: turned}
  sum: {merge: add, from: [tokens, relu]}
outputs: sum
"""
    assert graph == mg.loads(text) == mg.loads(graph.dumps())
    assert str(tokens.shape) == "(N, sum_S_5_if_image, 8)"


INPUTS = "inputs: {x: [8], y: {shape: [8], optional: true}, z: {shape: [8], optional: true}}\n"
KNOWN = {
    "all are given": "n: {merge: concat, from: [x, x], missing: skip}\n  m: {merge: add, from: [x, y, z], missing: skip}",
    "all are missing at once": "o: {merge: concat, from: [y, y], missing: skip}\n  n: {layer: Fill, from: o, value: zeros}\n  m: {merge: add, from: [x, z], missing: skip}",
}


@each("nodes", KNOWN)
def test_the_size_is_known_if_no_source_is_missing_without_the_others(nodes: str) -> None:
    graph = mg.loads(f"{INPUTS}nodes:\n  {nodes}\noutputs: [n, m]\n")
    assert str(graph.shapes["n"]) == "(N, 16)"


def test_a_block_has_one_size() -> None:
    spec = """\
inputs: {x: [8], y: {shape: [8], optional: true}}
blocks:
  b: {inputs: [p, q], nodes: {n: {merge: concat, from: [p, q], missing: ⟦symbolic-size⟧skip}}, outputs: n}
nodes:
  m: {block: b, from: [x, y]}
outputs: m
"""
    text, expected = split(spec)
    assert locations(text) == expected
    assert str(mg.loads(text.replace(", optional: true", "")).shapes["m"]) == "(N, 16)"
