"""Keys are put in the order of the grammar; what an edit adds stands where the formatter puts it."""

from __future__ import annotations

from mimgraph.language.edit.spec_editor import SpecEditor
from mimgraph.language.formatter import formatted
from mimgraph.source import SourceFile
from tests.helpers.cases import each


def spec(input: str = "[4]", output: str = "n") -> str:
    """Return a spec with this input of its block, and this output."""
    return (
        "inputs: {x: [4]}\n"
        f"blocks:\n  b:\n    inputs:\n      v: {input}\n    seq: [ReLU]\n"
        f"nodes:\n  n: {{block: b, from: x}}\noutputs:\n  out: {output}\n"
    )


ORDERED = [
    ("{optional: true, shape: [4]}", "{shape: [4], optional: true}", "input"),
    ("{vocab: 3, dtype: int64}", "{dtype: int64, vocab: 3}", "input"),
    ("{only: training, from: n}", "{from: n, only: training}", "output"),
    ("{doc: the last, batch_dim: 1, from: n}", "{from: n, batch_dim: 1, doc: the last}", "output"),
]


@each("given, ordered, where", ORDERED)
def test_keys_inside_a_part_are_put_in_order(given: str, ordered: str, where: str) -> None:
    text = formatted(SourceFile("model.yaml", spec(**{where: given}))).text
    assert text == spec(**{where: ordered})


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
