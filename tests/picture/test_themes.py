"""Both themes are readable, for colour-blind readers too, and kinds differ without any colour."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from mimgraph.picture.box_shapes import outline
from mimgraph.picture.geometry import Path, Place, Rect, Style
from mimgraph.picture.themes import PALETTES, SIGNS, Palette

TEXT, GRAPHIC = 4.5, 3.0  # least contrast of text and of graphics in WCAG 2.2 AA

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


@pytest.fixture(params=PALETTES)
def palette(request: pytest.FixtureRequest) -> Palette:
    return PALETTES[request.param]


def linear(color: str) -> list[float]:
    """Return the linear intensities of red, green and blue."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def luminance(rgb: list[float]) -> float:
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), rgb, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted(luminance(linear(color)) + 0.05 for color in (one, other))
    return light / dark


def lab(color: str, blindness: str) -> tuple[float, float, float]:
    """Return a colour in CIELAB as someone with a kind of colour blindness sees it."""
    light = linear(color)
    rgb = [
        min(max(sum(m * p for m, p in zip(row, light, strict=True)), 0), 1)
        for row in BLINDNESS[blindness]
    ]
    rows = (
        (0.4124, 0.3576, 0.1805, 0.9505),
        (0.2126, 0.7152, 0.0722, 1),
        (0.0193, 0.1192, 0.9505, 1.089),
    )
    parts = [sum(a * b for a, b in zip(row[:3], rgb, strict=True)) / row[3] for row in rows]
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in parts)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, blindness: str) -> float:
    """Return the Euclidean distance of two colours in CIELAB; 2 is just visible."""
    pairs = zip(lab(one, blindness), lab(other, blindness), strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5


def fills(palette: Palette) -> Iterator[str]:
    """Yield all colours behind text."""
    yield palette.page
    yield from palette.nested
    yield from (paint.fill for paint in (*palette.kinds.values(), *palette.marks.values()))


def test_contrast_follows_its_definition() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_text_can_be_read(palette: Palette) -> None:
    for fill in fills(palette):
        assert contrast(palette.text, fill) >= TEXT
        assert contrast(palette.faint, fill) >= TEXT


def test_letters_on_badges_can_be_read(palette: Palette) -> None:
    for color in (*palette.tags, *(paint.line for paint in palette.marks.values())):
        assert contrast(palette.page, color) >= TEXT


def test_outlines_and_edges_have_contrast_to_their_background(palette: Palette) -> None:
    for ground in (palette.page, *palette.nested):
        assert contrast(palette.edge, ground) >= GRAPHIC
        for paint in (*palette.kinds.values(), *palette.marks.values()):
            assert contrast(paint.line, ground) >= GRAPHIC
    for number, fill in enumerate(palette.nested):
        around = palette.nested[number - 1] if number else palette.page
        assert contrast(palette.wall, around) >= GRAPHIC
        assert contrast(palette.wall, fill) >= GRAPHIC


@pytest.mark.parametrize("of", ["kinds", "marks", "tags"])
def test_colours_differ_for_the_colour_blind_too(palette: Palette, of: str) -> None:
    paints = getattr(palette, of)
    lines = set(paints) if of == "tags" else {paint.line for paint in paints.values()}
    assert len(lines) >= 3
    pairs = itertools.product(itertools.combinations(sorted(lines), 2), BLINDNESS)
    alike = [(*pair, blindness) for pair, blindness in pairs if distance(*pair, blindness) < 8]
    assert alike == []


def test_kinds_differ_without_colours(palette: Palette) -> None:
    def drawn(kind: str) -> tuple[object, ...]:
        return tuple(
            (type(s), s.radius, s.place) if isinstance(s, Rect) else (type(s), s.steps)
            for s in outline(kind, 2 if kind == "block" else 0, Place(0, 0, 80, 40), Style())
            if isinstance(s, Rect | Path)
        )

    closed = {"seq", "block", "repeat"}  # equal except for the number of cards
    kinds = [kind for kind in palette.kinds if kind not in closed] + ["block"]
    assert len({drawn(kind) for kind in kinds}) == len(kinds)


def test_every_mark_has_its_own_sign(palette: Palette) -> None:
    assert palette.marks.keys() == SIGNS.keys() | {"follows", "unknown"}
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_a_follower_has_the_line_of_what_changed_and_a_tint_of_its_own(palette: Palette) -> None:
    changed, follows = palette.marks["changed"], palette.marks["follows"]
    assert follows.line == changed.line
    for other, blindness in itertools.product((changed, palette.kinds["layer"]), BLINDNESS):
        assert distance(follows.fill, other.fill, blindness) >= 4, (other, blindness)
