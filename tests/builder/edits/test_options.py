"""`graph.with_options` sets options of a node, and keeps the others."""

from __future__ import annotations

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.edited import GRAPH, changed_lines

# the node, its options, and the line that is new
CASES: dict[str, tuple[str, dict[str, object], str]] = {
    "an option": (
        "head",
        {"out_features": 3},
        "head: {layer: Linear, from: fused, out_features: 3}",
    ),
    "a word": (
        "fc1",
        {"activation": "GELU"},
        "fc1: {layer: Linear, from: numeric, out_features: $hidden, activation: GELU}",
    ),
    "none, which is no activation": (
        "fc1",
        {"activation": None},
        "fc1: {layer: Linear, from: numeric, out_features: $hidden}",
    ),
    "words of any node": (
        "fc1",
        {"freeze": True, "take": None, "over": ...},
        "fc1: {layer: Linear, from: numeric, out_features: $hidden, activation: ReLU, freeze: true}",
    ),
    "the value without a name": ("stem.2", {"kernel_size": 3}, """stem: {from: image, seq: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU, {MaxPool2d: 3}]}"""),
    "an option beside it": ("small.0", {"bias": False}, "- Linear: {out_features: $width, bias: false}"),
    "a param": ("small", {"width": 3}, "small: {block: narrow, from: fc1, width: 3}"),
    "a repeat": ("stage", {"repeat": 5}, "stage: {block: residual, from: stem, repeat: 5}"),
    "an option of an each": (
        "emb",
        {"bias": False},
        "emb: {layer: Linear, each: [small, lstm.last], bias: false, with: {out_features: [3, 4]}}",
    ),
    "the same option for all of an each": (
        "emb",
        {"out_features": 3},
        "emb: {layer: Linear, each: [small, lstm.last], out_features: 3}",
    ),
    "a word of a seq": ("stem", {"freeze": True}, "freeze: true"),
}  # fmt: skip


def test_other_options_stay() -> None:
    for case, (path, options, line) in CASES.items():
        new = GRAPH.with_options(path, **options)
        assert f"+ {line}" in changed_lines(new), case
        assert mg.loads(new.dumps()) == new, case


def test_an_ellipsis_leaves_an_option_out() -> None:
    once = GRAPH.with_options("head", bias=False)
    assert once != GRAPH
    assert once.with_options("head", bias=...).dumps() == GRAPH.dumps()


def test_an_option_called_activation_is_that_of_the_layer() -> None:
    spec = """\
inputs: {x: [T, 8]}
nodes: {y: {layer: TransformerEncoderLayer, from: x, nhead: 2, activation: relu}}
outputs: y
"""
    new = mg.loads(spec).with_options("y", activation="gelu")
    assert new == mg.loads(spec.replace("relu", "gelu"))


def test_a_param_is_the_same_at_each_time_of_a_repeat() -> None:
    spec = """\
inputs: {x: [8]}
blocks: {fc: {inputs: [x], params: {width: null}, seq: [{Linear: $width}]}}
nodes: {y: {block: fc, from: x, repeat: {with: {width: [4, 5, 6]}}}}
outputs: y
"""
    new = mg.loads(spec).with_options("y", width=7)
    assert "y: {block: fc, from: x, width: 7, repeat: 3}" in new.dumps()


@mg.block
def tower(x: mg.Tensor, *, width: int = 8, deep: bool = False) -> mg.Tensor:
    y = layers.Linear(width)(x, name="fc")
    return layers.Linear(width)(y, name="fc2") if deep else y


def test_a_param_by_which_a_function_decides_runs_it_again() -> None:
    x = mg.Input("x", (4,))
    graph = mg.Graph(tower(width=6, repeat=2, freeze=True)(x, name="y"))
    new = graph.with_options("y", deep=True)
    expected = tower(width=6, repeat=2, freeze=True, deep=True)(x, name="y")
    assert new == mg.Graph(expected)
    assert "freeze: true" in new.dumps()
    assert new.with_options("y", deep=...) == graph


def test_a_value_without_a_name_gets_one_beside_words() -> None:
    old = mg.loads("""\
inputs: {x: [T, 8]}
nodes: {y: {from: x, seq: [{Linear: 4}, {LSTM: {hidden_size: 3, take: last}}, {Linear: 2}]}}
outputs: y
""")
    for new in (
        old.with_options("y.0", freeze=True),
        old.with_options("y.2", activation="ReLU"),
        old.replace("y.1", layers.GRU(5)),
    ):
        assert mg.loads(new.dumps()) == new


def test_a_name_is_changed_with_rename() -> None:
    with pytest.raises(mg.SpecError, match=r"write graph\.rename\('stage\.conv', \.\.\.\)"):
        GRAPH.with_options("stage.conv", name="filter")


def test_all_faults_are_reported() -> None:
    a, b = mg.Input("a", (3,)), mg.Input("b", (3,))
    fc = layers.Linear(3)(a, name="fc")
    graph = mg.Graph([merges.add(fc, a, name="first"), merges.add(fc, b, name="second")])
    with pytest.raises(mg.SpecError) as caught:
        graph.with_options("fc", out_features=4)
    found = caught.value.diagnostics
    assert [one.code for one in found] == ["shape-mismatch", "shape-mismatch"]
    assert [one.node for one in found] == ["first", "second"]
