"""Checks the public graph: its properties, equality, and loading of specs."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg
from mimgraph import layers, merges

SPEC = """\
name: ImageNumerical
params: {hidden: 64}
inputs:
  image: [3, 32, 32]
  numeric: [5]
nodes:
  image_vec:
    from: image
    seq: [{Conv2d: {out_channels: 16, kernel_size: 3, padding: 1}}, ReLU, {MaxPool2d: 2}, Flatten]
  numeric_vec: {layer: Linear, from: numeric, out_features: $hidden, activation: ReLU}
  fused: {merge: concat, from: [image_vec, numeric_vec]}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""


def built(hidden: int = 64) -> mg.Graph:
    """Return the same graph, built in Python."""
    image, numeric = mg.Input("image", (3, 32, 32)), mg.Input("numeric", (5,))
    features = mg.Sequential(
        layers.Conv2d(16, kernel_size=3, padding=1),
        layers.ReLU(),
        layers.MaxPool2d(kernel_size=2),
        layers.Flatten(),
    )
    x = features(image, name="image_vec")
    y = layers.Linear(hidden, activation="ReLU", bias=True)(numeric, name="numeric_vec")
    fused = merges.concat(x, y, name="fused")
    return mg.Graph(layers.Linear(1)(fused, name="score"), name="ImageNumerical")


def test_both_front_ends_give_one_graph() -> None:
    assert mg.loads(SPEC) == built()
    assert mg.loads(built().dumps()) == built()
    assert mg.loads(mg.loads(SPEC).dumps()) == built()


def test_properties_of_a_graph() -> None:
    graph = built()
    assert {name: str(shape) for name, shape in graph.shapes.items()} == {
        "image": "(N, 3, 32, 32)",
        "numeric": "(N, 5)",
        "image_vec": "(N, 4096)",
        "numeric_vec": "(N, 64)",
        "fused": "(N, 4160)",
        "score": "(N, 1)",
    }
    assert list(graph.inputs) == ["image", "numeric"]
    assert {name: str(type_) for name, type_ in graph.outputs.items()} == {"score": "(N, 1)"}
    assert repr(graph) == "<Graph ImageNumerical: image, numeric -> score>"


@pytest.mark.parametrize(
    ("name", "help"),
    [("trainable", "freeze=True"), ("name", "return changed graphs"), ("nodes", "changed graphs")],
)
def test_attributes_of_a_graph_cannot_be_set(name: str, help: str) -> None:
    (stage, _), graph = built().split("fused"), built()
    for one in (graph, stage, copy.copy(graph), pickle.loads(pickle.dumps(graph))):
        with pytest.raises(
            AttributeError, match=f"^{name} of a graph cannot be set: .*{help}"
        ) as caught:
            setattr(one, name, False)
        assert caught.traceback[-1].path == Path(__file__)
        assert weakref.ref(one)() is one and one.nodes.keys() == {*one} - {*one.inputs}


def test_ports_have_shapes_and_run_time_sizes_make_constraints() -> None:
    text = mg.Input("text", ("T", 16))
    words = layers.Conv1d(8, 3)(layers.Transpose(1, 2)(text), name="words")
    lstm = layers.LSTM(4)(layers.Transpose(1, 2)(words), name="lstm")
    graph = mg.Graph(lstm["last"])
    assert str(graph.shapes["lstm"]) == str(graph.shapes["lstm.output"]) == "(N, T - 2, 4)"
    assert str(graph.shapes["lstm.last"]) == "(N, 4)"
    assert [str(constraint) for constraint in graph.constraints] == ["T >= 3"]


def test_a_constraint_that_a_longer_length_implies_is_left_out() -> None:
    x = mg.Input("x", (8, "T"))
    y = mg.Sequential(*[layers.Conv1d(8, 3, stride=2) for _ in range(3)], layers.ReLU())(x)
    assert [str(constraint) for constraint in mg.Graph(y).constraints] == ["T >= 15"]


def test_an_activation_makes_constraints_too() -> None:
    halved = layers.Linear(4, activation={"GLU": {"dim": 1}})(mg.Input("text", ("T", 16)))
    assert [str(constraint) for constraint in mg.Graph(halved).constraints] == [
        "T >= 2",
        "T % 2 == 0",
    ]


