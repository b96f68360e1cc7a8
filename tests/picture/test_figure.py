"""Text fits into its box, arrows end on outlines, and nothing is outside the picture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import hypot
from pathlib import Path
from xml.etree import ElementTree

import pytest

import mimgraph
from mimgraph.picture.box_shapes import covers
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.figure import Figure, Group, figure
from mimgraph.picture.formats.svg import render_figure
from mimgraph.picture.geometry import Path as Way
from mimgraph.picture.geometry import Place, Point, Rect, Text
from mimgraph.picture.scene import Direction, Scene
from tests.conftest import ROOT
from tests.picture.scenes import EVERYTHING


@pytest.fixture(scope="module", params=["TB", "LR"])
def everything(request: pytest.FixtureRequest) -> Figure:
    direction: Direction = request.param
    return figure(Scene(EVERYTHING, direction=direction))


def of(picture: Figure, class_: str) -> Iterator[Group]:
    return (group for group in picture.groups if class_ in group.classes)


def frame(group: Group) -> Place:
    """Return the area of a box without its badges."""
    points: list[Point] = []
    for shape in group.shapes:
        if isinstance(shape, Rect) and shape.radius != 6:
            x, y, width, height = shape.place
            points += [Point(x, y), Point(x + width, y + height)]
        elif isinstance(shape, Way):
            points += [shape.start, *(point for step in shape.steps for point in step)]
    left, top = min(p.x for p in points), min(p.y for p in points)
    return Place(left, top, max(p.x for p in points) - left, max(p.y for p in points) - top)


def rows_of(group: Group, page: str) -> list[Text]:
    """Return the text of a box without that of its badges, which has the colour of the page."""
    return [s for s in group.shapes if isinstance(s, Text) and s.colors != (page,)]


def test_text_is_inside_its_box(everything: Figure) -> None:
    for group in of(everything, "node"):
        x, y, width, height = frame(group)
        rows = rows_of(group, everything.page)
        assert rows
        for row in rows:
            assert x + 5 <= row.x - row.line.width / 2
            assert row.x + row.line.width / 2 <= x + width - 5
            assert y + 4 <= row.y - row.line.size * 0.8
            assert row.y + row.line.size * 0.2 <= y + height - 3


def test_lines_of_text_do_not_overlap(everything: Figure) -> None:
    for group in of(everything, "node"):
        rows = rows_of(group, everything.page)
        for above, below in pairwise(rows):
            assert below.y - above.y >= below.line.size


def test_no_badge_covers_the_end_of_an_edge(everything: Figure) -> None:
    edges = [shape for g in of(everything, "edge") for shape in g.shapes if isinstance(shape, Way)]
    ends = [way.start for way in edges] + [way.steps[-1][-1] for way in edges]
    badges = [
        shape.place
        for group in everything.groups
        for shape in group.shapes
        if isinstance(shape, Rect) and shape.place.height == 12 and "legend" not in group.classes
    ]
    assert len(badges) == 6
    for badge in badges:
        assert not [p for p in ends if hypot(p.x - badge.centre, p.y - badge.middle) < 9]


def test_arrows_end_on_outlines(everything: Figure) -> None:
    nodes = {group.id: group for group in of(everything, "node")}
    for group, edge in zip(of(everything, "edge"), EVERYTHING.edges, strict=True):
        _, arrow, *_ = group.shapes
        assert isinstance(arrow, Way)
        (tip,) = arrow.steps[-1]
        head = nodes[edge.head]
        kind, place = head.classes[1], frame(head)
        wider = Place(place.x - 1, place.y - 1, place.width + 2, place.height + 2)
        narrower = Place(place.x + 1, place.y + 1, place.width - 2, place.height - 2)
        assert covers(kind, wider, tip), group.id
        assert not covers(kind, narrower, tip), group.id


@pytest.mark.parametrize("name", ["deepfm", "whisper"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_an_arrowhead_is_in_front_of_its_box(name: str, direction: Direction) -> None:
    scene = Scene(diagram(mimgraph.load(ROOT / "specs" / f"{name}.yaml").typed), direction)
    picture = figure(scene)
    nodes = {group.id: group for group in of(picture, "node")}
    for group, edge in zip(of(picture, "edge"), scene.shown.edges, strict=True):
        _, arrow, *_ = group.shapes
        assert isinstance(arrow, Way)
        left, right = arrow.start, arrow.steps[0][0]
        base = Point((left.x + right.x) / 2, (left.y + right.y) / 2)
        head = nodes[edge.head]
        assert not covers(head.classes[1], frame(head), base), group.id


def test_nothing_is_outside_the_picture_which_is_valid_xml(spec: Path) -> None:
    picture = figure(Scene(diagram(mimgraph.load(spec).typed)))
    ElementTree.fromstring(render_figure(picture))
    for group in picture.groups:
        for shape in group.shapes:
            if isinstance(shape, Rect):
                x, y, width, height = shape.place
                assert min(x, y) >= 0
                assert x + width <= picture.width + 0.01
                assert y + height <= picture.height + 0.01
            elif isinstance(shape, Text) and shape.anchor == "middle":
                assert shape.x - shape.line.width / 2 >= 0
                assert shape.x + shape.line.width / 2 <= picture.width
