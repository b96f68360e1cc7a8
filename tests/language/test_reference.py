"""`mimgraph layers NAME`: an op, a key of a spec, or an option, as text and as data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

import mimgraph as mg
from mimgraph.diagnostics.codes import MANUAL
from mimgraph.ir.declared_graph import VALUE_OPTION
from mimgraph.ir.grammar import CONSTANTS, NODE_WORDS, OPS, PLACES
from mimgraph.language.keys import EVERY_KEY, KEYS, OPTIONS
from mimgraph.language.reference import KINDS
from mimgraph.language.reference_pages import describe, listing
from mimgraph.ops import registry
from tests.conftest import ROOT
from tests.helpers.cases import check_texts, each, texts
from tests.helpers.marked import faults


def test_the_pages(rewrite: bool) -> None:
    def page(words: str) -> str:
        name, width = words.split()
        return describe(name, width=int(width)) + "\n"

    check_texts(Path(__file__).with_name("pages.md"), page, rewrite)


LEFT_OUT = {"broadcast"}  # keys whose absence is refused
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


@each("place", [*UNKNOWN])
def test_every_key_that_the_reader_accepts_is_described(place: str) -> None:
    helps = [fault.help for fault in faults(UNKNOWN[place].replace("~~~~", "zzzz"))]
    (help,) = [one for one in helps if re.match("its keys: |give one of ", one)]
    accepted = re.sub("^.*?(keys:|one of) ", "", help).split(", ")
    assert accepted == [*((*OPS, *CONSTANTS) if place == "a node" else PLACES[place])]
    for key in accepted:
        assert describe(key).startswith(f"tensor {key}" if key in TENSORS else f"key {key}")


def test_every_key_of_a_node_and_every_common_option_is_described() -> None:
    assert set(KEYS) == {key for keys in PLACES.values() for key in keys if key}
    for key in (*NODE_WORDS, *CONSTANTS, *OPTIONS):
        assert describe(key).partition(" ")[0] in ("key", "tensor")


@each("name", [*EVERY_KEY])
def test_the_example_of_a_key_is_a_spec_with_that_key(name: str, tmp_path: Path) -> None:
    example = EVERY_KEY[name].example
    assert re.search(rf"(^|[{{ ]){name}:\s", example, re.MULTILINE)
    for path, text in {"spec.yaml": example, **EVERY_KEY[name].files}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    assert mg.load(tmp_path / "spec.yaml").source()


@each("name", [*EVERY_KEY])
def test_the_manual_explains_a_key_on_the_page_named(name: str) -> None:
    text = (ROOT / "docs" / "language" / f"{EVERY_KEY[name].page}.md").read_text()
    page = "index_" if name == "index" else name
    assert f"[`{name}`](keys/{page}.md)" in text


@each("name", [*EVERY_KEY])
def test_what_a_key_refuses_is_refused_so(name: str, tmp_path: Path) -> None:
    refused = EVERY_KEY[name].refused
    assert re.search(rf"(^|[{{ ]){name}:\s", refused.spec, re.MULTILINE) or name in LEFT_OUT
    (tmp_path / "spec.yaml").write_text(refused.spec)
    with pytest.raises(mg.SpecError) as caught:
        mg.load(tmp_path / "spec.yaml")
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.message) == (refused.code, refused.message)


def test_a_name_of_a_key_and_a_merge_describes_both() -> None:
    key, _, merge = describe("take").partition("\n\nmerge take\n")
    assert key.startswith("key take\n") and "(N, V, *), (N, K) -> (N, K, *)" in merge
    found = json.loads(describe("take", "json"))
    assert (found["kind"], found["merge"]["kind"]) == ("key", "merge")


@each("name", [*EVERY_KEY])
def test_a_key_as_json(name: str) -> None:
    entry = json.loads(describe(name, "json"))
    assert entry["name"] == name
    assert entry["explained"] == f"{MANUAL}language/{EVERY_KEY[name].page}.html"
    assert entry["refused"] == EVERY_KEY[name].refused._asdict()
    if entry["kind"] == "key":
        assert entry["summary"] == EVERY_KEY[name].about
        assert entry["places"] or entry["option_of"]
        assert entry["example"] == EVERY_KEY[name].example
    else:
        assert entry["kind"] == "tensor"


TYPOS, ELSEWHERE = (
    [line.split(" -> ") for line in lines.splitlines()]
    for (lines,) in texts(Path(__file__).with_name("reference_names.md")).values()
)


@each("typo, meant", TYPOS)
def test_a_typo_suggests_the_name(typo: str, meant: str) -> None:
    with pytest.raises(KeyError) as caught:
        describe(typo)
    message = f"no layer, merge or key is called {typo!r}"
    assert caught.value.args == (message, f"did you mean {meant}?")


@each("name, ours", ELSEWHERE)
def test_a_name_of_torch_or_keras_describes_our_op(name: str, ours: str) -> None:
    assert describe(name).split()[1] == ours
    assert json.loads(describe(name, "json"))["name"] == ours


def test_a_page_shows_the_names_in_torch_and_keras() -> None:
    title = describe("cat").splitlines()[0]
    assert title == (
        "merge concat (torch: torch.cat, torch.concatenate, torch.hstack; Keras: Concatenate)"
    )
    assert describe("gated").splitlines()[0] == "merge gated"
    data = json.loads(describe("Linear", "json"))
    assert (data["torch"], data["keras"]) == (["nn.Linear", "F.linear"], ["Dense"])


def test_a_registered_module_has_no_other_names() -> None:
    class Gate(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    mg.register(Gate)
    assert describe("Gate").splitlines()[0] == "layer Gate"


@each("width", [60, 80, 120])
def test_no_line_of_a_page_or_list_is_wider_than_the_terminal(width: int) -> None:
    names = [op.name for kind in KINDS for op in registry.ops(kind).values()]
    pages = [describe(name, width=width) for name in (*names, *EVERY_KEY, "kernel_size")]
    wide = [line for page in (*pages, listing(width=width)) for line in page.splitlines()]
    assert [line for line in wide if len(line) > width] == []


@each("name", ["Linear", "repeat", "kernel_size"])
def test_a_page_has_at_least_40_characters_in_a_line(name: str) -> None:
    assert describe(name, width=1) == describe(name, width=40)


def test_the_wrapped_example_of_an_op_is_the_same_yaml() -> None:
    text = describe("MultiheadAttention", width=60)
    example = text.partition("\nexample\n")[2].partition("\n\nexample in")[0]
    node = yaml.safe_load(example)["nodes"]["y"]
    assert node["from"] == {"query": "tokens", "key_padding_mask": "padding"}


def test_colors_change_no_character_of_a_page() -> None:
    colored = describe("Linear", width=80, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == describe("Linear", width=80)
    assert colored.startswith("\x1b[1mlayer Linear\x1b[0m (torch")


SEARCHES = {
    "attn": [
        *("MultiheadAttention", "attention", "attention_pool", "co_attention", "cross_attention"),
    ],
    "mha": ["MultiheadAttention"],
    "bn": ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"],
    "lstm cell": ["LSTMCell"],
    "GlobalAveragePooling2D": ["AdaptiveAvgPool2d"],
    "transpose conv": ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"],
    "freeze": ["freeze"],
    "fully connected": ["Linear"],
    "skip connection": ["add"],
    "one-hot": ["OneHot"],
}


@each("text", [*SEARCHES])
def test_a_search_finds_parts_and_abbreviations(text: str) -> None:
    found = [entry["name"] for entry in json.loads(listing("json", text))]
    assert found == SEARCHES[text]


def test_a_search_without_a_result_is_an_error() -> None:
    with pytest.raises(
        KeyError, match="no layer, merge or key has 'zzz' in its name or description"
    ):
        listing(searched="zzz")


def test_an_unknown_name_that_begins_many_says_how_to_list_them() -> None:
    with pytest.raises(KeyError) as caught:
        describe("conv")
    assert re.fullmatch(r"mimgraph layers --search conv finds \d+", caught.value.args[1])


OF_LIBRARIES = {
    "torchvision": "mimgraph layers --search torchvision. lists the models",
    "torchvision.fasterrcnn": "mimgraph layers --search torchvision. lists the models",
    "torchvision.resnet51": "did you mean torchvision.resnet50?",
    "features": "it is an option of models: mimgraph layers torchvision.resnet18",
    "config": "it is an option of models: mimgraph layers transformers.AutoModel",
}


@each("name", [*OF_LIBRARIES])
def test_a_name_of_a_library_says_where_its_models_are_listed(name: str) -> None:
    with pytest.raises(KeyError) as caught:
        describe(name)
    assert caught.value.args[1] == OF_LIBRARIES[name]


def test_an_option_lists_the_ops_that_have_it() -> None:
    text = describe("keepdim")
    assert text.startswith("option keepdim\n")
    assert re.search(r"^  Mean +false +true or false$", text, re.MULTILINE)
    entry = json.loads(describe("keepdim", "json"))
    assert {one["name"] for one in entry["option_of"]} >= {"Mean", "Sum", "distance"}
    assert "an option of  Expand, parameter, buffer" in describe("batched")


def test_an_option_with_the_name_of_a_layer_in_torch_describes_both() -> None:
    layer, _, option = describe("dropout").partition("\n\noption dropout\n")
    assert layer.startswith("layer Dropout (") and "  LSTM " in option
    assert describe("keepdim").startswith("option keepdim\n")
    found = json.loads(describe("dropout", "json"))
    assert found["name"] == "Dropout" and "LSTM" in [one["name"] for one in found["option_of"]]


def test_an_op_takes_precedence_over_an_option_or_key_of_its_name() -> None:
    assert describe("parameter").startswith("tensor parameter\n")
    assert f"explained in  {MANUAL}language/tensors.html" in describe("buffer")
    assert describe("Repeat").startswith("layer Repeat (")


def test_the_listing_ends_in_the_keys() -> None:
    ops, _, keys = listing().partition("\n\nKeys of a spec\n")
    assert "\n\nJoin\n  concat " in ops
    shown = re.findall(r"^  (\w+)", keys, re.MULTILINE)
    assert shown == [key for key in EVERY_KEY if registry.find("tensor", key) is None]
    entries = json.loads(listing("json"))
    assert len({(entry["kind"], entry["name"]) for entry in entries}) == len(entries)
    assert {entry["kind"] for entry in entries} == {*KINDS, "key"}
