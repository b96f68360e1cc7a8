"""The parts of YAML that specs do not have, and duplicate keys."""

from __future__ import annotations

from pathlib import Path

from mimgraph.declare.tree import Mapping
from mimgraph.ir.declared_values import FAULTY
from tests.helpers.cases import check_texts, each
from tests.language.yaml_tree.reading import covered, faults_in, read, tree_of, value_of


def test_outside_of_the_subset(rewrite: bool) -> None:
    def pointed_at(text: str) -> str:
        return "".join(f"{fault.removeprefix('yaml-subset: ')}\n" for fault in faults_in(text))

    check_texts(Path(__file__).with_name("subset.md"), pointed_at, rewrite)
    assert faults_in("? \n: x") == ["yaml-subset: "]


def test_the_help_for_anchors_and_merge_keys() -> None:
    assert "use params" in read("a: &x 1")[1][0].help
    assert "blocks for" in read("<<: {a: 1}")[1][0].help


def test_an_anchored_value_is_still_read() -> None:
    assert value_of(read("a: &x 1\nb: *x\nc: !t 1")[0]) == {"a": 1, "b": FAULTY, "c": FAULTY}


@each("key", ["1", "on", "[a]", "<<", "*x", "0x_1"])
def test_a_faulty_key_leaves_its_mapping_incomplete(key: str) -> None:
    tree, found = read(f"{key} : {{c: 1}}\nb: 2")
    assert isinstance(tree, Mapping) and tree.lost
    assert value_of(tree) == {"b": 2}
    assert len(found) == 1


def test_legal_keys() -> None:
    text = "y: 1\nn: 2\n'1': 3\n'': 4\n'<<': 5\n? long\n: 6"
    assert list(value_of(tree_of(text))) == ["y", "n", "1", "", "<<", "long"]


@each("text", ["a: 1\nb: 2\n'a': 3\na: 4", '{"a": 1, "b": 2,\n"a": 3, "a": 4}'])
def test_duplicate_key(text: str) -> None:
    tree, found = read(text)
    assert value_of(tree) == {"a": FAULTY, "b": 2}  # nobody knows which is meant
    assert [fault.code for fault in found] == ["duplicate-key"] * 2
    for fault in found:
        [(first, words)] = fault.labels
        assert covered(fault.span).strip("'\"") == "a"
        assert (first.line, words) == (1, "first given here")


@each("text", ["", "# nothing\n", "---\n", " \n\n", "\ufeff"])
def test_empty_document(text: str) -> None:
    assert value_of(tree_of(text)) == {}


def test_get() -> None:
    tree = tree_of("a: 1\nb: 2")
    assert isinstance(tree, Mapping)
    assert value_of(tree.get("b")) == 2
    assert tree.get("c") is None
