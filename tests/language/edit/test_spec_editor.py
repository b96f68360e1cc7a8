"""An edit changes what it names and nothing else; `--rewrite` replaces the lines in the cases."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.infer.graph import infer
from mimgraph.language.edit.spec_editor import SpecEditor
from mimgraph.language.read_spec import read
from mimgraph.source import SourceFile
from tests.helpers.cases import check_texts, each, texts

SPEC = Path(__file__).with_name("edited.yaml").read_text()


def run(text: str, calls: str) -> SpecEditor:
    """Return the spec after the calls."""
    spec = SpecEditor(text)
    exec(calls, {"spec": spec})  # noqa: S102 - the calls of the tables in this file
    return spec


def changes(before: str, after: str) -> list[str]:
    """Return the lines that were taken away and put in, in the order of the text."""
    found = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[0] + line[2:] for line in found if line[0] in "+-"]


def test_only_the_lines_of_an_edit_change(rewrite: bool) -> None:
    def lines(calls: str) -> str:
        spec, report = run(SPEC, calls), Report()
        declared = read(SourceFile("spec.yaml", spec.text), report)
        assert declared is not None
        infer(declared, report)
        assert {one.code for one in report.diagnostics} <= {"unused-node"}
        return "".join(f"{line}\n" for line in changes(SPEC, spec.text))

    check_texts(Path(__file__).with_name("edits.md"), lines, rewrite)


@each("calls, message", texts(Path(__file__).with_name("edit_refusals.md")))
def test_an_edit_that_cannot_be_made_changes_nothing(calls: str, message: str) -> None:
    spec = SpecEditor(SPEC)
    with pytest.raises((mg.SpecError, TypeError)) as caught:
        exec(calls, {"spec": spec})  # noqa: S102 - as above
    assert message.strip() in str(caught.value)
    assert spec.text == SPEC and not spec.diff()


def test_comments_and_json_stay_as_they_are(rewrite: bool) -> None:
    path = Path(__file__).with_name("edited_specs.md")
    check_texts(path, lambda text, calls: run(text, calls).text, rewrite)


def test_a_file_is_checked_and_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_bytes(SPEC.replace("\n", "\r\n").encode())
    spec = mg.edit(path)
    spec.add("more", {"layer": "Linear", "from": "fc", "out_features": 2}, after="fc")
    with pytest.raises(mg.SpecError, match="no output depends on more"):
        spec.save()
    assert path.read_bytes() == SPEC.replace("\n", "\r\n").encode()
    spec.set("outputs", more="more")
    assert "+  more: {layer: Linear" in spec.diff()
    spec.save()
    assert not spec.diff() and path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n")
    assert str(mg.load(path).nodes["more"].shape) == "(N, 2)"
    path.write_text(SPEC)
    with pytest.raises(ValueError, match="changed by another program"):
        spec.save()
