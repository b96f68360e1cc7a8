"""Handles, layers, merges and blocks in pickles: several in one pickle have their calls in common."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.ops import registry
from tests.builder.test_graph_records import from_handles
from tests.conftest import ROOT
from tests.helpers.handles import cell, image, residual
from tests.helpers.strategies import Spec, specs, to_yaml

tokens = layers.Linear(8)


@mg.block
def tower(x: mg.Tensor) -> mg.Tensor:
    """Share a layer that is called outside too."""
    return layers.ReLU()(tokens(x))


def again(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("protocol", [2, 5])
def test_what_a_handle_leads_to_is_the_same(protocol: int) -> None:
    x = mg.Input("x", (8,), doc="Features.")
    y = layers.Linear(4, activation=layers.ReLU)(x)
    z = merges.concat(y, mg.Parameter("p", (4,), init="zeros", batched=True))
    out = mg.Sequential(layers.Linear(3), layers.GELU(approximate="tanh"))(z, name="out")
    back = pickle.loads(pickle.dumps(out, protocol))
    assert (back.name, back.type, repr(back)) == (out.name, out.type, repr(out))
    assert mg.Graph(back) == mg.Graph(out)
    assert mg.Graph(back).source() == mg.Graph(out).source()


@pytest.mark.parametrize("layer", [layers.Linear, layers.LSTM, merges.concat, merges.formula])
def test_an_op_is_itself(layer: Any) -> None:
    assert again(layer) is layer
    assert copy.deepcopy(layer) is layer


class Halved(nn.Module):
    """A class of a user's."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / 2


def test_a_registered_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._OPS, "layer", dict(registry._OPS["layer"]))
    op = mg.register(Halved, name="PickledHalved")
    assert again(op) is op
    y = op()(mg.Input("x", (4,)))
    assert mg.Graph(again(y)) == mg.Graph(y)


def test_a_layer_makes_the_same_graph() -> None:
    tower = mg.Graph(layers.Linear(3)(mg.Input("v", (4,))), "Tower")
    shapes: dict[Any, tuple[int, ...]] = {
        layers.Linear(3): (4,),
        layers.Linear(3, activation=layers.GELU(approximate="tanh"), freeze=True): (4,),
        mg.Sequential(layers.Linear(3), layers.ReLU(), over=1): (4, 5),
        residual(stride=2): (8, 6, 6),
        residual(repeat=2): (8, 6, 6),
        mg.load(ROOT / "specs" / "resnet18.yaml").blocks["conv_bn"](width=8): (8, 6, 6),
        tower.as_layer(): (4,),
    }
    for layer, shape in shapes.items():
        x = mg.Input("x", shape)
        back = again(layer)
        assert repr(back) == repr(layer)
        assert mg.Graph(back(x)) == mg.Graph(layer(x)), layer


def test_handles_of_one_pickle_have_their_calls_in_common() -> None:
    x = mg.Input("x", (4,))
    shared = layers.Linear(4)
    left, right = shared(x), shared(layers.ReLU()(x))
    later = layers.Tanh()(left)
    handles = {"right": right, "later": later}
    back, layer = again((handles, shared))
    graph = mg.Graph(handles)
    assert mg.Graph(back) == graph
    assert mg.Graph(back).dumps() == graph.dumps()  # so the order of calls is the same
    third = mg.Graph([back["later"], layer(back["right"], name="third")])
    assert third.source().count("nn.Linear(") == 1
    # copies of separate pickles are apart
    one, other = again(left), again(left)
    assert one != other


def test_a_sequential_and_its_items() -> None:
    x, item = mg.Input("x", (4,)), layers.Linear(4)
    chain = mg.Sequential(item, layers.ReLU())
    y = chain(x)
    assert mg.Graph(again(chain)(x)) == mg.Graph(chain(x))
    item, y = again((item, y))
    with pytest.raises(mg.SpecError, match="is used already"):
        item(y)


def test_sizes_known_at_run_time() -> None:
    x = mg.Input("x", ("T", 4))
    y = merges.formula("a / n", a=layers.Linear(x.dims[1])(x), n=x.dims[0])
    assert mg.Graph(again(y)) == mg.Graph(y)


def test_a_graph_of_a_local_block() -> None:
    @mg.block
    def local(x: mg.Tensor) -> mg.Tensor:
        return layers.Linear(4)(x)

    graph = mg.Graph(local(mg.Input("x", (4,))))
    assert [*graph.blocks] == ["local"]
    back, handle = again((graph, graph["local"]))
    assert back == graph
    assert back["local"] == handle


def test_calls_after_a_pickle_come_after_those_in_it() -> None:
    x = mg.Input("x", (4,))
    y = layers.Linear(4)(x)
    data = pickle.dumps(y)
    before = mg.Input("before", (4,))
    back = pickle.loads(data)
    graph = mg.Graph(merges.add(before, layers.Linear(4)(again(layers.Linear(4)(back)))))
    assert [*graph.inputs] == ["before", "x"]
    assert [*graph.shapes][2:] == ["linear", "linear_1", "linear_2", "add"]


