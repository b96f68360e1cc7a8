"""The messages and places of syntax errors."""

from __future__ import annotations

from tests.helpers.cases import each
from tests.language.yaml_tree.reading import read


@each(
    "text, line, column",
    [
        ("é: é: b", 1, 5),
        ("é: [1,\nb", 2, 2),
        ("a: [1\n\n\n", 1, 6),
        ("😀: {😀: b, @", 1, 11),
        ("'é", 1, 3),
        ("a: {}}", 1, 6),
        ("a:\n\t- b", 2, 1),
        ("- a\nb: c", 2, 1),
        ("a: 'x' y", 1, 8),
        ("é: \x00", 1, 4),
        ("a: b\r\nc: \x1b", 2, 4),
        ("a: b\ufeffc", 1, 5),
        ("a: \ud800", 1, 4),
        (r'{"a": 1, "b": "\ud800"}' + "\n", 1, 15),
        ('{"a": "\ud800"}', 1, 8),
    ],
)
def test_syntax(text: str, line: int, column: int) -> None:
    _, [fault] = read(text)
    assert (fault.code, *fault.span[1:3]) == ("yaml-syntax", line, column)
    assert fault.message[0].islower() or fault.message[0] in "'\""


@each("text", [r'"\ud83d"', r'"\U00110000"', r'"\UFFFFFFFF"', "!<%ED%A0%80> x"])
def test_an_escape_that_is_not_a_character(text: str) -> None:
    assert [fault.code for fault in read(f"a: {text}")[1]] == ["yaml-syntax"]


def test_a_label_shows_an_open_collection() -> None:
    [fault] = read("a: 1\nb: [1\n")[1]
    assert [label.span[1:3] for label in fault.labels] == [(2, 4)]


def test_faults_before_a_syntax_error_are_reported() -> None:
    tree, found = read("a: no\nb: {1: x, c: 1, c: 2, d: [")
    assert tree is None
    assert [fault.code for fault in found] == [
        *("ambiguous-scalar", "yaml-subset", "duplicate-key", "yaml-syntax")
    ]
