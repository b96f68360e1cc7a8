"""Checks diagnostics rendered as text for people and as JSON for programs."""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.diagnostics.render import render_json, render_text
from mimgraph.source import PythonFile, SourceFile, Span
from tests.helpers.cases import each

BAD = SourceFile(
    "specs/bad.yaml",
    "name: Bad\n\n\n\n\nnodes:\n"
    "  features: {layer: Conv2d, from: image, out_channels: 8, kernel_size: 3}\n"
    "  numeric: {}\n"
    "  fused: {merge: concat, from: [features, numeric]}\n"
    "outputs: fused\n",
)


def find(file: SourceFile, line: int, text: str) -> Span:
    """Return the span of `text` in a line."""
    column = file.line(line).index(text) + 1
    return Span(file, line, column, line, column + len(text))


def shown(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def rows_of(line: str, part: str) -> tuple[str, str]:
    """Return a line as it is shown, and the marks below it."""
    fault = Diagnostic("cycle", "", find(SourceFile("a", line), 1, part))
    rows = render_text([fault]).splitlines()
    return rows[3].removeprefix(" 1 | "), rows[4].removeprefix("   | ")


MISMATCH = Diagnostic(
    "shape-mismatch",
    "concat along dim 1 needs equal sizes on every other axis",
    find(BAD, 9, "features"),
    "4 axes, but numeric is (N, 5)",
    (Label(find(BAD, 7, "features"), "(N, 8, 30, 30)"),),
    "flatten it first: {layer: Flatten, from: features}",
    "fused",
)


def test_the_example_of_the_design() -> None:
    expected = """
    error[shape-mismatch]: concat along dim 1 needs equal sizes on every other axis
      --> specs/bad.yaml:9:33
       |
     7 |   features: {layer: Conv2d, from: image, out_channels: 8, kernel_size: 3}
       |   -------- (N, 8, 30, 30)
     9 |   fused: {merge: concat, from: [features, numeric]}
       |                                 ^^^^^^^^ 4 axes, but numeric is (N, 5)
       |
       = help: flatten it first: {layer: Flatten, from: features}
    """
    assert render_text([MISMATCH]) == shown(expected)


def test_several_marks_on_a_line_and_a_wider_margin() -> None:
    file = SourceFile("wide.yaml", "\n" * 99 + "{a: 1, a: 2}")
    first, second = Span(file, 100, 2, 100, 3), Span(file, 100, 8, 100, 9)
    label = Label(first, "first given here")
    expected = """
    error[duplicate-key]: a is given twice
        --> wide.yaml:100:8
         |
     100 | {a: 1, a: 2}
         |        ^
         |  - first given here
    """
    rendered = render_text([Diagnostic("duplicate-key", "a is given twice", second, "", (label,))])
    assert rendered == shown(expected)


def test_a_label_in_another_file_and_help_of_two_lines() -> None:
    other = SourceFile("other.yaml", "x\n  use: it")
    fault = Diagnostic(
        *("cycle", "a block contains itself", find(BAD, 10, "fused")),
        labels=(Label(find(other, 2, "it"), "used here"), Label(find(BAD, 9, "fused"), "this")),
        help="one\ntwo",
    )
    expected = """
    error[cycle]: a block contains itself
       --> specs/bad.yaml:10:10
        |
      9 |   fused: {merge: concat, from: [features, numeric]}
        |   ----- this
     10 | outputs: fused
        |          ^^^^^
        |
       ::: other.yaml:2:8
        |
      2 |   use: it
        |        -- used here
        |
        = help: one
                two
    """
    assert render_text([fault]) == shown(expected)


def test_a_blank_line_between_diagnostics() -> None:
    assert render_text([MISMATCH, MISMATCH]) == "\n\n".join([render_text([MISMATCH])] * 2)
    assert render_text([]) == ""


@each(
    "line, part, row, signs",
    [
        ("a: bad", "bad", "a: bad", "   ^^^"),
        ("\ta: \tbad", "bad", "    a:     bad", "           ^^^"),
        ("a\tb", "\tb", "a    b", " ^^^^^"),
        ("日本: bad", "bad", "日本: bad", "      ^^^"),
        ("a: 日本", "日本", "a: 日本", "   ^^^^"),
        ("e\u0301: bad", "bad", "e\u0301: bad", "   ^^^"),
        ("a: b\u202ec: bad", "bad", "a: b\\u202ec: bad", "             ^^^"),
        ("\x1b[0m\x00 bad", "bad", "\\x1b[0m\\x00 bad", "            ^^^"),
        ("a: \xa0bad", "\xa0bad", "a: \\xa0bad", "   ^^^^^^^"),
        ("", "", "", "^"),
        ("a: ", "", "a:", "^"),
    ],
)
def test_columns(line: str, part: str, row: str, signs: str) -> None:
    shown_line, shown_signs = rows_of(line, part)
    assert (shown_line if row else "", shown_signs) == (row, signs)


def test_a_span_of_several_lines_is_underlined_to_the_end_of_its_first() -> None:
    span = Span(BAD, 7, 13, 9, 4)
    signs = render_text([Diagnostic("cycle", "", span)]).splitlines()[-1]
    assert signs == "   | " + " " * 12 + "^" * (len(BAD.line(7)) - 12)


def test_the_end_of_a_file_gets_one_caret() -> None:
    file = SourceFile("a", "a: [\n")
    rows = render_text([Diagnostic("yaml-syntax", "", Span(file, 1, 5, 1, 5))]).splitlines()
    assert rows[3:] == [" 1 | a: [", "   |     ^"]
    rows = render_text([Diagnostic("yaml-syntax", "", Span(file, 2, 1, 2, 1))]).splitlines()
    assert rows[3:] == [" 2 |", "   | ^"]


def test_a_long_line_is_cut_around_the_span() -> None:
    line, signs = rows_of("x" * 300 + "bad" + "y" * 300, "bad")
    assert line.startswith("…x") and line.endswith("y…") and len(line) == 202
    assert line[signs.index("^") :].startswith("bady") and signs.count("^") == 3

    line, signs = rows_of("bad" + "y" * 300, "y" * 300)
    assert line.startswith("bady") and line.endswith("y…")
    assert signs == "   " + "^" * 197


def test_marks_far_apart_in_a_long_line() -> None:
    file = SourceFile("a", "first " + "x" * 1000 + " bad")
    label = Label(find(file, 1, "first"), "here")
    fault = Diagnostic("cycle", "", find(file, 1, "bad"), labels=(label,))
    rows = render_text([fault]).splitlines()
    assert rows[3].endswith("x bad")
    assert rows[4].index("^") == rows[3].index("bad")
    assert rows[5] == "   |  - here"


def test_python_lines_are_underlined_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text("x = 1\n    y = layers.Linear(1)(x)  \n")
    span = Span(PythonFile(str(path)), 2, 1, 2, 1)
    assert render_text([Diagnostic("cycle", "no", span)]).splitlines() == [
        "error[cycle]: no",
        f"  --> {path}:2:1",
        "   |",
        " 2 |     y = layers.Linear(1)(x)",
        "   |     ^^^^^^^^^^^^^^^^^^^^^^^",
    ]


def test_python_without_a_file_shows_no_lines() -> None:
    span = Span(PythonFile("<stdin>"), 3, 1, 3, 1)
    rendered = render_text([Diagnostic("cycle", "no", span, help="so")])
    assert rendered == "error[cycle]: no\n  --> <stdin>:3:1\n   |\n   = help: so"


anything = st.text(st.characters(exclude_characters="\n\r"))


@given(anything, anything, anything, st.text(), st.integers(1, 9), st.integers(1, 9))
def test_control_characters_are_escaped(
    line: str, message: str, note: str, help: str, start: int, length: int
) -> None:
    file = SourceFile(message, line)
    span = Span(file, 1, start, 1, start + length)
    labels = (Label(Span(file, 1, 1, 1, 2), note),)
    rendered = render_text([Diagnostic("cycle", message, span, note, labels, help)])
    for char in rendered.replace("\n", ""):
        assert unicodedata.category(char)[0] != "C"
        assert char == " " or unicodedata.category(char)[0] != "Z"


@given(anything, st.text())
def test_without_the_color_codes_the_text_is_the_same(line: str, help: str) -> None:
    span = Span(SourceFile("a", line), 1, 1, 1, 3)
    fault = Diagnostic("cycle", line, span, line, (Label(span, help),), help)
    colored = render_text([fault], color=True)
    assert colored.startswith("\x1b[1;31merror[cycle]\x1b[0m")
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == render_text([fault])


def test_json() -> None:
    hostile = Diagnostic("cycle", "\ud800\x1b\u202e", Span(BAD, 1, 1, 1, 1))
    first, second = json.loads(render_json([MISMATCH, hostile]))
    assert first == {
        "code": "shape-mismatch",
        "message": "concat along dim 1 needs equal sizes on every other axis",
        "file": "specs/bad.yaml",
        "line": 9,
        "column": 33,
        "end_line": 9,
        "end_column": 41,
        "node": "fused",
        "help": "flatten it first: {layer: Flatten, from: features}",
        "fixes": [],
    }
    assert second["message"] == hostile.message
    assert render_json([]) == "[]"
