"""A rename changes every place of a name and nothing else; `--rewrite` replaces the specs in the cases."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.language.edit.find_name import find_name
from mimgraph.language.edit.rename import rename
from mimgraph.language.occurrences.project import Project
from mimgraph.language.text_edits import edited
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.source import SourceFile
from tests.helpers.cases import SLOW_FOR_EACH_SPEC, check_texts, each

SPEC = """params: {w: 4}
inputs: {x: [T, 8]}
blocks:
  one: {params: {v: 1}, inputs: {y: [S, C]}, nodes: {a: {layer: Linear, from: y, out_features: $w}}, outputs: a}
nodes:
  y: {block: one, from: x}
  z: {layer: ReLU, from: y}
outputs: {out: z}
"""
REFUSED = {
    "z y": "duplicate-name 6:3: y is a node already",
    "x z": "duplicate-name 7:3: z is a node already",
    "z lambda": "bad-name 7:3: 'lambda' cannot be the name of a node",
    "T N": "bad-name 2:14: 'N' cannot be the name of a size",
    "one Linear": "bad-name 4:3: 'Linear' cannot be the name of a block",
    "one.v from": "bad-name 4:18: 'from' cannot be the name of a param",
    "one.S v": "duplicate-name 4:18: v is a param in one already",
    "w v": "duplicate-name 1:10: as v, some places of w would mean another name",
    "w S": "duplicate-name 1:10: as S, some places of w would mean another name",
    "missing a": "unknown-source 1:1: there is no name 'missing'",
}


def renamed(text: str, old: str, new: str) -> str:
    """Return a text with a name in place of another."""
    file, project = SourceFile("/nowhere/spec.yaml", text), Project("/nowhere")
    project.add(file.name, file, compose(file, Report().add))
    return edited(file, rename(project, find_name(project, file.name, old), new))


def test_every_place_is_renamed(rewrite: bool) -> None:
    def after(names: str, text: str) -> str:
        found = renamed(text, *names.strip().split(" -> "))
        assert mg.loads(text) and mg.loads(found)
        return found

    check_texts(Path(__file__).with_name("renames.md"), after, rewrite)


@each("names, expected", REFUSED.items())
def test_a_name_that_is_bad_taken_or_would_hide_another_is_refused(
    names: str, expected: str
) -> None:
    with pytest.raises(mg.SpecError) as caught:
        renamed(SPEC, *names.split())
    (fault,) = caught.value.diagnostics
    assert f"{fault.code} {fault.span.line}:{fault.span.column}: {fault.message}" == expected


@pytest.mark.parametrize("path", SLOW_FOR_EACH_SPEC)
def test_a_renamed_text_is_the_renamed_graph(path: Path) -> None:
    text = path.read_text()
    graph = mg.loads(text)
    paths = [
        *(f"inputs.{name}" for name in graph.inputs),
        *(f"nodes.{name}" for name in graph.nodes),
    ]
    for name_path in paths:
        name = name_path.partition(".")[2]
        new = f"{name}_x"
        after = mg.loads(renamed(text, name_path, new))
        expected = graph.rename(name, new)
        assert after == expected
