"""A rename changes every place of a name and nothing else; `--rewrite` replaces the specs in the cases."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.language.edit.paths import find_name
from mimgraph.language.edit.rename import rename
from mimgraph.language.occurrences import Project
from mimgraph.language.text_edits import edited
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile
from tests.helpers.cases import SLOW_FOR_EACH_SPEC, check_texts

SPEC = """params: {w: 4}
inputs: {x: [T, 8]}
blocks:
  one: {params: {v: 1}, inputs: {y: [S, C]}, nodes: {a: {layer: Linear, from: y, out_features: $w}}, outputs: a}
nodes:
  y: {block: one, from: x}
  z: {layer: ReLU, from: y}
outputs: {out: z}
"""


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


def test_a_name_that_is_bad_taken_or_would_hide_another_is_refused(rewrite: bool) -> None:
    def told(names: str) -> str:
        with pytest.raises(mg.SpecError) as caught:
            renamed(SPEC, *names.strip().split(" -> "))
        (fault,) = caught.value.diagnostics
        return f"{fault.code} {fault.span.line}:{fault.span.column}: {fault.message}\n"

    check_texts(Path(__file__).with_name("rename_refusals.md"), told, rewrite)


@pytest.mark.parametrize("path", SLOW_FOR_EACH_SPEC)
def test_a_renamed_text_is_the_renamed_graph(path: Path) -> None:
    text = path.read_text()
    graph = mg.loads(text)
    paths = [f"{kind}.{name}" for kind in ("inputs", "nodes") for name in getattr(graph, kind)]
    for name_path in paths:
        name = name_path.partition(".")[2]
        new = f"{name}_x"
        after = mg.loads(renamed(text, name_path, new))
        expected = graph.rename(name, new)
        assert after == expected
