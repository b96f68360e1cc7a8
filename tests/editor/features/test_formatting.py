"""Edits of a formatted document: few, of whole lines, and within the lines that are asked for."""

from __future__ import annotations

from mimgraph.editor.features.formatting import formatting
from mimgraph.language.formatter import formatted
from mimgraph.language.text_edits import edited
from mimgraph.source import SourceFile
from tests.conftest import ROOT
from tests.helpers.cases import each

LOOSE = """\
inputs: {x: [5]}
nodes:
  a: {from: x,layer: ReLU}
  b: {layer: ReLU, from: a}

  c: {from: b,layer: ReLU}
outputs: 'c'
"""
TEXTS = {
    "loose": LOOSE,
    "no line end": LOOSE.rstrip("\n"),
    "CRLF": LOOSE.replace("\n", "\r\n"),
    "BOM": f"\ufeff{LOOSE}",
    "blank lines at the end": f"{LOOSE}\n\n\n",
    "beyond the BMP": LOOSE.replace("'c'", "'c'  # \U0001f40c"),
    "in braces": "{inputs: {x: [5]}, nodes: {}, outputs: x}",
}


@each("name", [*TEXTS])
def test_edits_give_the_formatted_text(name: str) -> None:
    file = SourceFile("spec.yaml", TEXTS[name])
    assert edited(file, formatting(file)) == formatted(file).text != file.text


def test_lines_that_stay_are_in_no_edit() -> None:
    file = SourceFile("spec.yaml", LOOSE)
    assert [one.span[1:] for one in formatting(file)] == [(3, 1, 4, 1), (6, 1, 8, 1)]


def test_a_selection() -> None:
    file = SourceFile("spec.yaml", LOOSE)
    new = edited(file, formatting(file, 2, 4))
    assert new == LOOSE.replace("{from: x,layer: ReLU}", "{layer: ReLU, from: x}")
    assert formatting(file, 4, 5) == []


@each("text", ["nodes: {", (ROOT / "specs" / "clip.yaml").read_text()])
def test_nothing_to_do(text: str) -> None:
    assert formatting(SourceFile("spec.yaml", text)) == []
