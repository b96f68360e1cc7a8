"""Each version of a text that is edited has the same tree, types and diagnostics as a fresh reading."""

from __future__ import annotations

import random
from typing import Any

import pytest

from mimgraph.diagnostics import Report
from mimgraph.editor.analysis import Analysis, analyse
from mimgraph.editor.document.open_spec import OpenSpec
from mimgraph.emit.emit import emit
from mimgraph.language.parts.part_files import first_place
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.tree import Mapping, Tree
from mimgraph.source import SourceFile
from tests.conftest import SPECS
from tests.fuzz.typing import Typist, applied
from tests.helpers.cases import each

SPEC = """\
# a comment
params: {width: 4}
inputs:
  x: [8]
nodes:
  a: {layer: Linear, from: x, out_features: $width}
  b:
    layer: ReLU
    from: a

  c: {layer: Linear, from: b, out_features: 3}
outputs: c
"""

EDITS = {  # what is replaced by what, one after the other
    "an option": [("3}", "5}")],
    "a param": [("width: 4", "width: 6")],
    "an input": [("[8]", "[9]")],
    "a line above": [("nodes:\n", "nodes:\n\n\n"), ("nodes:\n\n\n", "nodes:\n")],
    "a node between": [("  b:\n", "  z: {layer: Tanh, from: a}\n  b:\n"), ("from: b", "from: z")],
    "a node twice": [("  c: {", "  c: {layer: ReLU, from: b}\n  c: {")],
    "a node renamed": [("  a: {", "  aa: {"), ("from: a", "from: aa")],
    "a word that two versions of YAML read differently": [("3}", "yes}"), ("yes}", "3}")],
    "an open bracket": [("width}", "width"), ("$width", "$width}")],
    "an open quote": [("layer: ReLU", "layer: 'ReLU"), ("'ReLU", "ReLU")],
    "an entry that goes on at the margin": [("{layer: Linear, from: b", "{layer: Linear,\n  from: b")],
    "a section that is misspelt": [("nodes:", "node:"), ("node:", "nodes:")],
    "a character in a comment": [("a comment", "a\0comment"), ("\0", " ")],
    "the end of the last line": [("outputs: c\n", "outputs: c")],
    "a text of lines": [("outputs: c\n", "doc: |\n  a"), ("  a", "  a\n"), ("  a\n", "  a\noutputs: c")],
}  # fmt: skip


def plain(tree: Any) -> Any:
    """Return a tree without the file of its spans, so that two readings can be compared."""
    if isinstance(tree, tuple):
        fields = tree[1:] if tree and isinstance(tree[0], SourceFile) else tree
        return [plain(one) for one in fields]
    return repr(tree)


def types(found: Analysis) -> Any:
    """Return the types that are known."""
    known = found.known_types
    if known is None:
        return None
    nodes = [
        (node.name, repr(node.results), node.arguments, node.freeze, node.declared.span[1:])
        for node in known.body.nodes
    ]
    return nodes, [str(one) for one in known.constraints], known.body.outputs, known.body.inputs


def shown(found: Analysis) -> Any:
    """Return the diagnostics with all that they say."""
    return [
        (one.code, one.message, one.note, one.help, one.node, plain((one.span, *one.labels)))
        for one in found.diagnostics
    ]


def check(spec: OpenSpec, path: str) -> Analysis:
    """Check that the analysis of the text equals a fresh one, and return it."""
    found = spec.analyse(first_place(path))
    file = SourceFile(spec.file.name, spec.file.text)
    fresh = analyse(file, first_place(path))
    tree = compose(file, Report().add)
    assert found.is_broken == (tree is None)
    assert plain(found.tree) == plain(tree or fresh.tree)
    assert shown(found) == shown(fresh)
    assert types(found) == types(fresh), spec.file.text
    if found.typed is not None and fresh.typed is not None:
        assert emit(found.typed).text == emit(fresh.typed).text
    return found


@each("edits", EDITS)
def test_edits(edits: list[tuple[str, str]]) -> None:
    spec = OpenSpec("a.yaml", SPEC)
    check(spec, "a.yaml")
    for old, new in edits:
        assert old in spec.file.text
        spec.file.become(spec.file.text.replace(old, new, 1))
        check(spec, "a.yaml")


def entry(tree: Tree | None, *keys: str) -> Tree:
    """Return the value at these keys."""
    for key in keys:
        assert isinstance(tree, Mapping)
        tree = tree.get(key)
    assert tree is not None
    return tree


def test_what_did_not_change_is_not_read_again() -> None:
    spec = OpenSpec("a.yaml", SPEC)
    first = spec.analyse()
    spec.file.become(SPEC.replace("3}", "5}"))
    second = spec.analyse()
    assert entry(first.tree, "nodes", "a") is entry(second.tree, "nodes", "a")
    assert first.declared is not None and second.declared is not None
    assert first.declared.nodes[0] is second.declared.nodes[0]
    assert first.typed is not None and second.typed is not None
    assert first.typed.body.nodes[0] is second.typed.body.nodes[0]
    assert first.typed.body.nodes[2] is not second.typed.body.nodes[2]


@pytest.mark.parametrize(
    "count",
    [30, pytest.param(1_000, marks=pytest.mark.slow), pytest.param(40_000, marks=pytest.mark.nightly)],
)  # fmt: skip
def test_random_edits(count: int) -> None:
    choose = random.Random(count)
    texts = {path: path.read_text() for path in SPECS}
    short = [path for path, text in texts.items() if len(text) < 3_000]
    while count > 0:
        path = choose.choice(short)
        spec = OpenSpec(str(path), texts[path])
        typist = Typist([*texts.values()], choose)
        for _ in range(30):
            spec.file.become(applied(spec.file.text, typist.next(spec.file.text)))
            check(spec, str(path))
            count -= 1
