"""The order of keys has every key, and no other; what an edit adds stands where the formatter puts it."""

from __future__ import annotations

from mimgraph.language.edit.spec_editor import SpecEditor
from mimgraph.language.formatter import BLOCK, INPUT, SPEC, formatted
from mimgraph.language.places import PLACES
from mimgraph.source import SourceFile
from tests.helpers.cases import each


@each("order, place", [(SPEC, "a spec"), (BLOCK, "a block"), (INPUT, "an input")])
def test_each_key_has_a_place(order: tuple[str, ...], place: str) -> None:
    assert sorted(order) == sorted(PLACES[place])


@each("section", ["parts", "limits", "params", "blocks"])
def test_a_section_that_an_edit_adds_stands_as_in_the_style(section: str) -> None:
    spec = SpecEditor(
        "params: {width: 8}\ninputs: {x: [5]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"
    )
    spec.set(section, one=1)
    assert formatted(SourceFile("model.yaml", spec.text)).text == spec.text


def test_a_section_of_a_block_stands_as_in_the_style() -> None:
    spec = SpecEditor(
        "inputs: {x: [5]}\n"
        "blocks:\n"
        "  head:\n"
        "    inputs: {a: [K]}\n"
        "    nodes: {b: {layer: ReLU, from: a}}\n"
        "    outputs: b\n"
        "nodes: {y: {block: head, from: x}}\n"
        "outputs: y\n"
    )
    spec.set("head.params", width=8)
    assert formatted(SourceFile("model.yaml", spec.text)).text == spec.text
