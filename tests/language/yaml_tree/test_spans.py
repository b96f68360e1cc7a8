"""The spans of scalars and collections."""

from __future__ import annotations

from mimgraph.declare.tree import Scalar
from tests.helpers.cases import each
from tests.language.yaml_tree.reading import covered, faults_in, parts, read, tree_of, value_of

PLACES = """\
name: Two  # words

inputs:
    é: [3, 'x y', "\\n"]
nodes:
- a

- {b:   , c: x, d: 1}


last:
- many
  words

# the end
"""


def test_every_span_covers_its_text() -> None:
    covers = [covered(part.span) for part in parts(tree_of(PLACES))]
    assert covers[1:] == [
        *("name", "Two", "inputs", "é: [3, 'x y', \"\\n\"]", "é", "[3, 'x y', \"\\n\"]", "3"),
        *("'x y'", '"\\n"', "nodes", "- a\n\n- {b:   , c: x, d: 1}", "a", "{b:   , c: x, d: 1}"),
        *("b", "", "c", "x", "d", "1", "last", "- many\n  words", "many\n  words"),
    ]
    assert covers[0].startswith("name: Two  # words\n\ninputs:") and covers[0].endswith("  words")


@each("style", ["|", ">", "|-", "|+"])
def test_the_span_of_a_block_text_ends_with_its_last_line(style: str) -> None:
    tree = tree_of(f"a:\n  b: {style}\n    one\n\n    two\n\n\n  c: 1\n")
    assert [covered(part.span) for part in parts(tree)[4:5]] == [f"{style}\n    one\n\n    two"]


@each("text, column", [("a:\n\nb: 1", 3), ("{a: }", 4), ("{a}", 3), ("a:   # none", 3), ("? a", 4)])
def test_the_span_of_an_empty_value_is_behind_its_key(text: str, column: int) -> None:
    value = parts(tree_of(text))[2]
    assert (value_of(value), *value.span[1:]) == (None, 1, column, 1, column)


@each(
    "text, part",
    [
        ("$hidden", "hid"),
        ("'$hidden'", "hid"),
        ('"$hidden"', "hid"),
        ("é$hidden", "$hi"),
        (r'"\x24hidden"', r'"\x24hidden"'),
        ("'a''bc'", "'a''bc'"),
        ("ab\n  cd", "ab\n  cd"),
    ],
)
def test_part_of_a_scalar(text: str, part: str) -> None:
    scalar = parts(tree_of(f"- {text}"))[1]
    assert isinstance(scalar, Scalar)
    assert covered(scalar.part(1, 4)) == part


@each("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    text = end.join(["# \u2028é", "a: 1", "", "b: no", "c: [", "'"])
    _, found = read(text)
    assert [fault.span[1:3] for fault in found] == [(4, 4), (6, 2)]


def test_line_breaks_of_yaml_1_1_are_part_of_a_line() -> None:
    tree = tree_of("# a \u2028 b: 1\nc: 'x\x85y\u2029z'")
    assert value_of(tree) == {"c": "x\x85y\u2029z"}
    assert parts(tree)[2].span[1:] == (2, 4, 2, 11)


@each("character", ["\x85", "\xa0", "\u2003", "\u2028"])
def test_a_mapping_ends_behind_any_character_that_is_no_blank(character: str) -> None:
    tree = tree_of(f"a:\n  b: 1{character} \n")
    assert [part.span[3:] for part in parts(tree)] == [(2, 8), (1, 2), (2, 8), (2, 4), (2, 8)]


@each("text", ["a: no", '{"a": 1, "a": 2}', "a: \x00"])
def test_a_byte_order_mark_is_not_counted_as_a_column(text: str) -> None:
    assert faults_in("\ufeff" + text) == faults_in(text)
    assert [fault.span[1:] for fault in read("\ufeff" + text)[1]] == [
        fault.span[1:] for fault in read(text)[1]
    ]
