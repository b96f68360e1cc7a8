"""Unused params give a warning, and no others do."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph import layers
from tests.helpers.marked import faults, warnings

HEAD = "inputs: {x: [5]}\n"
END = "outputs: y\n"
LINEAR = "nodes:\n  y: {layer: Linear, from: x, out_features: %s}\n"
CHAIN = "nodes:\n  y: {from: x, seq: [{b: {}}]}\n"

USED = {
    "an option": "params: {p: 8}\n" + HEAD + LINEAR % "$p",
    "an expression": "params: {p: 8}\n" + HEAD + LINEAR % "$(2 * p + 1)",
    "another param": "params: {p: 8, q: $(2 * p)}\n" + HEAD + LINEAR % "$q",
    "a shape": "params: {p: 8}\ninputs: {x: [$p]}\n" + LINEAR % "3",
    "a vocab": (
        "params: {p: 8}\ninputs: {x: {vocab: $p}}\n"
        "nodes:\n  y: {layer: Embedding, from: x, embedding_dim: 3}\n"
    ),
    "a formula": (
        "params: {p: 8}\n" + HEAD + "nodes:\n  y: {merge: formula, expr: $p * x, from: x}\n"
    ),
    "a pattern": (
        "params: {p: 1}\n"
        + HEAD
        + 'nodes:\n  y: {layer: Rearrange, from: x, pattern: "n a -> n a $p"}\n'
    ),
    "a merge's name": "params: {p: add}\n" + HEAD + "nodes:\n  y: {merge: $p, from: [x, x]}\n",
    "a layer's name": "params: {p: ReLU}\n" + HEAD + "nodes:\n  y: {from: x, seq: [$p]}\n",
    "an activation's name": (
        "params: {p: ReLU}\n" + HEAD + LINEAR.replace("}", ", activation: $p}") % "3"
    ),
    "the shape of a tensor": (
        "params: {p: 5}\n" + HEAD + "nodes:\n"
        "  w: {parameter: [$p], init: zeros}\n  y: {merge: add, from: [x, w], broadcast: true}\n"
    ),
    "a repeat": (
        "params: {p: 2}\n" + HEAD + "blocks: {b: {seq: [ReLU]}}\n"
        "nodes:\n  y: {block: b, from: x, repeat: $p}\n"
    ),
    "the values of a repeat": (
        "params: {p: [2, 3]}\n" + HEAD + "blocks: {b: {params: {w: 1}, seq: [{Linear: $w}]}}\n"
        "nodes:\n  y: {block: b, from: x, repeat: {with: {w: $p}}}\n"
    ),
    "the values of an each": (
        "params: {p: [2, 3]}\n" + HEAD + "nodes:\n"
        "  e: {layer: Linear, each: {a: x, b: x}, with: {out_features: $p}}\n"
        "  y: {merge: concat, from: [e.*]}\n"
    ),
    "a block's body": "params: {p: 2}\n" + HEAD + "blocks: {b: {seq: [{Linear: $p}]}}\n" + CHAIN,
    "a block's pattern": (
        "params: {p: 5}\n" + HEAD + "blocks: {b: {inputs: {v: [$p]}, seq: [ReLU]}}\n" + CHAIN
    ),
    "a block's default": (
        "params: {p: 2}\n" + HEAD + "blocks: {b: {params: {p: $p}, seq: [{Linear: $p}]}}\n" + CHAIN
    ),
    "a block that nothing uses": (
        "params: {p: 2}\n"
        + HEAD
        + "blocks: {b: {params: {q: 1}, seq: [{Linear: $p}]}}\n"
        + LINEAR % "3"
    ),
    "a call": (
        "params: {p: 2}\n" + HEAD + "blocks: {b: {params: {w: 1}, seq: [{Linear: $w}]}}\n"
        "nodes:\n  y: {from: x, seq: [{b: $p}]}\n"
    ),
    "a switch of a node": "params: {p: true}\n" + HEAD + LINEAR.replace("}", ", freeze: $p}") % "3",
    "a switch of an item": (
        "params: {p: true}\n" + HEAD + "nodes:\n"
        "  y: {from: x, seq: [{Linear: {out_features: 3, freeze: $p}}]}\n"
    ),
    "a switch of an input": (
        "params: {p: false}\ninputs: {x: {shape: [5], optional: $p}}\n" + LINEAR % "3"
    ),
    "a doc": "params: {p: 8}\ndoc: of $p\n" + HEAD + LINEAR % "3",
}


@pytest.mark.parametrize("spec", USED.values(), ids=USED)
def test_a_used_param_gives_no_warning(spec: str) -> None:
    assert (faults(spec + END), warnings(spec + END)) == ([], [])


UNUSED = {
    "of the spec": ("params: {p: 8}\n" + HEAD + LINEAR % "3", [(1, 10, "p")]),
    "whose value is written out": ("params: {p: 3, q: $p}\n" + HEAD + LINEAR % "3", [(1, 16, "q")]),
    "of a block": (
        HEAD + "blocks: {b: {params: {w: 1}, seq: [ReLU]}}\n" + CHAIN,
        [(2, 23, "w")],
    ),
    "of a block that gives it": (
        HEAD + "blocks: {b: {params: {w: 1}, seq: [ReLU]}}\n"
        "nodes:\n  y: {from: x, seq: [{b: {w: 3}}]}\n",
        [(2, 23, "w")],
    ),
    "hidden by a block's own": (
        "params: {p: 8}\n" + HEAD + "blocks: {b: {params: {p: 1}, seq: [{Linear: $p}]}}\n" + CHAIN,
        [(1, 10, "p")],
    ),
    "hidden by a dimension": (
        "params: {D: 8}\n"
        + HEAD
        + "blocks: {b: {inputs: {v: [D]}, seq: [{Linear: $D}]}}\n"
        + CHAIN,
        [(1, 10, "D")],
    ),
}


@pytest.mark.parametrize(("spec", "told"), UNUSED.values(), ids=UNUSED)
def test_an_unused_param_gives_a_warning(spec: str, told: list[tuple[int, int, str]]) -> None:
    assert faults(spec + END) == []
    found = warnings(spec + END)
    assert [(w.span.line, w.span.column, w.message.split()[-1]) for w in found] == told
    assert {(warning.code, warning.severity) for warning in found} == {("unused-param", "warning")}


def test_a_graph_holds_its_warnings() -> None:
    spec = "params: {hidden: 8, hiden: 3}\n" + HEAD + LINEAR % "$hidden" + END
    graph = mg.loads(spec)
    assert [warning.message for warning in graph.warnings] == ["nothing uses hiden"]
    assert mg.loads(spec.replace(", hiden: 3", "")).warnings == ()


@pytest.mark.parametrize("params", [{"q": 3}, {"p": 3}, {"p": 2, "q": 3}])
def test_overriding_a_param_changes_no_warning(params: dict[str, int]) -> None:
    spec = "params: {p: 8, q: $(2 * p)}\n" + HEAD + LINEAR % "$q" + END
    assert mg.loads(spec, params=params).warnings == ()


def test_a_graph_built_in_python_has_no_warnings() -> None:
    @mg.block
    def b(v: mg.Tensor, *, width: int = 3, deep: bool = True) -> mg.Tensor:
        return layers.Linear(width)(v) if deep else v

    assert mg.Graph(b()(mg.Input("x", (5,)))).warnings == ()


@pytest.mark.parametrize(
    "path", sorted([*Path("specs").rglob("*.yaml"), *Path("examples").rglob("*.yaml")]), ids=str
)
def test_our_specs_have_no_unused_param(path: Path) -> None:
    assert mg.load(path).warnings == ()


def test_the_switches_and_vocabularies_of_a_part_use_its_params(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text(
        "params: {spare: true, words: 9}\n"
        "inputs: {ids: {vocab: $words}, more: {shape: [4], optional: $spare}}\n"
        "nodes:\n"
        "  emb: {layer: Embedding, from: ids, embedding_dim: 4}\n"
        "  sum: {merge: add, from: [emb, more], missing: skip}\n"
        "outputs: sum\n"
    )
    main = tmp_path / "main.yaml"
    main.write_text(
        "parts: {part: part.yaml}\n"
        "inputs: {ids: {vocab: 9}, more: [4]}\n"
        "nodes: {y: {block: part, from: [ids, more]}}\n"
        "outputs: y\n"
    )
    assert mg.load(main).warnings == ()
