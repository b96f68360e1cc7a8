"""Unused params give a warning, and no others do."""

from __future__ import annotations

from pathlib import Path

import mimgraph as mg
from mimgraph import layers
from tests.conftest import ROOT
from tests.helpers.cases import each

HEAD = "inputs: {x: [5]}\n"
END = "outputs: y\n"
LINEAR = "nodes:\n  y: {layer: Linear, from: x, out_features: %s}\n"


def test_a_graph_holds_its_warnings() -> None:
    spec = "params: {hidden: 8, hiden: 3}\n" + HEAD + LINEAR % "$hidden" + END
    graph = mg.loads(spec)
    assert [warning.message for warning in graph.warnings] == ["nothing uses hiden"]
    assert mg.loads(spec.replace(", hiden: 3", "")).warnings == ()


@each("params", [{"q": 3}, {"p": 3}, {"p": 2, "q": 3}])
def test_overriding_a_param_changes_no_warning(params: dict[str, int]) -> None:
    spec = "params: {p: 8, q: $(2 * p)}\n" + HEAD + LINEAR % "$q" + END
    assert mg.loads(spec, params=params).warnings == ()


def test_a_graph_built_in_python_has_no_warnings() -> None:
    @mg.block
    def b(v: mg.Tensor, *, width: int = 3, deep: bool = True) -> mg.Tensor:
        return layers.Linear(width)(v) if deep else v

    assert mg.Graph(b()(mg.Input("x", (5,)))).warnings == ()


def test_our_specs_have_no_unused_param(spec: Path) -> None:
    assert mg.load(spec).warnings == ()


def test_our_examples_have_no_unused_param() -> None:
    paths = [*(ROOT / "examples").rglob("*.yaml"), *(ROOT / "specs" / "parts").glob("*.yaml")]
    found = {path.name: mg.load(path).warnings for path in paths}
    assert found and not any(found.values()), found


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
