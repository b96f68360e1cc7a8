"""Hostile and random texts add nothing to a file, whatever its format."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from mimgraph.picture.formats import dot, pdf, png
from mimgraph.picture.scene import Scene
from tests.fuzz.amounts import amounts
from tests.picture.formats.test_dot import parsed
from tests.picture.formats.test_svg import drawn, groups
from tests.picture.scenes import HOSTILE, hostile


def in_svg(word: str) -> Any:
    """Return the elements but for lines of text, whose number depends on the text."""
    lines = ("{http://www.w3.org/2000/svg}text", "{http://www.w3.org/2000/svg}tspan")
    elements = [one for one in drawn(Scene(hostile(word))).iter() if one.tag not in lines]
    return [(one.tag, sorted(one.attrib), one.get("class")) for one in elements]


def in_png(word: str) -> Any:
    image = Image.open(io.BytesIO(png.render(Scene(hostile(word)))))
    image.load()
    return image.format


def in_pdf(word: str) -> Any:
    found = PdfReader(io.BytesIO(pdf.render(Scene(hostile(word)))), strict=True)
    return found.trailer["/Root"].keys(), len(found.pages)


def in_dot(word: str) -> Any:
    text = dot.render(Scene(hostile(word)))
    assert not any(ord(c) < 32 and c not in "\n\t\r" for c in text)
    read = parsed(text)
    return [one["name"] for one in read["objects"]], len(read["edges"])


def boxes_in_svg(word: str) -> Any:
    return [*groups(drawn(Scene(hostile(word))), "node")]


@pytest.mark.parametrize(
    "found",
    [in_svg, *(pytest.param(one, marks=pytest.mark.slow) for one in (in_png, in_pdf, in_dot))],
)
def test_hostile_text_adds_nothing(found: Callable[[str], Any]) -> None:
    plain = found("plain")
    words = HOSTILE[1:] if found is in_svg else HOSTILE  # without a text, a box has less
    assert [word for word in words if found(word) != plain] == []


@amounts(12, 100, 1_000)
@pytest.mark.parametrize("found", [boxes_in_svg, in_pdf])
def test_random_text_adds_nothing(found: Callable[[str], Any], amount: settings) -> None:
    plain = found("plain")

    def check(word: str) -> None:
        assert found(word) == plain

    amount(given(st.text())(check))()