# --- equality -------------------------------------------------------------------------------------

BASE = """\
params: {w: 4}
inputs: {x: [8], y: [8]}
blocks:
  b: {params: {n: 3}, inputs: {v: [C]}, nodes: {f: {layer: Linear, from: v, out_features: $n}, g: {layer: ReLU, from: f}}, outputs: g}
nodes:
  a: {layer: Linear, from: x, out_features: 4, activation: ReLU}
  s: {share: a, from: y}
  q: {from: s, seq: [{Linear: 4}, {Dropout: 0.5}]}
  m: {merge: add, from: [a, q]}
  u: {block: b, from: m}
  r: {block: b, from: u, repeat: 2}
outputs: {out: r, aux: m}
"""

SAME = {
    "a param for a number": ("out_features: 4", "out_features: $w"),
    "an expression": ("out_features: 4", "out_features: $(w * 2 // 2)"),
    "a default": ("out_features: 4", "out_features: 4, bias: true"),
    "what the input decides": ("out_features: 4", "out_features: 4, in_features: 8"),
    "a lone value by name": ("{Linear: 4}", "{Linear: {out_features: 4}}"),
    "a number for a float": ("{Dropout: 0.5}", "{Dropout: {p: $(w / 8)}}"),
    "a default of a block": ("{block: b, from: m}", "{block: b, from: m, n: 3}"),
    "a pattern": ("{v: [C]}", "[v]"),
    "a doc": ("b: {params", "b: {doc: text, params"),
    "the name of a block's only output": ("outputs: g}", "outputs: {result: g}}"),
    "the order of nodes": (
        "  m: {merge: add, from: [a, q]}\n  u: {block: b, from: m}\n",
        "  u: {block: b, from: m}\n  m: {merge: add, from: [a, q]}\n",
    ),
}
DIFFERENT = {
    "the name": ("params: {w: 4}", "name: Other"),
    "a size": ("{x: [8], y: [8]}", "{x: [7], y: [7]}"),
    "an option": ("out_features: 4", "out_features: 4, bias: false"),
    "an activation": ("activation: ReLU", "activation: {ELU: 1.5}"),
    "an option of an item": ("{Dropout: 0.5}", "{Dropout: 0.25}"),
    "the order of sources": ("[a, q]", "[q, a]"),
    "another op": ("merge: add", "merge: multiply"),
    "weights of its own": ("{share: a, from: y}", "{layer: Linear, from: y, out_features: 4}"),
    "the inside of a block": ("layer: ReLU", "layer: Tanh"),
    "a param of a use": ("{block: b, from: m}", "{block: b, from: m, n: 5}"),
    "how often": ("repeat: 2", "repeat: 3"),
    "one module or two": ("repeat: 2", "repeat: {times: 2, shared: true}"),
    "an output": ("{out: r, aux: m}", "{out: r, aux: q}"),
    "the name of an output": ("{out: r, aux: m}", "{out: r, side: m}"),
    "the name of a node": (
        "g: {layer: ReLU, from: f}}, outputs: g",
        "h: {layer: ReLU, from: f}}, outputs: h",
    ),
}


def variant(change: tuple[str, str]) -> str:
    assert change[0] in BASE
    return BASE.replace(*change)


def test_graphs_written_differently_are_equal() -> None:
    base = mg.loads(BASE)
    assert [name for name, change in SAME.items() if mg.loads(variant(change)) != base] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "{merge: formula, expr: a*b+1, from: {a: x, b: x}}",
            "{merge: formula, expr: a * b + 1, from: {a: x, b: x}}",
        ),
        (
            "{merge: einsum, equation: 'n t, n t -> n', from: [x, x]}",
            "{merge: einsum, equation: 'nt,nt->n', from: [x, x]}",
        ),
        (
            "{layer: Rearrange, from: x, pattern: 'n (a b) -> n a b', sizes: {a: 2}}",
            "{layer: Rearrange, from: x, pattern: 'n ( a  b )  ->  n a b', sizes: {a: 2}}",
        ),
        ("{merge: add, from: [x, x]}", "{merge: add, from: [x, x], broadcast: true}"),
    ],
)
def test_graphs_with_other_spaces_in_a_notation_are_equal(one: str, other: str) -> None:
    graphs = [mg.loads(f"inputs: {{x: [4]}}\nnodes:\n  y: {n}\noutputs: y\n") for n in (one, other)]
    assert graphs[0] == graphs[1]


