"""A PNG shows what the SVG shows, in mimgraph's own fonts, and contains a description."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from mimgraph.picture.diagram.description import describe
from mimgraph.picture.diagram.model import Box, Diagram, Edge
from mimgraph.picture.errors import SmallWarning
from mimgraph.picture.formats import png
from mimgraph.picture.scene import Scene, Theme
from mimgraph.picture.themes import PALETTES
from tests.picture.scenes import EVERYTHING


def opened(scene: Scene) -> Image.Image:
    image = Image.open(io.BytesIO(png.render(scene)))
    image.load()
    return image


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_image_has_the_colours_of_the_theme(theme: Theme) -> None:
    image = opened(Scene(EVERYTHING, theme=theme)).convert("RGB")
    seen = {f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b) in image.getcolors(1 << 24) or ()}
    palette = PALETTES[theme]
    fills = {palette.kinds[kind].fill for kind in ("input", "merge", "output", "block")}
    assert {palette.page, palette.text, *fills} <= seen


def test_letters_are_drawn_in_the_fonts_of_the_package() -> None:
    def picture(title: str) -> bytes:
        return png.render(Scene(Diagram("D", "", (Box("x", "layer", title),), ())))

    assert picture("fi") != picture("tl")  # texts of equal width


def test_the_file_contains_a_description() -> None:
    assert opened(Scene(EVERYTHING)).info["Description"] == describe(EVERYTHING)


def test_a_long_picture_is_shrunk_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = tuple(Box(f"n{i}", "layer", "n") for i in range(30))
    edges = tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(29))
    scene = Scene(Diagram("Long", "", chain, edges))
    assert opened(scene).height > 1000
    monkeypatch.setattr(png, "LONGEST", 500)
    with pytest.warns(SmallWarning, match=r"the picture is 1,\d+ points high and had to be shrunk"):
        assert opened(scene).height == 500
    monkeypatch.setattr(png, "MOST_PIXELS", 4_000)
    with pytest.warns(SmallWarning):
        small = opened(scene)
    assert small.width * small.height == pytest.approx(4_000, rel=0.1)


@pytest.mark.slow
def test_the_same_scene_gives_the_same_bytes() -> None:
    assert png.render(Scene(EVERYTHING)) == png.render(Scene(EVERYTHING))
