"""Lines of nodes that are read without libyaml give the tree that libyaml gives."""

from __future__ import annotations

from pathlib import Path

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
from tests.helpers.cases import each, texts

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


TEXTS = texts(Path(__file__).with_name("node_lines.md"))
PLAIN, OTHERS = (
    TEXTS.pop(f"lines that are {what}")[0].removesuffix("\n").split("\n")
    for what in ("read without libyaml", "not")
)
OTHERS += ["  a: {layer: ReLU, from: x}\r", f"  {'a' * 2000}: {{layer: ReLU, from: x}}"]


@each("line, is_plain", [*((one, True) for one in PLAIN), *((one, False) for one in OTHERS)])
def test_only_lines_in_the_plain_form_are_read_without_libyaml(line: str, is_plain: bool) -> None:
    text = f"inputs: {{x: [8]}}\nnodes:\n{line}\noutputs: a\n"
    assert lines_read(text) == is_plain
    assert_same(text)


A, B = "  a: {layer: ReLU, from: x}\n", "  b: {layer: Linear, from: a, out_features: 8}\n"

AROUND = {
    **{name: text for name, (text,) in TEXTS.items()},
    "a tab between": f"i: 1\nnodes:\n{A}\t\n{B}",
    "blanks between": f"i: 1\nnodes:\n{A}        \n{B}",
    "no line break at the end": f"i: 1\nnodes:\n{A}{B}".removesuffix("\n"),
    "blanks at the end": f"i: 1\nnodes:\n{A}{B}   ",
}


@each("text", AROUND)
def test_what_is_around_the_lines_may_be_anything(text: str) -> None:
    assert lines_read(text)
    assert_same(text)


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
