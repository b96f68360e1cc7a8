"""Edits change a text at spans; what they do not touch stays as it is."""

from __future__ import annotations

import pytest

from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.source import SourceFile, Span
from tests.helpers.cases import each

FILE = SourceFile("a.yaml", "\ufeffab\r\ncd\ref\n")


@each(
    "place, text, result",
    [
        ((1, 1, 1, 2), "X", "\ufeffXb\r\ncd\ref\n"),
        ((1, 3, 1, 3), "X", "\ufeffabX\r\ncd\ref\n"),
        ((2, 2, 3, 1), "X", "\ufeffab\r\ncXef\n"),
        ((4, 1, 4, 1), "X", "\ufeffab\r\ncd\ref\nX"),
    ],
)
def test_an_edit(place: tuple[int, int, int, int], text: str, result: str) -> None:
    assert edited(FILE, [TextEdit(Span(FILE, *place), text)]) == result


def test_insertions_at_one_point_keep_their_order() -> None:
    point = Span(FILE, 2, 1, 2, 1)
    assert edited(FILE, [TextEdit(point, "1"), TextEdit(point, "2")]) == "\ufeffab\r\n12cd\ref\n"


def test_edits_that_overlap_are_refused() -> None:
    edits = [TextEdit(Span(FILE, 1, 1, 1, 3), ""), TextEdit(Span(FILE, 1, 2, 1, 3), "")]
    with pytest.raises(ValueError, match="overlap"):
        edited(FILE, edits)


def test_places_and_offsets_are_inverse() -> None:
    for offset in range(1, len(FILE.text)):
        if FILE.text[offset] not in "\n":
            assert FILE.offset(*FILE.place(offset)) == offset
