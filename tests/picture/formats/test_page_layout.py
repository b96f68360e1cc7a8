"""The page places everything where Python's layout does, however its blocks are folded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path as File

import pytest

import mimgraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.fold import levels
from mimgraph.picture.figure import figure
from mimgraph.picture.geometry import Path, Place, Rect, Shape
from mimgraph.picture.layout.layout import layout
from mimgraph.picture.scene import Direction, Scene
from tests.conftest import SPECS
from tests.helpers.browser import Tab
from tests.picture.formats.test_page import OVERLAPS

MODELS = ("mult", "unet_attention", "two_tower_retrieval")
MORE = ("resnet50", "vit_b16", "densenet121", "seq2seq_attention", "detr", "googlenet", "tft")
NEAR = 0.1  # points

# Returns the place of each item in points, as [x, y, width, height].
PLACES = """() => {
    const found = {};
    const area = (one) => {
        const { x, y, width, height } = one.getBBox();
        return [x, y, width, height];
    };
    for (const item of document.querySelectorAll("[data-id]")) {
        const wall = item.querySelector(":scope > .wall");
        if (wall) found[item.dataset.id] = area(wall);
        else {
            const { e, f } = item.transform.baseVal[0].matrix;
            const shapes = [...item.querySelectorAll(":scope > .shape")].map((one) => area(one));
            const low = (at) => Math.min(...shapes.map((one) => one[at]));
            const high = (at) => Math.max(...shapes.map((one) => one[at] + one[at + 2]));
            found[item.dataset.id] = [e + low(0), f + low(1), high(0) - low(0), high(1) - low(1)];
        }
    }
    return found;
}"""


# Returns the corners of the badges of boxes in points.
BADGES = """() => [...document.querySelectorAll("#picture .box > .tag > rect")].map((rect) => {
    const { e, f } = rect.closest("[data-id]").transform.baseVal[0].matrix;
    return [e + rect.x.baseVal.value, f + rect.y.baseVal.value];
})"""


def spec(name: str) -> mimgraph.Graph:
    return mimgraph.load(SPECS[0].with_name(f"{name}.yaml"))


CASES = [
    pytest.param(
        name, direction, wrap, marks=pytest.mark.slow if name in MODELS else pytest.mark.nightly
    )
    for direction, wrap in (("TB", False), ("TB", True), ("LR", False), ("LR", True))
    for name in (*MODELS, *MORE)
    if direction == "TB" or wrap == (name in MORE)
]


@pytest.mark.parametrize(("name", "direction", "wrap"), CASES)
def test_the_page_is_laid_out_as_the_static_picture_at_each_depth(
    tab: Tab, tmp_path: File, name: str, direction: Direction, wrap: bool
) -> None:
    graph = spec(name)
    whole = diagram(graph.typed)
    graph.draw(tmp_path / "page.html", depth=0, direction=direction, wrap=wrap)
    tab.open(tmp_path / "page.html")
    for depth in range(levels(whole) + 1):
        scene = Scene(whole, direction, depth, wrap=wrap)
        expected = layout(scene).places
        found = {id_: Place(*area) for id_, area in tab.page.evaluate(PLACES).items()}
        assert found == {id_: pytest.approx(place, abs=NEAR) for id_, place in expected.items()}
        paths = tab.page.locator("path.arrow")
        texts = paths.evaluate_all("all => all.map((one) => one.getAttribute('d'))")
        numbers = sorted(float(n) for text in texts for n in re.findall(r"-?[\d.]+", text))
        assert numbers == pytest.approx(sorted(arrows(scene)), abs=NEAR)
        badges = sorted(number for corner in tab.page.evaluate(BADGES) for number in corner)
        assert badges == pytest.approx(sorted(static_badges(scene)), abs=NEAR)
        tab.page.locator("#more").click()


def static_badges(scene: Scene) -> Iterator[float]:
    """Yield the corners of the badges of boxes in a static picture."""
    for group in figure(scene).groups:
        for shape in group.shapes if "node" in group.classes else ():
            if isinstance(shape, Rect) and (shape.radius, shape.place.height) == (6, 12):
                yield from shape.place[:2]


def arrows(scene: Scene) -> Iterator[float]:
    """Yield the coordinates of all arrowheads of a static picture, of equal ones once."""
    groups = (group for group in figure(scene).groups if "edge" in group.classes)
    heads = {corners(shape) for group in groups for shape in group.shapes} - {()}
    for head in heads:
        yield from head


def corners(shape: Shape) -> tuple[float, ...]:
    """Return the coordinates of an arrowhead; () if the shape is none."""
    if not isinstance(shape, Path) or not shape.closed:
        return ()
    return (*shape.start, *(number for step in shape.steps for number in step[-1]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unet_attention", "mult"])
def test_nothing_overlaps_when_single_blocks_are_folded_and_opened(
    tab: Tab, tmp_path: File, name: str
) -> None:
    spec(name).draw(tmp_path / "page.html", depth=1)
    tab.open(tmp_path / "page.html")
    assert tab.page.evaluate(OVERLAPS) == []
    blocks = tab.page.locator("[aria-level='1'][aria-expanded]")
    ids = blocks.evaluate_all("all => all.map((one) => one.getAttribute('data-id'))")
    for id_ in ids[:6]:
        tab.page.locator(f'[data-id="{id_}"]').focus()
        tab.page.keyboard.press("f")
        assert tab.page.evaluate(OVERLAPS) == [], id_
