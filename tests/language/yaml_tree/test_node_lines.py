"""Lines of nodes that are read without libyaml give the tree that libyaml gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimgraph.diagnostics import Diagnostic
from mimgraph.language.yaml_tree import yaml_events
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.node_lines import node_runs
from mimgraph.language.yaml_tree.scalars import ResolvedScalars
from mimgraph.language.yaml_tree.tree import Tree
from mimgraph.source import SourceFile
from tests.helpers.cases import each

NEVER = 1 << 30

Read = tuple[Tree | None, list[tuple[Diagnostic, tuple[str, ...]]]]


def read(file: SourceFile, long: int) -> Read:
    """Return the tree and the faults of a file, where texts of `long` characters are long."""
    found: list[tuple[Diagnostic, tuple[str, ...]]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_events, "LONG", long)
        tree = compose(file, lambda fault, *words: found.append((fault, words)))
    return tree, found


def assert_same(text: str) -> None:
    file = SourceFile("spec.yaml", text)
    assert read(file, 0) == read(file, NEVER)


def lines_read(text: str) -> int:
    """Return how many lines are read without libyaml."""
    runs = node_runs(SourceFile("spec.yaml", text), text, ResolvedScalars())
    return sum(len(run.items) // 2 for run in runs)


LINES = {
    "  a: {layer: Linear, from: x, out_features: 64}": True,
    "  a: {layer: Linear, from: x, out_features: $hidden}": True,
    "  a: {layer: Conv2d, from: x, kernel_size: [3, 3], stride: -1}": True,
    "  a: {merge: add, from: [x, y.port], alpha: 1e-5}": True,
    "  a: {layer: Dropout, from: x, p: .5}": True,
    "  a: {layer: Linear, from: x, bias: false}": True,
    "  a: {layer: ReLU, from: x, n: null}": True,
    "  a: {layer: yes, from: x}": False,  # the two versions of YAML read it differently
    "  yes: {layer: ReLU, from: x}": False,
    "  a: {layer: ReLU, from: 0x_1}": False,
    "  a: {layer: ReLU, layer: ReLU}": False,
    "  a: {null: 1}": False,
    "  a: {layer: 'ReLU', from: x}": False,
    "  a: {layer: ReLU, from: x} # why": False,
    "  a: {layer: ReLU, from: &b x}": False,
    "  a: {layer: ReLU, from: *b}": False,
    "  a: {layer: !!str ReLU}": False,
    "  a: {layer: ReLU, from: [x, [y]]}": False,
    "  a: {layer: ReLU, from: {input: x}}": False,
    "  a: {size: (3, 3)}": False,
    "  a: {{layer}}": False,
    "  a: {?layer: x}": False,
    "   a: {layer: ReLU, from: x}": False,
    " a: {layer: ReLU, from: x}": False,
    "  a:  {layer: ReLU, from: x}": False,
    "  a: {layer: ReLU,  from: x}": False,
    "  a: { layer: ReLU, from: x}": False,
    "  a: {layer: ReLU, from: é}": False,
    "  a: {}": False,
    "  a: {layer: ReLU, from: x}\r": False,
    f"  {'a' * 2000}: {{layer: ReLU, from: x}}": False,
}


@each("line", [*LINES])
def test_only_lines_in_the_plain_form_are_read_without_libyaml(line: str) -> None:
    text = f"inputs: {{x: [8]}}\nnodes:\n{line}\noutputs: a\n"
    assert lines_read(text) == LINES[line]
    assert_same(text)


A, B = "  a: {layer: ReLU, from: x}\n", "  b: {layer: Linear, from: a, out_features: 8}\n"

AROUND = {
    "a comment between": f"i: 1\nnodes:\n{A}  # why\n{B}",
    "a comment that is indented deeper": f"i: 1\nnodes:\n{A}    # why\n{B}",
    "an entry that is indented deeper": f"i: 1\nnodes:\n{A}    c: 1\n{B}",
    "a text in another form between": f"i: 1\nnodes:\n{A}  c:\n    layer: ReLU\n    from: x\n{B}",
    "the same name twice": f"i: 1\nnodes:\n{A}{A}{B}",
    "the same name in another form": f"i: 1\nnodes:\n{A}  a:\n    layer: ReLU\n{B}",
    "the section twice": f"i: 1\nnodes:\n{A}nodes:\n{B}",
    "the name of the mark": f"i: 1\nnodes:\n{A}  _: |-\n  _: {{a: b}}\n",
    "a section after them": f"i: 1\nnodes:\n{A}{B}blocks:\n{A}{B}outputs: b\n",
    "a wrong line after them": f"i: 1\nnodes:\n{A}{B}outputs: [b\n",
    "a wrong line between": f"i: 1\nnodes:\n{A}  c: {{layer: ReLU\n{B}",
    "a tab between": f"i: 1\nnodes:\n{A}\t\n{B}",
    "blanks between": f"i: 1\nnodes:\n{A}        \n{B}",
    "no line break at the end": f"i: 1\nnodes:\n{A}{B}".removesuffix("\n"),
    "blanks at the end": f"i: 1\nnodes:\n{A}{B}   ",
    "another document": f"i: 1\nnodes:\n{A}---\n{B}",
    "the end of the document": f"i: 1\nnodes:\n{A}...\n{B}",
    "a quoted text around": f'doc: "text\nnodes:\n{A}{B}"\n',
    "a text in single quotes around": f"doc: 'text\nnodes:\n{A}{B}'\n",
    "a document of one text": f"--- |\ntext\nnodes:\n{A}{B}",
    "a folded document": f"--- >\ntext\nnodes:\n{A}{B}",
    "a mapping in braces around": f"{{i: 1,\nnodes:\n{A}{B}}}\n",
    "an open brace before": f"i: {{a: 1\nnodes:\n{A}{B}",
    "an open bracket before": f"i: [1,\nnodes:\n{A}{B}]\n",
    "a brace after the section": f"i: 1\nnodes:\n  {{\n{A}{B}  }}\n",
    "a sequence around": f"i: 1\nnodes:\n- c: 1\n{A}{B}",
    "a key with a question mark": f"i: 1\nnodes:\n  ? c\n{A}{B}",
    "a key without a value": f"i: 1\nnodes:\n  c:\n{A}{B}",
    "a text that goes on": f"i: 1\nnodes:\n  c: one\n   two\n{A}{B}",
    "an anchor of the section": f"i: &i\nnodes:\n{A}{B}k: *i\n",
    "a template": f"i: {{{{ x }}}}\nnodes:\n{A}{B}",
    "a tag": f"i: !t\nnodes:\n{A}{B}",
}


@each("what", [*AROUND])
def test_what_is_around_the_lines_may_be_anything(what: str) -> None:
    assert lines_read(AROUND[what])
    assert_same(AROUND[what])


PIECES = st.sampled_from(
    [
        *(A, B, A, B, "nodes:\n", "\n", "  # c\n", "      # c\n", "  c: d\n", "    e: f\n"),
        *("outputs: b\n", "doc: |\n", "doc: >-\n", "doc: '", "'\n", 'doc: "', '"\n', "doc: [\n"),
        *("]\n", "{\n", "}\n", "- ", "---\n", "...\n", "  _: |-\n", "  _: {a: b}\n", "  ", "\t"),
        *("? ", ": ", "!t ", "&a ", "*a\n", "%YAML 1.1\n", "  text\n", "  g: |\n", "  h:\n"),
        *("{{ x }}\n", "\r\n", "  (3, 3)\n", "é\n"),
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=3), st.lists(PIECES, max_size=8))
def test_any_text_gives_the_same_tree_and_faults(before: list[str], behind: list[str]) -> None:
    assert_same("".join((*before, "i: 1\nnodes:\n", *behind)))
    assert_same("".join((*before, "\nnodes:\n", A, *behind)))


WORDS = st.text("aey_.$-+0x1:#'[]{}, ", min_size=1, max_size=5)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3))
def test_any_keys_and_values_give_the_same_tree_and_faults(pairs: list[tuple[str, str]]) -> None:
    inner = ", ".join(f"{key}: {value}" for key, value in pairs)
    assert_same(f"i: 1\nnodes:\n  a: {{{inner}}}\n  b: {{layer: ReLU, from: [{pairs[0][1]}]}}\n")
