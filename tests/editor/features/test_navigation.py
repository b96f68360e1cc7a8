"""From the cursor to where a name is defined and used, in the spec, its parts and its users."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mimgraph.editor.features import navigation
from mimgraph.language.find_specs import naming_parts
from mimgraph.language.occurrences.project import Project
from tests.helpers.cases import each
from tests.helpers.editor import pointed

SPEC = """
parts: {text: towers/text.yaml}
params: {hidden: 8}
inputs: {x: [T, 8]}
blocks:
  one: {inputs: {y: [C]}, nodes: {fc: {layer: Linear, from: y, out_features: $C}}, outputs: fc}
nodes:
  a: {block: one, from: {y: x}}
  b: {block: text, from: {tokens: a}, width: $hidden}
outputs: b
"""
PART = """
params: {width: 4}
inputs: {tokens: [T, 8]}
nodes: {fc: {layer: Linear, from: tokens, out_features: $width}}
outputs: fc
"""
# a place, and that of the definition
DEFINITIONS = {
    "from: {y: ▮x}": "spec.yaml 4:10",
    "$▮hidden": "spec.yaml 3:10",
    "block: on▮e": "spec.yaml 6:3",
    "from: ▮y,": "spec.yaml 6:18",
    "{▮y: x}": "spec.yaml 6:18",
    "block: te▮xt": "spec.yaml 2:9",
    "{te▮xt: towers": "text.yaml 1:1",
    "towers/te▮xt": "text.yaml 1:1",
    "wid▮th: $hidden": "text.yaml 2:10",
    "{tok▮ens: a": "text.yaml 3:10",
    "lay▮er: Linear": "",
}
# a place in the part, and where its name stands
REFERENCES = {
    "to▮kens, out": "text.yaml 3:10, text.yaml 4:35, spec.yaml 9:27",
    "$wid▮th": "text.yaml 2:10, text.yaml 4:58, spec.yaml 9:39",
    "{▮fc: {layer": "text.yaml 4:9, text.yaml 5:10",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "towers").mkdir()
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "towers" / "text.yaml").write_text(PART)
    return Project(str(tmp_path), listed=naming_parts)


def placed(spec: str, at: str) -> tuple[int, int]:
    assert spec.count(at.replace("▮", "")) == 1
    return pointed(spec.replace(at.replace("▮", ""), at))[1:]


@each("at", [*DEFINITIONS])
def test_a_name_leads_to_its_definition(project: Project, at: str) -> None:
    path = os.path.realpath(os.path.join(project.folder, "spec.yaml"))
    found = navigation.definition(project, path, *placed(SPEC, at))
    shown = [f"{os.path.basename(one.file.name)} {one.line}:{one.column}" for one in found]
    assert ", ".join(shown) == DEFINITIONS[at]


@each("at", [*REFERENCES])
def test_the_users_of_a_part_name_what_it_declares(project: Project, at: str) -> None:
    path = os.path.realpath(os.path.join(project.folder, "towers", "text.yaml"))
    found = navigation.references(project, path, *placed(PART, at))
    shown = [
        f"{os.path.basename(one.span.file.name)} {one.span.line}:{one.span.column}" for one in found
    ]
    assert ", ".join(shown) == REFERENCES[at]


def test_nothing_outside_of_the_folder_is_read(project: Project, tmp_path: Path) -> None:
    inner = Project(os.path.join(project.folder, "towers"))
    path = os.path.realpath(os.path.join(project.folder, "spec.yaml"))
    assert inner.member(path) is None
    project.open.clear()
    assert project.part_path(path, "../other.yaml") is None
