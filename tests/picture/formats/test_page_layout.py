"""The page places everything where Python's layout does, however its blocks are folded."""

from __future__ import annotations

import re
from pathlib import Path as File

import pytest

import mimgraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.captions import box_size, cluster_line
from mimgraph.picture.diagram.fold import fold, levels
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, every
from mimgraph.picture.figure import figure
from mimgraph.picture.geometry import Path, Place
from mimgraph.picture.layout.hops import ROOT
from mimgraph.picture.layout.layout import BARE_ROOM, LABEL_GAP, MARGIN, TITLE, TITLE_ROOM, layout
from mimgraph.picture.layout.place import Caption, Extent, Frame, Spot, place
from mimgraph.picture.layout.plan import Plan, Plans, plans
from mimgraph.picture.scene import Direction, Scene
from tests.conftest import SPECS
from tests.helpers.browser import Tab

MODELS = ("mult", "detr", "two_tower_retrieval")
MORE = ("resnet50", "vit_b16", "densenet121", "seq2seq_attention", "googlenet", "tft")
NEAR = 0.1  # points

# Returns the place of each item and title in points, as [x, y, width, height].
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


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize(
    "name", [*MODELS, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)]
)
def test_places_are_those_of_the_engine(
    tab: Tab, tmp_path: File, name: str, direction: Direction
) -> None:
    graph = mimgraph.load(SPECS[0].with_name(f"{name}.yaml"))
    whole = diagram(graph.typed)
    planned = plans(whole)
    graph.draw(tmp_path / "page.html", depth=0, direction=direction)
    tab.open(tmp_path / "page.html")
    for depth in range(levels(whole) + 1):
        shown = fold(whole, depth)
        expected = engine_places(planned, shown, direction == "LR")
        found = {id_: Place(*area) for id_, area in tab.page.evaluate(PLACES).items()}
        assert found.keys() == expected.keys()
        for id_, there in expected.items():
            assert found[id_] == pytest.approx(there, abs=NEAR), f"{id_} at depth {depth}"
        tab.page.locator("#more").click()
    scene = Scene(whole, direction)
    static = layout(scene).places
    assert found == {id_: pytest.approx(place, abs=NEAR) for id_, place in static.items()}
    assert arrows(tab) == pytest.approx(static_arrows(scene), abs=NEAR)


def engine_places(planned: Plans, shown: Diagram, is_across: bool) -> dict[str, Place]:
    """Return the places that `place` gives when some clusters of the planned diagram are folded."""
    items = {item.id: item for item in every(shown.items)}
    frames: dict[str, Frame] = {}

    def turned(one: float, other: float) -> tuple[float, float]:
        return (other, one) if is_across else (one, other)

    def extent(plan: Plan, role: str, key: str, caption: Caption | None) -> Extent:
        if key in frames:
            return frames[key].extent()
        if role in ("item", "aside"):
            box = items[key]
            assert isinstance(box, Box)
            across, along = turned(*box_size(box))
            return Extent(across / 2, across / 2, along)
        if role == "label":
            row = plan.hops[int(key)].label
            if is_across:
                return Extent(row.height + LABEL_GAP / 2, 0, row.width + 2 * LABEL_GAP)
            return Extent(0, row.width + 2 * LABEL_GAP, row.height)
        beside = role == "in" and caption and not is_across
        return Extent(0, 0, caption.height if caption and beside else 0)

    for id_, plan in planned.of_frame.items():
        caption = None
        if isinstance(item := items.get(id_), Cluster):
            row = cluster_line(item)
            room = TITLE_ROOM if row.runs else BARE_ROOM
            caption = Caption(row.width + 4 + 2 * TITLE.u, room)
        elif id_ != ROOT:
            continue
        extents = [extent(plan, *node, caption) for node in plan.nodes]
        inner = {key: frames[key] for _, key in plan.nodes if key in frames}
        frames[id_] = place(plan, extents, inner, caption, is_across)
    corners = {ROOT: Spot(MARGIN, MARGIN)}
    for id_, frame in reversed(frames.items()):
        for key, spot in frame.inside.items():
            corners[key] = Spot(corners[id_].u + spot.u, corners[id_].v + spot.v)
    found = {}
    for id_, item in items.items():
        size = (
            turned(frames[id_].across, frames[id_].along) if id_ in frames else box_size(item)  # type: ignore[arg-type]
        )
        found[id_] = Place(*turned(*corners[id_]), *size)
    return found


def arrows(tab: Tab) -> list[float]:
    """Return the coordinates of all arrowheads of the page, sorted."""
    paths = tab.page.locator("path.arrow")
    texts = paths.evaluate_all("all => all.map((one) => one.getAttribute('d'))")
    return sorted(float(number) for text in texts for number in re.findall(r"-?[\d.]+", text))


def static_arrows(scene: Scene) -> list[float]:
    """Return the coordinates of all arrowheads of a static picture, sorted; equal ones once."""
    heads = {
        (shape.start, *(step[-1] for step in shape.steps))
        for group in figure(scene).groups
        if "edge" in group.classes
        for shape in group.shapes
        if isinstance(shape, Path) and shape.closed
    }
    return sorted(number for head in heads for point in head for number in point)
