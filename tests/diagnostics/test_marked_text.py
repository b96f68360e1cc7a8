"""A text is a string with code in it, which a diagnostic keeps as parts."""

from __future__ import annotations

import pickle

import pytest

from mimgraph.diagnostics import MAX_TEXT, Diagnostic, Label
from mimgraph.diagnostics.text import (
    Part,
    Text,
    choices_of,
    code,
    did_you_mean,
    drop,
    insert,
    name,
    parts_of,
    put,
    settled,
    unmarked,
    words,
)
from mimgraph.source import SourceFile

START = SourceFile("spec.yaml", "").start


@pytest.mark.parametrize(
    ("marked", "reads", "parts"),
    [
        ("plain", "plain", ("plain",)),
        (f"write {put('dim: 1')}", "write dim: 1", ("write ", Part("put", "dim: 1"))),
        (put(3), "3", (Part("put", "3"),)),
        (f"{code('$T')} and {drop('it')}", "$T and it", (Part("code", "$T"), " and ", Part("drop", "it"))),
        (did_you_mean("a", "b"), "did you mean a or b?", ("did you mean ", Part("name", "a"), " or ", Part("name", "b"), "?")),
        (words("seq", "Sequential"), "seq", (Part("words", "seq", "Sequential"),)),
        (insert("{layer: ReLU, from: x}"), "{layer: ReLU, from: x}", (Part("insert", "{layer: ReLU, from: x}"),)),
    ],
)  # fmt: skip
def test_parts(marked: str, reads: str, parts: tuple[str | Part, ...]) -> None:
    text = Text(marked)
    assert (text, text.parts, parts_of(settled(marked))) == (reads, parts, parts)
    assert unmarked(marked) == reads
    assert type(unmarked(marked)) is str


def test_marked_texts_are_composed_as_strings_are() -> None:
    help = "; ".join([put("a: {x}"), code("b")]).replace("{x}", "3") + "!"
    assert Text(help).parts == (Part("put", "a: 3"), "; ", Part("code", "b"), "!")


def test_a_diagnostic_has_no_marks() -> None:
    label = Label(START, code("true"))
    found = Diagnostic("cycle", name("x"), START, put("y"), (label,), drop("z"))
    texts = (found.message, found.note, found.labels[0].text, found.help)
    assert texts == ("x", "y", "true", "z")
    assert [parts_of(text)[0][0] for text in texts] == ["name", "put", "code", "drop"]
    again = pickle.loads(pickle.dumps(found))
    assert (again.message, again.help) == (found.message, found.help)
    assert parts_of(again.help) == parts_of(found.help)


def test_what_is_left_of_a_mark_is_text() -> None:
    assert Text(put("x")[:-1]).parts == (put("x")[:-1],)
    long = Diagnostic("cycle", put("x" * MAX_TEXT + "y"), START).brief()
    assert parts_of(long.message) == ("x" * (MAX_TEXT - 1) + "\N{HORIZONTAL ELLIPSIS}",)


def test_at_most_four_choices_are_proposed() -> None:
    assert [*choices_of("abcd")] == [put(letter) for letter in "abcd"]
    assert [*choices_of("abcde")] == [*"abcde"]


@pytest.mark.parametrize(
    ("yaml", "flow"), [("dim: 1", "{dim: 1}"), ("{dim: 1}", "{dim: 1}"), ("[a]", "[a]"), ('"a: b"', '"a: b"')]
)  # fmt: skip
def test_entries_are_a_value_in_braces(yaml: str, flow: str) -> None:
    assert Part("put", yaml).flow == flow
