"""The words `lr`, `weight_decay` and `freeze: until` take values that make sense, and say so otherwise."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers
from tests.helpers.cases import each
from tests.helpers.marked import faults

SPEC = """\
params: {{rate: -1, word: fast, some: true}}
inputs: {{x: [8], image: [3, 8, 8]}}
blocks:
  pair: {{params: {{slow: 1e-4}}, inputs: [x], nodes: {{first: {{layer: Linear, from: x, out_features: 8, lr: $slow}}, second: {{seq: [ReLU, {{Linear: 8}}], from: first}}}}, outputs: second}}
nodes:
  flat: {{layer: Flatten, from: image}}
  y: {node}
  z: {{merge: concat, from: [flat, y]}}
outputs: z
"""
NODE = "{{layer: Linear, from: x, out_features: 2, {}}}"


def test_the_help_lists_the_children() -> None:
    class Tower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Linear(8, 8)
            self.layer = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
            self.token = nn.Parameter(nn.init.zeros_(nn.Linear(8, 8).weight))

        def forward(self, x: Tensor) -> Tensor:
            return x

    mg.register(Tower)
    spec = "inputs: {x: [8]}\nnodes: {y: {layer: Tower, from: x, freeze: until UNTIL}}\noutputs: y"
    found = {}
    for until in ("layers", "norm", "layer.9"):
        (fault,) = faults(spec.replace("UNTIL", until))
        assert fault.code == "bad-option", until
        head, _, names = fault.help.partition(": ")
        found[until] = head, {*names.split(", ")} if names else set()
    assert found == {
        "layers": ("did you mean layer?", set()),
        "norm": ("its children", {"conv", "layer", "token"}),
        "layer.9": ("its children", {"0", "1"}),
    }


@each(
    "options, message",
    [
        ({"lr": -1}, "lr must be at least 0, not -1"),
        ({"lr": "fast"}, "lr must be a number or a multiple, not 'fast'"),
        ({"weight_decay": "0"}, "weight_decay must be a number, not '0'"),
        ({"freeze": "until it"}, "y has no child 'it'"),
        ({"freeze": "layer3"}, 'freeze must be True, False or "until CHILD", not'),
    ],
)
def test_a_wrong_value_in_python(options: dict[str, object], message: str) -> None:
    with pytest.raises(mg.SpecError) as caught:
        layers.Linear(4, **options)(mg.Input("x", (8,)), name="y")  # type: ignore[arg-type]
    assert message in str(caught.value) and "test_training.py" in str(caught.value)


def test_the_words_are_shown() -> None:
    text = SPEC.format(
        node="{block: pair, from: x, lr: 0.1x, weight_decay: 0, freeze: until second.1}"
    ).replace("rate: -1", "rate: 1")
    graph = mg.loads(text)
    options = graph.nodes["y"].options
    assert (options["lr"], options["weight_decay"]) == ("0.1x", 0)
    assert options["freeze"] == "until second.1"
    words = "pair, frozen until second.1, lr 0.1x, weight_decay 0"
    assert words in graph.summary().text(200).replace("0.0", "0")
    assert mg.loads(graph.dumps()) == graph


def test_diff_and_equality_see_the_words() -> None:
    old, new = (
        mg.loads(SPEC.format(node=NODE.format(words)).replace("rate: -1", "rate: 1"))
        for words in ("lr: 0.1x, freeze: until weight", "lr: 1e-3, weight_decay: 0")
    )
    assert old != new
    text = str(mg.diff(old, new))
    assert "lr 0.1x → 0.001" in text and "weight_decay none → 0" in text
    assert "no longer frozen" in text


def test_graph_edits_keep_set_and_drop_the_words() -> None:
    graph = mg.loads(SPEC.format(node=NODE.format("lr: 0.1x")).replace("rate: -1", "rate: 1"))
    tuned = graph.with_options("y", bias=False, weight_decay=0, freeze="until weight")
    options = tuned.nodes["y"].options
    assert [options[word] for word in ("lr", "weight_decay", "freeze", "bias")] == [
        "0.1x", 0, "until weight", False,
    ]  # fmt: skip
    plain = tuned.with_options("y", lr=None, weight_decay=..., freeze=False, bias=True)
    assert not plain.nodes["y"].options.keys() & {"lr", "weight_decay", "freeze"}
    assert graph.replace("y", layers.Linear(2)) == plain
