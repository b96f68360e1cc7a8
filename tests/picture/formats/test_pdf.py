"""A PDF holds its text as text and embeds its fonts; it is not written by Graphviz."""

from __future__ import annotations

import io

import pytest
from pypdf import PageObject, PdfReader

from mimgraph.picture.diagram.description import describe
from mimgraph.picture.diagram.model import Box, Diagram
from mimgraph.picture.errors import SmallWarning
from mimgraph.picture.formats import pdf
from mimgraph.picture.scene import Scene
from tests.picture.scenes import EVERYTHING


def read(scene: Scene) -> PdfReader:
    return PdfReader(io.BytesIO(pdf.render(scene)), strict=True)


def page(scene: Scene) -> PageObject:
    (only,) = read(scene).pages
    return only


def titled(title: str) -> Scene:
    return Scene(Diagram("D", "", (Box("x", "layer", title),), ()))


def test_text_can_be_selected() -> None:
    text = page(Scene(EVERYTHING)).extract_text()
    for word in ("fused", "formula g * a", "residual × 12", "last as query", "in training"):
        assert word in text


def test_fonts_are_embedded() -> None:
    fonts = page(Scene(EVERYTHING))["/Resources"]["/Font"]
    found = {font.get_object()["/BaseFont"]: font.get_object() for font in fonts.values()}
    assert {name.partition("+")[2] for name in found} == {
        "MimgraphSans-Regular",
        "MimgraphSans-Bold",
        "MimgraphMono-Regular",
    }
    assert all("/FontFile2" in font["/FontDescriptor"] for font in found.values())


def test_the_title_and_subject_describe_the_picture() -> None:
    metadata = read(Scene(EVERYTHING)).metadata
    assert metadata is not None
    assert metadata.title == "Everything"
    assert metadata.subject == describe(EVERYTHING)


def test_the_same_scene_gives_the_same_bytes() -> None:
    assert pdf.render(Scene(EVERYTHING)) == pdf.render(Scene(EVERYTHING))


@pytest.mark.parametrize(
    ("letters", "shown"),
    [("größer × → − …", "größer × → − …"), ("αβγ Ж", "αβγ Ж"), ("a漢🙂b", "a□□b")],
    ids=["Latin", "Greek and Cyrillic", "not in the fonts"],
)
def test_letters_of_other_scripts_are_kept_and_unknown_ones_replaced(
    letters: str, shown: str
) -> None:
    assert page(titled(letters)).extract_text().strip() == shown


def test_a_long_picture_is_shrunk_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_POINTS", 100)
    with pytest.warns(SmallWarning, match="points high"):
        found = page(Scene(EVERYTHING))
    assert max(found.mediabox[2:]) == pytest.approx(100)
