"""`graph.replace` changes the layer of a node, and nothing else of the spec or of its weights."""

from __future__ import annotations

from collections.abc import Callable

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.edited import GRAPH, changed_keys, changed_lines


@mg.block
def wide(x: mg.Tensor, *, width: int = 8) -> mg.Tensor:
    return layers.Linear(width)(x, name="fc")


tower = mg.Graph(layers.Linear(6)(mg.Input("x", (64,)), name="fc"), "Tower")

# the node, its new layer, and the lines of the spec that change
CASES: dict[str, tuple[str, Callable[[], object], list[str]]] = {
    "a merge by another": (
        "fused",
        lambda: merges.gated(out_features=64),
        [
            "- fused: {merge: concat, from: [drop, fc2, mean, emb.*]}",
            "+ fused: {merge: gated, from: [drop, fc2, mean, emb.*], out_features: 64}",
        ],
    ),
    "sources go to the arguments of the same names": (
        "read",
        lambda: merges.attention(),
        [
            "- read: {layer: MultiheadAttention, from: {query: lstm, key: words, value: words}, num_heads: 2}",
            "+ read: {merge: attention, from: {query: lstm, key: words, value: words}}",
        ],
    ),
    "other names are variables of a formula": (
        "read",
        lambda: merges.formula("query + key * value"),
        [
            "- read: {layer: MultiheadAttention, from: {query: lstm, key: words, value: words}, num_heads: 2}",
            "+ read: {merge: formula, expr: query + key * value, from: {query: lstm, key: words, value: words}}",
        ],
    ),
    "without such names sources go by position": (
        "read",
        lambda: merges.add(),
        [
            "- read: {layer: MultiheadAttention, from: {query: lstm, key: words, value: words}, num_heads: 2}",
            "+ read: {merge: add, from: [lstm, words, words]}",
        ],
    ),
    "an item of a seq": (
        "stem.1",
        lambda: layers.GELU(),
        [
            "- stem: {from: image, seq: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU, {MaxPool2d: 2}]}",
            "+ stem: {from: image, seq: [{Conv2d: {out_channels: 4, kernel_size: 3}}, GELU, {MaxPool2d: 2}]}",
        ],
    ),
    "an item of a seq by several": (
        "stem.1",
        lambda: mg.Sequential(layers.GELU(), layers.Dropout(0.1)),
        [
            "- stem: {from: image, seq: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU, {MaxPool2d: 2}]}",
            "+ stem:",
            "+ from: image",
            "+ seq:",
            "+ - Conv2d: {out_channels: 4, kernel_size: 3}",
            "+ - GELU",
            "+ - Dropout: 0.1",
            "+ - MaxPool2d: 2",
        ],
    ),
    "a layer by several, and a param that nothing uses any more": (
        "fc1",
        lambda: mg.Sequential(layers.Linear(64), layers.GELU()),
        [
            "- params: {hidden: 64, kind: residual}",
            "+ params: {kind: residual}",
            "- fc1: {layer: Linear, from: numeric, out_features: $hidden, activation: ReLU}",
            "+ fc1: {from: numeric, seq: [{Linear: 64}, GELU]}",
        ],
    ),
    "a block by that of a function": (
        "small",
        lambda: wide(width=4),
        [
            "- narrow:",
            "+ wide:",
            "- params: {width: null}",
            "+ params: {width: 8}",
            "- seq:",
            "- - Linear: $width",
            "- - ReLU",
            "+ nodes:",
            "+ fc: {layer: Linear, from: x, out_features: $width}",
            "+ outputs: fc",
            "- small: {block: narrow, from: fc1, width: 8}",
            "+ small: {block: wide, from: fc1, width: 4}",
        ],
    ),
    "a graph as a layer": (
        "head",
        lambda: mg.Graph(layers.Linear(2)(mg.Input("x", (275,)), name="fc"), "Head"),
        [
            "+ Head:",
            "+ inputs: {x: [275]}",
            "+ nodes:",
            "+ fc: {layer: Linear, from: x, out_features: 2}",
            "+ outputs: fc",
            "- head: {layer: Linear, from: fused, out_features: 2}",
            "+ head: {block: Head, from: fused}",
        ],
    ),
    "a node of a block, of which other uses stay": (
        "stage.conv",
        lambda: layers.Conv2d(4, kernel_size=1),
        [
            "+ sum: {merge: add, from: [conv, x], activation: ReLU}",
            "+ outputs: sum",
            "+ residual_2:",
            "+ inputs: {x: [C, H, W]}",
            "+ nodes:",
            "+ conv: {layer: Conv2d, from: x, out_channels: 4, kernel_size: 1}",
            "- stage: {block: residual, from: stem, repeat: 2}",
            "+ stage: {block: residual_2, from: stem, repeat: 2}",
        ],
    ),
    "an item of the only use of a block": (
        "small.1",
        lambda: layers.GELU(),
        ["- - ReLU", "+ - GELU"],
    ),
    "the layer of an each, which keeps the options that differ": (
        "emb",
        lambda: layers.Linear(activation="ReLU"),  # type: ignore[call-arg]
        [
            "- emb: {layer: Linear, each: [small, lstm.last], with: {out_features: [3, 4]}}",
            "+ emb: {layer: Linear, each: [small, lstm.last], activation: ReLU, with: {out_features: [3, 4]}}",
        ],
    ),
    "the layer of an each by one that gives them": (
        "emb",
        lambda: layers.Linear(5),
        [
            "- emb: {layer: Linear, each: [small, lstm.last], with: {out_features: [3, 4]}}",
            "+ emb: {layer: Linear, each: [small, lstm.last], out_features: 5}",
        ],
    ),
    "the layer of an each by a block": (
        "emb",
        lambda: wide(),
        [
            "+ wide:",
            "+ params: {width: 8}",
            "+ inputs: [x]",
            "+ nodes:",
            "+ fc: {layer: Linear, from: x, out_features: $width}",
            "+ outputs: fc",
            "- emb: {layer: Linear, each: [small, lstm.last], with: {out_features: [3, 4]}}",
            "+ emb: {block: wide, each: [small, lstm.last]}",
        ],
    ),
    "a share by a layer of its own": (
        "fc2",
        lambda: layers.Linear(64),
        [
            "- fc2: {share: fc1, from: numeric}",
            "+ fc2: {layer: Linear, from: numeric, out_features: 64}",
        ],
    ),
}