def test_blocks_and_the_layers_that_they_share() -> None:
    x = mg.Input("x", (8,))
    outs = [tower(tokens(x), name="a"), layers.Linear(2)(tower(x), name="b")]
    assert mg.Graph(again(outs)).source() == mg.Graph(outs).source()
    h, frames = mg.Input("h", (4,)), mg.Input("frames", ("T", 3))
    steps = cell(width=4).scan(x=frames, carry={"h": h}, name="steps")
    assert mg.Graph({"h": again(steps)["h"]}) == mg.Graph({"h": steps["h"]})
    fields = [mg.Input(name, vocab=5) for name in ("city", "day")]
    emb = layers.Embedding(4).each(*fields, name="emb")
    assert mg.Graph(again(merges.concat(*emb))) == mg.Graph(merges.concat(*emb))
    tower_graph = mg.Graph(layers.Linear(8)(mg.Input("v", (8,)), name="fc"), "Tower")
    twice = merges.add(tower_graph(x), tower_graph(layers.ReLU()(x)))
    assert mg.Graph(again(twice)).source() == mg.Graph(twice).source()


@settings(max_examples=10)
@given(specs())
def test_handles_of_a_random_graph(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    outputs = {one.name: graph[one.source.text] for one in graph.declared.outputs}
    assert mg.Graph(again(outputs), graph.name) == mg.Graph(outputs, graph.name)
    assert from_handles(again(graph)) == graph


@pytest.mark.slow
def test_a_long_chain() -> None:
    x = y = mg.Input("x", (4,))
    for _ in range(5_000):
        y = layers.ReLU()(y)
    back = again([x, y])
    assert len(mg.Graph(back[1]).shapes) == 5_001
    assert back[0].name == "x"
    nodes = "".join(f"  n{i}: {{layer: ReLU, from: n{i - 1}}}\n" for i in reversed(range(1, 2_000)))
    text = f"inputs: {{n0: [3]}}\nnodes:\n{nodes}outputs: n1999\n"
    graph = mg.loads(text)
    graph["n1999"]
    assert again(graph)["n1999"].name == "n1999"


def test_copies_of_handles_and_layers() -> None:
    x = mg.Input("x", (4,))
    layer = layers.Linear(4)
    y = layer(x)
    assert copy.copy(y) == copy.deepcopy(y) == y
    assert copy.copy(layer)(y).record.layer.uses is layer.uses
    assert copy.deepcopy(layer)(y).record.layer.uses is not layer.uses
    assert copy.deepcopy(residual) is copy.copy(residual) is residual


def test_what_cannot_be_pickled_says_why() -> None:
    @mg.block
    def local(x: mg.Tensor) -> mg.Tensor:
        return layers.Linear(4)(x)

    with pytest.raises(pickle.PicklingError, match="local cannot be pickled(.|\n)*top of a module"):
        pickle.dumps(local(repeat=2))

    @mg.block
    def saves(x: mg.Tensor) -> mg.Tensor:
        y = layers.Linear(4)(x)
        with pytest.raises(TypeError, match="was made inside the block saves"):
            pickle.dumps(y)
        return y

    saves(mg.Input("x", (4,)))


SCRIPT = """
import pickle, sys
import mimgraph as mg
from mimgraph import layers
with open(sys.argv[1], "rb") as file:
    handles, block, layer = pickle.load(file)
x = mg.Input("extra", (3, 32, 32))
out = layers.Linear(2)(layers.Flatten()(block(block(x, stride=2) + handles[0], stride=4)), name="head")
with open(sys.argv[1], "wb") as file:
    pickle.dump((handles, out, layer), file)
"""


@pytest.mark.slow
def test_a_handle_travels_to_another_process_and_back(tmp_path: Path) -> None:
    x = image()
    y = residual(x, stride=2)
    layer = layers.Linear(5)
    path = tmp_path / "handles.pickle"
    path.write_bytes(pickle.dumps(([y, residual(y)], residual, layer)))
    subprocess.run([sys.executable, "-c", SCRIPT, path], check=True, cwd=ROOT)
    (first, _), out, layer = pickle.loads(path.read_bytes())
    graph = mg.Graph([out, layer(layers.Flatten()(residual(first, stride=3)))])
    here = residual(residual(extra := mg.Input("extra", (3, 32, 32)), stride=2) + y, stride=4)
    assert extra.is_input
    head = layers.Linear(2)(layers.Flatten()(here), name="head")
    wanted = mg.Graph([head, layers.Linear(5)(layers.Flatten()(residual(y, stride=3)))])
    assert graph.outputs == wanted.outputs
    assert {*graph.compile().state_dict()} == {*wanted.compile().state_dict()}
