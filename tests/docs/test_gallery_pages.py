"""Every spec of the gallery has a page with a picture that fits, and says how far it agrees with its reference."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import product

import pytest

from mimgraph.gallery.catalogue import entries
from tests.conftest import needed
from tests.gallery.agreement import TABLE

needed("sphinx")
from extension import gallery, pictures

pytestmark = pytest.mark.slow

NAMES = [entry.name for entry in entries()]
LARGE = {"clip", "detr", "perceiver", "tft", "two_tower_retrieval"}  # no depth fits


@cache
def made() -> dict[str, str]:
    return {page.path: page.content.decode() for page in gallery.pages()}


def faults(name: str) -> Iterator[str]:
    """Yield the faults of the page of a spec."""
    page = made()[f"gallery/{name}.md"]
    for heading in ("Agreement", "Summary", "The spec", "The emitted code"):
        if f"\n## {heading}\n" not in page:
            yield heading
    if "Left out:" in page:
        yield "something is left out"
    for folder, ending in product(("pictures", "thumbnails"), (".svg", ".dark.svg")):
        svg = made()[f"gallery/{folder}/{name}{ending}"]
        width, height = map(float, re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2])
        fits = width <= pictures.WIDEST and height <= pictures.HIGHEST + 60  # a legend
        if folder == "pictures" and name not in LARGE and not fits:
            yield f"{width} x {height} points"
    if f":link: {name}\n" not in made()["gallery/index.md"]:
        yield "not in the index"


def test_a_spec_has_a_page() -> None:
    assert {name: found for name in NAMES if (found := [*faults(name)])} == {}


def test_the_table_of_agreement_has_every_spec() -> None:
    table = json.loads(TABLE.read_text())
    assert list(table) == NAMES
    for name, found in table.items():
        if found["reference"] and found["size"] is not None:
            assert 0 <= found["difference"] <= 1e-5, name


def test_small_numbers_are_powers_of_ten() -> None:
    expected = {3e-7: "3 · 10⁻⁷", 1e-6: "1 · 10⁻⁶", 4e-9: "4 · 10⁻⁹"}
    assert {number: gallery._power(number) for number in expected} == expected
