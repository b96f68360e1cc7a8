"""From the cursor to where a name is defined and used, in the spec, its parts and its users."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from mimgraph.editor.features import navigation
from mimgraph.language.files import naming_parts
from mimgraph.language.occurrences import Project
from mimgraph.source import Span
from tests.helpers.cases import check_texts
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


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "towers").mkdir()
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "towers" / "text.yaml").write_text(PART)
    return Project(str(tmp_path), listed=naming_parts)


def placed(spec: str, marked: str) -> tuple[int, int]:
    plain = marked.replace("▮", "")
    assert spec.count(plain) == 1
    return pointed(spec.replace(plain, marked))[1:]


def listed(spans: Iterable[Span]) -> str:
    lines = [f"{os.path.basename(one.file.name)} {one.line}:{one.column}\n" for one in spans]
    return "".join(lines) or "nowhere\n"


def test_a_name_leads_to_its_definition(project: Project, rewrite: bool) -> None:
    path = os.path.realpath(os.path.join(project.folder, "spec.yaml"))

    def definition(at: str) -> str:
        return listed(navigation.definition(project, path, *placed(SPEC, at.strip("\n"))))

    check_texts(Path(__file__).with_name("definitions.md"), definition, rewrite)


def test_the_users_of_a_part_name_what_it_declares(project: Project, rewrite: bool) -> None:
    path = os.path.realpath(os.path.join(project.folder, "towers", "text.yaml"))

    def references(at: str) -> str:
        found = navigation.references(project, path, *placed(PART, at.strip("\n")))
        return listed(one.span for one in found)

    check_texts(Path(__file__).with_name("references.md"), references, rewrite)


def test_nothing_outside_of_the_folder_is_read(project: Project, tmp_path: Path) -> None:
    inner = Project(os.path.join(project.folder, "towers"))
    path = os.path.realpath(os.path.join(project.folder, "spec.yaml"))
    assert inner.member(path) is None
    project.open.clear()
    assert project.part_path(path, "../other.yaml") is None
