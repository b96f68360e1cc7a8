"""Frozen modules get no gradients and stay in evaluation mode, whatever the rest of the model does."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges
from tests.emit.test_golden import assert_ruff_leaves
from tests.helpers.cases import each, texts

BLOCKS = """\
params: {still: true, learns: false}
blocks:
  conv_bn: {params: {width: 4}, seq: [{Conv2d: {out_channels: $width, kernel_size: 3}}, BatchNorm2d, {Dropout: 0.5}]}
  head: {seq: [{BatchNorm2d: {freeze: true}}, {Conv2d: {out_channels: 4, kernel_size: 1}}]}
  norm: {seq: [BatchNorm2d]}
  choice: {params: {still: $learns}, seq: [{BatchNorm2d: {freeze: $still}}, {Conv2d: {out_channels: 3, kernel_size: 1}}]}
  pair:
    inputs: [x]
    nodes:
      a: {block: conv_bn, from: x, freeze: true}
      b: {block: conv_bn, from: a, width: 5}
    outputs: b
"""
# by name: the nodes of a spec with its output, and the modules that are frozen
CASES = texts(Path(__file__).with_name("freeze.md"))


def graph_of(case: str) -> mg.Graph:
    nodes, _ = CASES[case]
    inputs = "image: [3, 8, 8]" if "image" in nodes else "table: [5]"
    if "given" in nodes:
        inputs += ", given: {shape: [], dtype: bool}"
    return mg.loads(f"inputs: {{{inputs}}}\n{BLOCKS}{nodes}")


def is_below(name: str, prefixes: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def training(model: nn.Module) -> Iterator[str]:
    return (name for name, module in model.named_modules() if module.training)


@each("case", [*CASES])
def test_freezes_these_modules_and_no_other(case: str) -> None:
    frozen = {*CASES[case][1].split()}
    graph = graph_of(case)
    model = graph.compile()
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad != is_below(name, frozen), name
    modules = {name for name, _ in model.named_modules()}
    thawed = {name for name in modules if not is_below(name, frozen)}
    for ready in (model, model.eval().train(), copy.deepcopy(model), copy.deepcopy(model).train()):
        assert set(training(ready)) == thawed
    assert not set(training(model.eval()))
    # a dump keeps what is frozen
    assert mg.loads(graph.dumps()) == graph
    assert mg.loads(graph.dumps()).source() == graph.source()
    thawed_spec = re.sub(r"freeze: (true|\$\w+)", "freeze: false", graph.dumps())
    assert (mg.loads(thawed_spec) == graph) == (not frozen)


def test_a_frozen_buffer_needs_no_call() -> None:
    assert "requires_grad" not in graph_of("buffer").source()


def test_ruff_leaves_the_source_as_it_is(tmp_path: Path) -> None:
    for number, case in enumerate(CASES):
        (tmp_path / f"case_{number}.py").write_text(graph_of(case).source())
    assert_ruff_leaves(tmp_path)


def test_a_training_step_changes_nothing_frozen() -> None:
    graph = mg.loads(
        "inputs: {image: [3, 8, 8]}\n"
        "nodes:\n"
        "  backbone: {from: image, seq: [{Conv2d: {out_channels: 4, kernel_size: 3}}, BatchNorm2d], freeze: true}\n"
        "  norm: {layer: BatchNorm2d, from: backbone}\n"
        "  head: {from: norm, seq: [Flatten, {Linear: 1}]}\n"
        "outputs: head\n"
    )
    model = graph.compile().train()
    before = copy.deepcopy(model.state_dict())
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(learned, lr=0.1)
    model(image=torch.randn(4, 3, 8, 8)).sum().backward()
    optimizer.step()
    changed = {
        k.partition(".")[0] for k, v in model.state_dict().items() if not torch.equal(v, before[k])
    }
    assert changed == {"norm", "head"}


def test_the_summary_counts_frozen_and_trainable_weights() -> None:
    graph = mg.loads(
        "inputs: {x: [5]}\n"
        "blocks: {pair: {seq: [{Linear: {out_features: 5, freeze: true}}, {Linear: 5}]}}\n"
        "nodes:\n"
        "  a: {layer: Linear, from: x, out_features: 5, freeze: true}\n"
        "  b: {block: pair, from: a, repeat: 2}\n"
        "  c: {share: a, from: b}\n"
        "outputs: c\n"
    )
    model, summary = graph.compile(), graph.summary()
    assert summary.frozen == sum(p.numel() for p in model.parameters() if not p.requires_grad) == 90
    assert "Total: 150 parameters (90 frozen, 600 B), " in str(summary)
    assert "Linear, frozen" in str(summary)


# --- in Python ------------------------------------------------------------------------------------


@mg.block
def twice(x: mg.Tensor, *, frozen: bool = False) -> mg.Tensor:
    return layers.Linear(5)(layers.Linear(5, freeze=frozen)(x, name="a"), name="b")


def test_every_layer_merge_block_and_sequential_can_be_frozen() -> None:
    x = mg.Input("x", (5,))
    a = layers.Linear(5, activation="ReLU", freeze=True)(x, name="a")
    b = merges.bilinear(a, x, out_features=5, freeze=True, name="b")
    c = mg.Sequential(layers.Linear(5), twice(), freeze=True)(b, name="c")
    d = mg.Sequential(layers.Linear(5, freeze=True), twice(freeze=True), layers.Linear(5))(
        c, name="d"
    )
    e = twice(freeze=True, repeat=2)(d, name="e")
    f = twice(e, frozen=True, name="f")
    graph = mg.Graph(f)
    model = graph.compile()
    learned = {n.rpartition(".")[0] for n, p in model.named_parameters() if p.requires_grad}
    assert learned == {"d.2", "f.b"}
    assert mg.loads(graph.dumps()) == graph
    assert mg.loads(graph.dumps()).source() == graph.source()


def test_an_each_of_a_frozen_layer_is_frozen() -> None:
    x, y = mg.Input("x", (5,)), mg.Input("y", (5,))
    a = layers.Linear(5, freeze=True).each(x, y, name="a")
    b = mg.Sequential(layers.Linear(5), freeze=True).each(*a, name="b")
    c = twice(freeze=True).each(*b, name="c")
    graph = mg.Graph(merges.add(*c))
    assert not any(p.requires_grad for p in graph.compile().parameters())
    assert mg.loads(graph.dumps()) == graph


def test_a_shared_layer_stays_frozen() -> None:
    encode = layers.Linear(5, freeze=True)
    graph = mg.Graph(encode(encode(mg.Input("x", (5,)))))
    assert "linear_1: {share: linear, from: linear}" in graph.dumps()
    assert not any(p.requires_grad for p in graph.compile().parameters())


@each(
    "made",
    [
        lambda: layers.Linear(5, freeze="yes"),  # type: ignore[arg-type]
        lambda: mg.Sequential(layers.ReLU(), freeze=1),  # type: ignore[arg-type]
        lambda: mg.Sequential(layers.Linear(5, freeze=None)),  # type: ignore[arg-type]
        lambda: twice(freeze=0),
    ],
)
def test_freeze_is_true_or_false(made: Callable[[], mg.Sequential]) -> None:
    layer = made()
    with pytest.raises(mg.SpecError, match="freeze must be True, False or") as caught:
        layer(mg.Input("x", (5,)))
    assert caught.value.diagnostics[0].code == "wrong-type"
