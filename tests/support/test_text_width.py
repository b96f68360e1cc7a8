"""Texts are cut to the columns that they take, in one pass."""

from __future__ import annotations

import pytest

from mimgraph.support.terminal import shortened, text_width


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("name", 4, "name"),
        ("names", 4, "nam…"),
        ("größer", 4, "grö…"),
        ("漢字漢字", 6, "漢字…"),
        ("é" * 200_000, 5, "éééé…"),
    ],
    ids=["fits", "ASCII", "letters", "wide", "long"],
)
def test_a_text_is_cut(text: str, width: int, cut: str) -> None:
    assert shortened(text, width) == cut
    assert text_width(cut) <= width
