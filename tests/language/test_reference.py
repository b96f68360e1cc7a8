"""`mimgraph layers NAME`: an op, a key of a spec, or an option, as text and as data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.ir.declared.operations import VALUE_OPTION
from mimgraph.ir.names import CONSTANTS, NODE_WORDS, OPS
from mimgraph.language.keys import KEYS, OPTIONS
from mimgraph.language.places import PLACES
from mimgraph.language.reference import EVERY_KEY, KINDS, describe, listing
from mimgraph.ops import registry
from tests.conftest import ROOT
from tests.helpers.marked import faults

REPEAT = """\
key repeat

How many times the block is applied in a row, with weights of its own each time; or `{times, shared, with, index, collect}`.

allowed in: a node, an item of a seq
explained in: README, What the language has, Repeats

example
  inputs: {x: [16]}
  blocks:
    step: {params: {rate: null}, seq: [{Linear: 16}, ReLU, {Dropout: $rate}]}
  nodes:
    thrice: {block: step, from: x, rate: 0.1, repeat: 3}
    once_more: {block: step, from: thrice, rate: 0.1, repeat: {times: 2, shared: true}}
    deeper: {block: step, from: once_more, repeat: {with: {rate: [0.1, 0.2, 0.3]}}}
  outputs: deeper"""


def test_the_text_of_a_key() -> None:
    assert describe("repeat") == REPEAT


TENSORS = tuple(VALUE_OPTION)  # ops that are keys as well

# specs with one unknown key, whose help lists the keys of that place
UNKNOWN = {
    "a spec": "~~~~: 1\n",
    "an input": "inputs: {x: {~~~~: 1}}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n",
    "a block": "blocks: {b: {~~~~: 1}}\ninputs: {x: [4]}\nnodes: {}\noutputs: x\n",
    "repeat": "inputs: {x: [4]}\nblocks: {b: {seq: [ReLU]}}\n"
    "nodes: {y: {block: b, from: x, repeat: {~~~~: 1}}}\noutputs: y\n",
    "an output": "inputs: {x: [4]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: {z: {~~~~: 1}}\n",
    "a node": "inputs: {x: [4]}\nnodes: {y: {from: x}}\noutputs: y\n",
}


@pytest.mark.parametrize("place", UNKNOWN)
def test_every_key_that_the_reader_accepts_is_described(place: str) -> None:
    helps = [fault.help for fault in faults(UNKNOWN[place].replace("~~~~", "zzzz"))]
    (help,) = [one for one in helps if re.match("its keys: |give one of ", one)]
    accepted = re.sub("^.*?(keys:|one of) ", "", help).split(", ")
    assert accepted == [*((*OPS, *CONSTANTS) if place == "a node" else PLACES[place])]
    for key in accepted:
        assert describe(key).startswith(f"tensor {key}" if key in TENSORS else f"key {key}")


def test_every_key_of_a_node_and_every_common_option_is_described() -> None:
    assert set(KEYS) == {key for keys in PLACES.values() for key in keys}
    for key in (*NODE_WORDS, *CONSTANTS, *OPTIONS):
        assert describe(key).partition(" ")[0] in ("key", "tensor")


@pytest.mark.parametrize("name", EVERY_KEY)
def test_the_example_of_a_key_is_a_spec_with_that_key(name: str, tmp_path: Path) -> None:
    example = EVERY_KEY[name].example
    assert re.search(rf"(^|[{{ ]){name}:\s", example, re.MULTILINE)
    for path, text in {"spec.yaml": example, **EVERY_KEY[name].files}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    assert mg.load(tmp_path / "spec.yaml").source()


@pytest.mark.parametrize("name", EVERY_KEY)
def test_the_readme_explains_a_key_in_the_paragraph_named(name: str) -> None:
    text = (ROOT / "README.md").read_text().partition("## What the language has")[2]
    paragraphs = re.findall(r"^- \*\*(.*?)\*\*(.*?)(?=^- |\n\n)", text, re.MULTILINE | re.DOTALL)
    found = [body for title, body in paragraphs if title == EVERY_KEY[name].paragraph]
    assert len(found) == 1
    assert re.search(rf"`[^`]*\b{name}\b", found[0]) or name in EVERY_KEY[name].paragraph.lower()


def test_a_name_of_a_key_and_a_merge_describes_both() -> None:
    key, _, merge = describe("take").partition("\n\nmerge take\n")
    assert key.startswith("key take\n") and "(N, V, *), (N, K) -> (N, K, *)" in merge
    found = json.loads(describe("take", "json"))
    assert (found["kind"], found["merge"]["kind"]) == ("key", "merge")


@pytest.mark.parametrize("name", EVERY_KEY)
def test_a_key_as_json(name: str) -> None:
    entry = json.loads(describe(name, "json"))
    assert entry["name"] == name
    assert entry["explained"] == f"README, What the language has, {EVERY_KEY[name].paragraph}"
    if entry["kind"] == "key":
        assert entry["summary"] == EVERY_KEY[name].about
        assert entry["places"] or entry["option_of"]
        assert entry["example"] == EVERY_KEY[name].example
    else:
        assert entry["kind"] == "tensor"


TYPOS = {
    "repaet": "repeat",
    "eahc": "each",
    "shrae": "share",
    "batchd": "batched",
    "Repaet": "Repeat",
    "froom": "from",
    "activaton": "activation",
    "frezee": "freeze",
    "Conv2": "Conv2d",
    "gatd": "gated",
    "kernel_sise": "kernel_size",
    "liner": "Linear",
    "concatenate": "concat",
    # names of torch and Keras
    "nn.Linear": "Linear",
    "torch.nn.Conv2d(3, 4, 3)": "Conv2d",
    "F.relu": "ReLU",
    "F.log_softmax": "LogSoftmax",
    "torch.cat": "concat",
    "torch.bmm": "matmul",
    "F.scaled_dot_product_attention": "attention",
    "Dense": "Linear",
    "GlobalAveragePooling2D": "AdaptiveAvgPool2d",
    "Conv2DTranspose": "ConvTranspose2d",
    "LayerNormalization": "LayerNorm",
}


@pytest.mark.parametrize("typo", TYPOS)
def test_a_typo_suggests_the_name(typo: str) -> None:
    with pytest.raises(KeyError) as caught:
        describe(typo)
    message = f"no layer, merge or key is called {typo!r}, did you mean {TYPOS[typo]}?"
    assert caught.value.args == (message,)


def test_an_option_lists_the_ops_that_have_it() -> None:
    text = describe("keepdim")
    assert text.startswith("option keepdim\n")
    assert re.search(r"^  Mean +false +true or false$", text, re.MULTILINE)
    entry = json.loads(describe("keepdim", "json"))
    assert {one["name"] for one in entry["option_of"]} >= {"Mean", "Sum", "distance"}
    assert "an option of: Expand, parameter, buffer" in describe("batched")


def test_an_option_mentions_the_layer_of_the_same_name() -> None:
    assert describe("dropout").endswith("\n\nthe layer of this name: Dropout")
    assert "the layer" not in describe("keepdim")


def test_an_op_takes_precedence_over_an_option_or_key_of_its_name() -> None:
    assert describe("parameter").startswith("tensor parameter\n")
    assert "explained in: README, What the language has, Tensors of the model" in describe("buffer")
    assert describe("Repeat").startswith("layer Repeat\n")


def test_the_listing_ends_in_the_keys() -> None:
    ops, _, keys = listing().partition("\n\nkeys of a spec\n")
    assert "merges: join" in ops
    shown = [line.split()[0] for line in keys.splitlines()]
    assert shown == [key for key in EVERY_KEY if registry.find("tensor", key) is None]
    entries = json.loads(listing("json"))
    assert len({(entry["kind"], entry["name"]) for entry in entries}) == len(entries)
    assert {entry["kind"] for entry in entries} == {*KINDS, "key"}
