"""Nodes that are read while the text is composed, against the same nodes read from the whole tree."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from mimgraph.diagnostics import Report
from mimgraph.language.reader.early_nodes import can_begin
from mimgraph.language.reader.spec import read, read_tree
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.source import SourceFile
from tests.helpers.cases import EACH_SPEC_AND_PART, each, texts

NODES = texts(Path(__file__).with_name("early_nodes.md"))


def both(file: SourceFile) -> tuple[str, str]:
    """Return the declared graph and the faults of a text, as they are read and from its whole tree."""
    found, expected = Report(), Report()
    graph = read(file, found)
    tree = compose(file, expected.add)
    whole = None if tree is None else read_tree(tree, file, expected)
    return repr((graph, found.diagnostics, found.mentioned)), repr(
        (whole, expected.diagnostics, expected.mentioned)
    )


@each("case", NODES)
def test_nodes_and_faults_are_those_of_the_whole_tree(case: list[str]) -> None:
    text = f"inputs: {{x: [5]}}\nnodes:\n  {case[0]}outputs: a\n"
    assert can_begin(text)
    one, other = both(SourceFile("spec.yaml", text))
    assert one == other


@pytest.mark.parametrize("spec", EACH_SPEC_AND_PART)
def test_the_specs_declare_the_same(spec: Path) -> None:
    one, other = both(SourceFile("spec.yaml", spec.read_text()))
    assert one == other


def test_blocks_that_stand_below_the_nodes_are_known_to_them() -> None:
    text = (
        "inputs: {x: [5]}\nnodes: {a: {seq: [step], from: x}}\noutputs: a\n"
        "blocks: {step: {seq: [ReLU]}}\n"
    )
    assert not can_begin(text)
    one, other = both(SourceFile("spec.yaml", text))
    assert one == other


LINES = "".join(f"  n{i + 1}: {{layer: ReLU, from: n{i}}}\n" for i in range(400))
LARGE = {
    "lines alone": LINES,
    "a node on several lines between them": f"{LINES}  m:\n    layer: ReLU\n    from: n3\n  k: {{layer: ReLU, from: m}}\n",
    "a name that is given twice in the lines": f"{LINES}  n7: {{layer: ReLU, from: n3}}\n",
    "a name that is given twice elsewhere": f"{LINES}  n7:\n    layer: ReLU\n    from: n3\n",
    "a key that is indented too little": f"{LINES}  inplace: true\n",
    "an input in the same form below": f"{LINES}inputs:\n  n0: {{shape: [64], dtype: float32}}\n",
    "a comment between them": f"{LINES}# more\n  m: {{layer: ReLU, from: n3}}\n",
    "an unknown key": f"{LINES}  m: {{layer: ReLU, form: n3}}\n",
    "a text that is no YAML": f"{LINES}  m: {{layer: ReLU, from: n3\n",
}


@each("nodes", LARGE)
def test_lines_that_libyaml_does_not_read_declare_the_same(nodes: str) -> None:
    above = "" if "inputs:" in nodes else "inputs: {n0: [64]}\n"
    one, other = both(SourceFile("spec.yaml", f"name: Net\n{above}nodes:\n{nodes}outputs: n400\n"))
    assert one == other


def test_the_tree_of_a_large_spec_is_never_whole_in_memory() -> None:
    lines = "".join(f"  n{i + 1}: {{layer: ReLU, from: n{i}}}\n" for i in range(1_000))
    file = SourceFile("spec.yaml", f"inputs: {{n0: [64]}}\nnodes:\n{lines}outputs: n1000\n")
    read(file, Report())  # fills caches
    tracemalloc.start()
    tree = compose(file, Report().add)
    of_tree = tracemalloc.get_traced_memory()[0]
    del tree
    tracemalloc.reset_peak()
    graph = read(file, Report())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert graph is not None
    assert peak < of_tree
