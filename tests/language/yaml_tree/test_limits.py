"""Texts that are too large or too deep."""

from __future__ import annotations

from tests.helpers.cases import each
from tests.language.yaml_tree.reading import faults_in, parts, read, tree_of, value_of


@each("opening", ["[", "- ", "? ", "{a: ", '{"a":'])
def test_depth(opening: str) -> None:
    for times in (65, 100_000):
        tree, found = read(opening * times)
        assert tree is None
        assert [fault.code for fault in found] == ["too-large"]


def test_the_greatest_depth_allowed() -> None:
    assert len(parts(tree_of("[" * 64 + "]" * 64))) == 64


def test_depth_of_json() -> None:
    assert value_of(tree_of('{"a": ' * 64 + "1" + "}" * 64))
    assert faults_in('{"a": ' * 65 + "1" + "}" * 65) == ["too-large: {"]


def test_size_is_counted_in_bytes() -> None:
    assert value_of(tree_of("é" * (1 << 19))) == "é" * (1 << 19)
    assert [fault.code for fault in read("é" * (1 << 19) + "x")[1]] == ["too-large"]


@each(
    "text", ["&a " * 300_000, "{a: b, " * 100_000, "a: 1" + "0_" * 500_000, "a: |" + "\n" * 10**6]
)
def test_hostile_texts_get_a_short_message(text: str) -> None:
    _, found = read(text)
    assert all(len(fault.message) < 120 for fault in found)
