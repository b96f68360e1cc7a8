"""Every spec of the gallery has a page with a picture that fits, and says how far it agrees with its reference."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest
from extension import gallery, pictures

from mimgraph.gallery.catalogue import entries
from tests.gallery.agreement import TABLE

NAMES = [entry.name for entry in entries()]
LARGE = {"clip", "detr", "perceiver", "tft", "two_tower_retrieval"}  # no depth fits


@cache
def made() -> dict[str, str]:
    return {page.path: page.content.decode() for page in gallery.pages()}


@pytest.mark.slow  # draws all specs
@pytest.mark.parametrize("name", NAMES)
def test_a_spec_has_a_page(name: str) -> None:
    page = made()[f"gallery/{name}.md"]
    for heading in ("Agreement", "Summary", "The spec", "The emitted code"):
        assert f"\n## {heading}\n" in page
    assert "Left out:" not in page
    for folder in ("pictures", "thumbnails"):
        for ending in (".svg", ".dark.svg"):
            svg = made()[f"gallery/{folder}/{name}{ending}"]
            width, height = map(float, re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2])
            if folder == "pictures" and name not in LARGE:
                assert width <= pictures.WIDEST and height <= pictures.HIGHEST + 60  # a legend
    assert f":link: {name}\n" in made()["gallery/index.md"]


def test_the_table_of_agreement_has_every_spec() -> None:
    table = json.loads(TABLE.read_text())
    assert list(table) == NAMES
    for name, found in table.items():
        if found["reference"] and found["size"] is not None:
            assert 0 <= found["difference"] <= 1e-5, name


@pytest.mark.parametrize(
    ("number", "text"), [(3e-7, "3 · 10⁻⁷"), (1e-6, "1 · 10⁻⁶"), (4e-9, "4 · 10⁻⁹")]
)
def test_small_numbers_are_powers_of_ten(number: float, text: str) -> None:
    assert gallery._power(number) == text
