"""Text is measured in mimgraph's own fonts, which are as wide as Helvetica and Courier."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import TTFont

from mimgraph.picture.text_metrics import EM, FILES, WIDTHS, Face, Run, broken, line, plain

LETTERS = "Conv2d 16, kernel_size=3 + ReLU (N, 3, 32, 32) × 12 AVA"


@pytest.mark.parametrize(
    ("face", "font"),
    [("sans", "Helvetica"), ("bold", "Helvetica-Bold"), ("mono", "Courier")],
)
def test_letters_are_as_wide_as_in_the_fonts_of_viewers(face: Face, font: str) -> None:
    measured = line(10, Run(LETTERS, face)).width
    assert measured == pytest.approx(stringWidth(LETTERS, font, 10), rel=0.01)


CASES = [
    ("", []),
    ("Linear 1", ["Linear 1"]),
    ("one two three four", ["one two", "three four"]),
    ("size=[1, 16, 16], stride=2", ["size=[1, 16, 16],", "stride=2"]),
    ("a_name_that_is_longer_than_a_line and", ["a_name_that_is_longer_than_a_line", "and"]),
]


def test_lines_break_between_words_evenly() -> None:
    assert [(text, [*broken(text, 70, 10)]) for text, _ in CASES] == CASES


@given(st.text(st.characters(codec="utf-8"), max_size=80), st.integers(20, 200))
def test_breaking_keeps_every_letter(text: str, widest: int) -> None:
    lines = list(broken(text, widest, 10))
    assert " ".join(lines).split() == plain(text).split()


def test_characters_that_xml_forbids_are_replaced() -> None:
    forbidden = ["\x00", "\x1b[31m", "\ud800", "\uffff", "\x85"]
    assert {plain(text)[0] for text in forbidden} == {"\ufffd"}


def test_the_table_of_widths_agrees_with_the_fonts(rewrite: bool) -> None:
    table = {}
    for face, path in FILES.items():
        font, by_width = TTFont(face, path).face, dict[str, str]()
        for code, width in sorted(font.charWidths.items()):
            if code in font.charToGlyph:
                units = str(round(width * EM / 1000))
                by_width[units] = by_width.get(units, "") + chr(code)
        table[face] = by_width
    text = json.dumps(table, indent=1) + "\n"
    if rewrite:
        WIDTHS.write_text(text)
    assert WIDTHS.read_text() == text
