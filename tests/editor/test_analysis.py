"""The analysis of a text has the diagnostics of `check`, and types the legal part of a wrong spec."""

from __future__ import annotations

import pytest

import mimgraph as mg
from mimgraph.editor.analysis import analyse
from mimgraph.source import SourceFile
from tests.helpers.cases import each

LEGAL = """
inputs: {x: [8]}
nodes:
  a: {layer: Linear, from: x, out_features: 4}
  b: {layer: ReLU, from: a}
outputs: b
"""
WRONG = LEGAL.replace("ReLU, from: a", "Conv2d, from: a")


def test_a_legal_spec_is_typed() -> None:
    found = analyse(SourceFile("a.yaml", LEGAL))
    assert found.typed is not None and found.known_types is found.typed
    assert not found.diagnostics


def test_of_a_wrong_spec_the_known_part_is_typed() -> None:
    found = analyse(SourceFile("a.yaml", WRONG))
    assert found.typed is None and found.known_types is not None
    assert [str(node.type) for node in found.known_types.body.nodes] == ["(N, 4)"]


@each("text", [WRONG, LEGAL.replace("8]", "8"), "", "[]", "params: {a: 1}"])
def test_the_diagnostics_are_those_of_check(text: str) -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(text, name="a.yaml")
    shown = [(one.code, one.message, one.span[1:]) for one in caught.value.diagnostics]
    found = analyse(SourceFile("a.yaml", text)).diagnostics
    assert [(one.code, one.message, one.span[1:]) for one in found] == shown