def test_graphs_that_differ_are_not_equal() -> None:
    base = mg.loads(BASE)
    assert [name for name, change in DIFFERENT.items() if mg.loads(variant(change)) == base] == []


def test_a_graph_is_no_other_thing() -> None:
    assert built() != built().typed


def test_blocks_used_in_blocks_are_compared_once() -> None:
    """Each block uses the one before twice: 4,096 nodes, in 12 bodies."""

    def spec(activation: str) -> str:
        rows = [
            f"  b0: {{inputs: [x], nodes: {{r: {{layer: {activation}, from: x}}}}, outputs: r}}"
        ]
        for i in range(1, 12):
            use = f"block: b{i - 1}, from"
            nodes = f"{{p: {{{use}: x}}, q: {{{use}: p}}}}"
            rows.append(f"  b{i}: {{inputs: [x], nodes: {nodes}, outputs: q}}")
        blocks = "\n".join(rows)
        return f"inputs: {{x: [4]}}\nblocks:\n{blocks}\nnodes: {{y: {{block: b11, from: x}}}}\noutputs: y\n"

    assert mg.loads(spec("ReLU")) == mg.loads(spec("ReLU"))
    assert mg.loads(spec("ReLU")) != mg.loads(spec("Tanh"))


# --- loading --------------------------------------------------------------------------------------


def test_given_params_override_the_params_of_the_spec() -> None:
    assert mg.loads(SPEC, params={"hidden": 16}) == built(hidden=16)
    assert "params: {hidden: 16}" in mg.loads(SPEC, params={"hidden": 16}).dumps()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a": 1}, "wrong-type"),
        ([1, {2: 3}], "wrong-type"),
        (1 << 63, "wrong-type"),
        ("$(1 +", "bad-expression"),
        ("$other", "unknown-param"),
    ],
    ids=str,
)
def test_an_override_must_be_a_value_that_a_spec_can_hold(value: object, code: str) -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(SPEC, params={"hidden": value})
    assert [fault.code for fault in caught.value.diagnostics] == [code]


def test_an_override_may_be_an_expression() -> None:
    assert mg.loads(SPEC, params={"hidden": "$(8 * 2)"}) == built(hidden=16)


def test_the_error_of_an_unknown_override_lists_the_params() -> None:
    with pytest.raises(ValueError, match="no param is called 'hiden'; the spec's params: hidden"):
        mg.loads(SPEC, params={"hiden": 16})


def test_all_faults_of_a_text_are_reported() -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(
            SPEC.replace("image_vec,", "imag_vec,").replace("Flatten", "Flaten"), name="a.yaml"
        )
    assert [(d.code, d.span.file.name, d.span.line) for d in caught.value.diagnostics] == [
        ("unknown-layer", "a.yaml", 9),
        ("unknown-source", "a.yaml", 11),
    ]


def test_graphs_are_dumped_to_files_and_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spec.yaml"
    built().dump(path)
    assert mg.load(path) == mg.load(str(path)) == built()
    assert mg.load(path).declared.origin.file.name == str(path)
    built().dump()
    assert capsys.readouterr().out == path.read_text()


@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"name: \xc3(\n"], ids=["no text", "half a character"]
)
def test_bytes_that_are_not_utf8_are_reported(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(data)
    with pytest.raises(mg.SpecError) as caught:
        mg.load(path)
    assert caught.value.diagnostics[0].code == "yaml-syntax"


def run(code: str) -> Any:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.slow
def test_importing_and_building_need_no_torch() -> None:
    run(
        "import sys, mimgraph as mg\n"
        "from mimgraph import layers\n"
        "graph = mg.Graph(layers.Linear(3)(mg.Input('x', (4,))))\n"
        "assert mg.loads(graph.dumps()) == graph\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
