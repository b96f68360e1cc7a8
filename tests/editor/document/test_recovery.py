"""A half-written spec still has the tree, the names and the types of all that stands."""

from __future__ import annotations

import json
from pathlib import Path

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.editor.analysis import Analysis, analyse
from mimgraph.ir.declared_graph import Apply
from mimgraph.source import SourceFile
from tests.helpers.cases import check_texts, each, texts

SPEC = """\
params: {width: 4}
inputs: {x: [8]}
nodes:
  a: {layer: Linear, from: x, out_features: $width}
  HERE
  c: {layer: Linear, from: a, out_features: 3}
outputs: c
"""


BROKEN = Path(__file__).with_name("broken_entries.md")
FORBIDDEN = "b: {layer: Re\0LU"  # by YAML


def analysis(text: str) -> Analysis:
    return analyse(SourceFile("a.yaml", text))


def types(found: Analysis) -> dict[str, str]:
    """Return the known types by node."""
    assert found.known_types is not None
    return {node.name: str(node.type) for node in found.known_types.body.nodes}


def data(tree: Tree | None) -> object:
    """Return a tree as plain data."""
    if isinstance(tree, Mapping):
        return {key.text: data(value) for key, value in tree.entries}
    if isinstance(tree, Sequence):
        return [data(item) for item in tree.items]
    assert isinstance(tree, Scalar)
    return tree.text


def read_of(entry: str) -> str:
    """Return the text of an entry as it was read, and check that the nodes beside it have types."""
    found = analysis(SPEC.replace("HERE", entry.removesuffix("\n")))
    assert isinstance(found.tree, Mapping)
    nodes = data(found.tree.get("nodes"))
    assert isinstance(nodes, dict)
    known = types(found)
    assert (known["a"], known["c"]) == ("(N, 4)", "(N, 3)")
    return json.dumps({name: value for name, value in nodes.items() if name not in "ac"}) + "\n"


def test_a_broken_entry_is_read_as_far_as_it_goes(rewrite: bool) -> None:
    check_texts(BROKEN, read_of, rewrite)
    assert json.loads(read_of(FORBIDDEN)) == {"b": {"layer": "Re?LU"}}


@each("entry", [FORBIDDEN, *(entry.removesuffix("\n") for entry, _ in texts(BROKEN).values())])
def test_what_stands_keeps_its_place(entry: str) -> None:
    """The text of each span is the text of its scalar."""
    text = SPEC.replace("HERE", entry)
    file = SourceFile("a.yaml", text)
    found = analyse(file)
    assert found.declared is not None
    (last,) = [node for node in found.declared.nodes if node.name == "c"]
    assert last.span.excerpt().text == "c"
    assert isinstance(last.operation, Apply)
    assert last.operation.options["out_features"].span.excerpt().text == "3"
    for node in found.declared.nodes:
        assert node.span.excerpt().text == node.name


SECTIONS = {
    "a section is open": ("inputs: {x: [8]\nnodes:\n  a: {layer: ReLU, from: x}\n", {"a": "(N, 8)"}),
    "a section begins": ("inputs: {x: [8]}\nnodes:\n  a: {layer: ReLU, from: x}\nout", {"a": "(N, 8)"}),
    "all is in brackets": ("{inputs: {x: [8]}, nodes: {a: {layer: ReLU, from: x}", {"a": "(N, 8)"}),
    "old and new line ends": ("inputs: {x: [8]}\r\nnodes:\r  a: {layer: ReLU, from: x", {"a": "(N, 8)"}),
    "a byte order mark": ("\ufeffinputs: {x: [8]}\nnodes:\n  a: {layer: ReLU, from: x", {"a": "(N, 8)"}),
}  # fmt: skip


@each("text, known", SECTIONS)
def test_other_sections_are_read(text: str, known: dict[str, str]) -> None:
    found = analysis(text)
    assert any(one.code == "yaml-syntax" for one in found.diagnostics)
    assert types(found) == known


def test_a_repair_adds_no_diagnostics() -> None:
    """What check says stands alone: faults of the repaired text are not told."""
    found = analysis(SPEC.replace("HERE", "b: {layer: Nowhere, from: ["))
    assert [one.code for one in found.diagnostics] == ["yaml-syntax"]