def test_only_the_node_changes() -> None:
    before = GRAPH.dumps()
    found = {}
    for case, (path, layer, _) in CASES.items():
        new = GRAPH.replace(path, layer())  # type: ignore[arg-type]
        found[case] = changed_lines(new)
        assert mg.loads(new.dumps()) == new, case
    assert found == {case: lines for case, (_, _, lines) in CASES.items()}
    assert GRAPH.dumps() == before


# of each edit the layers whose weights change; all others have their old keys and shapes
KEYS: dict[str, tuple[str, Callable[[], object], set[str]]] = {
    "a merge": ("fused", lambda: merges.gated(out_features=64), {"fused", "head"}),
    "a stateless layer": ("stem.1", lambda: layers.GELU(), set()),
    "a node in a block": ("stage.conv", lambda: layers.Conv2d(4, kernel_size=1), {"stage"}),
    "a node in a block in a block": ("deep.b.conv", lambda: layers.Identity(), {"deep"}),
    "a layer with the same shapes": ("head", lambda: layers.Linear(2, activation="ReLU"), set()),
}


def test_the_weights_of_all_other_layers_keep_their_keys() -> None:
    for case, (path, layer, changed) in KEYS.items():
        gone, new = changed_keys(GRAPH.replace(path, layer()))  # type: ignore[arg-type]
        assert {key.split(".")[0] for key in gone | new} == changed, case


def test_nodes_that_share_the_module_follow() -> None:
    new = GRAPH.replace("fc1", layers.Linear(32))
    assert str(new.shapes["fc2"]) == "(N, 32)"


def test_words_about_the_sources_stay_and_freeze_goes() -> None:
    old = mg.loads("""\
inputs: {x: [T, 6, 8]}
nodes:
  lstm: {layer: LSTM, from: x, hidden_size: 8, take: last, over: 1, freeze: true}
outputs: lstm
""")
    (line,) = [
        one for one in old.replace("lstm", layers.GRU(4)).dumps().splitlines() if "GRU" in one
    ]
    assert line.strip() == "lstm: {layer: GRU, from: x, hidden_size: 4, take: last, over: 1}"
    own = layers.GRU(4, take=None, over=2, freeze=True)  # type: ignore[arg-type]
    (line,) = [one for one in old.replace("lstm", own).dumps().splitlines() if "GRU" in one]
    assert line.strip() == "lstm: {layer: GRU, from: x, hidden_size: 4, over: 2, freeze: true}"


def test_a_scan_runs_another_block_step_by_step() -> None:
    old = mg.loads("""\
inputs: {x: [T, 8], h0: [8]}
blocks:
  cell: {inputs: [x, h], nodes: {h1: {merge: add, from: [x, h]}}, outputs: {y: h1, h: h1}}
nodes:
  states: {scan: cell, over: {x: 1}, carry: {h: h0}}
outputs: states.y
""")

    @mg.block
    def gate(x: mg.Tensor, h: mg.Tensor) -> dict[str, mg.Tensor]:
        new = merges.multiply(x, h, name="new")
        return {"y": new, "h": new}

    new = old.replace("states", gate())
    assert "states: {scan: gate, over: {x: 1}, carry: {h: h0}}" in new.dumps()
    assert new.shapes["states.y"] == old.shapes["states.y"]


def test_copies_with_equal_content_are_one_and_a_block_without_users_goes() -> None:
    once = GRAPH.replace("stage.conv", layers.Identity())
    twice = once.replace("deep.a.conv", layers.Identity())
    assert list(twice.declared.blocks) == ["residual", "residual_2", "pair", "narrow"]
    thrice = twice.replace("deep.b.conv", layers.Identity())
    assert list(thrice.declared.blocks) == ["residual_2", "pair", "narrow"]


def test_the_same_layer_object_gives_separate_weights() -> None:
    layer = layers.Linear(64)
    new = GRAPH.replace("fc1", layer).replace("fc2", layer)
    assert {"fc1.weight", "fc2.weight"} <= new.compile().state_dict().keys()


def test_an_equal_layer_gives_an_equal_graph() -> None:
    assert GRAPH.replace("stage.conv", layers.Conv2d(4, kernel_size=3, padding=1)) == GRAPH


def test_a_block_reads_a_weight() -> None:
    x = mg.Input("x", (5,))
    fc = layers.Linear(8)(x, name="fc")
    old = mg.Graph([fc, layers.ReLU()(fc["weight"], name="y")])
    assert str(old.replace("y", wide(width=3)).shapes["y"]) == "(8, 3)"
