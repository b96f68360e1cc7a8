"""Source files: lines as an editor counts them, and spans."""

from __future__ import annotations

from pathlib import Path

from mimgraph.source import Excerpt, PythonFile, SourceFile, Span

TEXTS = {
    "nothing": ("", [""]),
    "one line": ("a: 1", ["a: 1"]),
    "a last line end": ("a: 1\n", ["a: 1", ""]),
    "every kind of line end": ("a\nb\r\nc\rd", ["a", "b", "c", "d"]),
    "what ends a line in Python alone": ("a\x0cb\u2028c\x85d", ["a\x0cb\u2028c\x85d"]),
    "a byte order mark": ("\ufeffa", ["a"]),
}


def test_the_lines_of_a_text() -> None:
    for case, (text, lines) in TEXTS.items():
        assert SourceFile("spec.yaml", text).lines == lines, case


def test_lines_are_counted_from_one_and_empty_beyond() -> None:
    file = SourceFile("spec.yaml", "a\nb")
    assert [file.line(number) for number in range(-1, 4)] == ["", "", "a", "b", ""]


def test_files_of_equal_text_are_not_equal() -> None:
    assert SourceFile("spec.yaml", "a") != SourceFile("spec.yaml", "a")


def test_a_python_file_is_read_when_a_line_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    file = PythonFile(str(path))
    path.write_text("x = 1\ny = 2  \n")
    assert [file.line(number) for number in range(4)] == ["", "x = 1", "y = 2  ", ""]


def test_a_python_file_that_was_edited_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    file = PythonFile(str(path))
    path.write_text("x = 1\n")
    assert file.line(1) == "x = 1"
    path.write_text("width = 8\n")
    assert file.line(1) == "width = 8"


def test_a_missing_python_file_has_empty_lines() -> None:
    assert PythonFile("<stdin>").line(1) == ""


def test_a_part_of_a_span() -> None:
    file = SourceFile("spec.yaml", "from: lstm.last")
    source = Span(file, 1, 7, 1, 16)
    assert source.part(5, 9) == Span(file, 1, 12, 1, 16)


EXCERPTS = {
    "a stretch of a line": ("a: {b: 1}, c: 2", (1, 1, 1, 10), "a: {b: 1}"),
    "lines, indented as the first": ("x:\n  a:\n    b: 1\n  c: 2", (2, 3, 3, 9), "a:\n  b: 1"),
    "lines that do not begin alike": (
        "- a: {b: 1,\n      c: 2}",
        (1, 3, 2, 12),
        "a: {b: 1,\n    c: 2}",
    ),
    "lines further left than the first": ("{a: {b: 1,\n c: 2}}", (1, 2, 2, 7), "a: {b: 1,\nc: 2}"),
    "a whole line, of a point in it": ("x = 1\n  y = 2\n", (2, 1, 2, 1), "y = 2"),
}


def test_the_text_of_a_span() -> None:
    for case, (text, place, expected) in EXCERPTS.items():
        found = Span(SourceFile("spec.yaml", text), *place).excerpt()
        assert found == Excerpt("spec.yaml", place[0], place[2], expected), case


def test_a_span_to_the_end_of_another() -> None:
    file = SourceFile("spec.yaml", "a:\n  b: 1")
    assert Span(file, 1, 1, 1, 2).to(Span(file, 2, 6, 2, 7)) == Span(file, 1, 1, 2, 7)
