"""Captions stand beside their own lines, over nothing; lines pass beside titles where they can."""

from __future__ import annotations

from itertools import pairwise
from math import hypot
from pathlib import Path

import pytest

import mimgraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.captions import edge_line
from mimgraph.picture.diagram.model import boxes
from mimgraph.picture.geometry import Place, Point
from mimgraph.picture.layout.label_placement import Ink, caption, drops, title, too_much
from mimgraph.picture.layout.layout import Layout, layout
from mimgraph.picture.scene import Direction, Scene
from tests.conftest import ROOT

FAR = 8  # points from the nearest side of a caption to its line, at most


def test_a_title_moves_off_a_line() -> None:
    ink, wall, room = Ink(200, 100), Place(10, 10, 180, 80), Place(17, 14, 60, 12)
    assert title(ink, wall, room) == room
    ink.line([Point(30, y) for y in range(0, 40, 4)])
    moved = title(ink, wall, room)
    assert (moved.y, moved.width) == (room.y, room.width)
    assert 30 < moved.x < 200 - 17 - 60


def test_a_title_without_room_stays() -> None:
    ink, wall, room = Ink(100, 100), Place(10, 10, 74, 80), Place(17, 14, 60, 12)
    ink.line([Point(47, y) for y in range(0, 40, 4)])
    assert title(ink, wall, room) == room


def test_a_caption_stands_on_the_free_side_of_its_line() -> None:
    way = [Point(100, y) for y in range(20, 180, 4)]
    for box, side in ((Place(104, 10, 80, 180), -1), (Place(16, 10, 80, 180), 1)):
        ink = Ink(200, 200)
        ink.line(way)
        ink.box(box)
        found = caption(ink, way, Point(100 - 30 * side, 100), 30, 8)
        assert found.centre - 100 == pytest.approx(18 * side)


def test_drops_lie_along_the_curve() -> None:
    found = drops([Point(0, 0), Point(0, 40), Point(40, 80), Point(80, 80)])
    assert (found[0], found[-1]) == (Point(0, 0), Point(80, 80))
    assert all(hypot(b.x - a.x, b.y - a.y) < 6 for a, b in pairwise(found))


def test_a_line_too_short_for_a_caption_has_it_where_asked() -> None:
    found = caption(Ink(100, 100), [Point(50, 50), Point(50, 52)], Point(60, 50), 30, 8)
    assert (found.centre, found.middle) == (60, 50)


def test_a_picture_too_large_to_look_through_is_told() -> None:
    far, near = [Point(0, 0), Point(60_000, 0)], [Point(0, 0), Point(600, 0)]
    assert too_much([], [far] * 100)
    assert not too_much([Place(0, 0, 200, 80)] * 300, [near] * 100)
    assert too_much([Place(0, 0, 200, 80)] * 1100, [])


def overlap(one: Place, other: Place) -> bool:
    return (
        abs(one.centre - other.centre) * 2 < one.width + other.width
        and abs(one.middle - other.middle) * 2 < one.height + other.height
    )


def away(place: Place, point: Point) -> float:
    """From the nearest side of a place."""
    x = max(abs(point.x - place.centre) - place.width / 2, 0)
    y = max(abs(point.y - place.middle) - place.height / 2, 0)
    return hypot(x, y)


def captions(scene: Scene, laid: Layout) -> list[tuple[Place, float]]:
    """Those of edges, and how far each stands from its line."""
    tails = {box.id: box for box in boxes(scene.shown.items)}
    found = []
    for edge, route in zip(scene.shown.edges, laid.routes, strict=True):
        row = edge_line(edge, tails)
        if route.label and row.runs:
            x, y = route.label.x - row.width / 2, route.label.y - row.size / 2
            place = Place(x, y, row.width, row.size)
            found.append((place, min(away(place, at) for at in drops(route.spline))))
    return found


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_captions_of_the_gallery_are_beside_their_lines(spec: Path, direction: Direction) -> None:
    scene = Scene(diagram(mimgraph.load(spec).typed), direction)
    laid = layout(scene)
    found = captions(scene, laid)
    assert all(far < FAR for _, far in found)
    standing = [laid.places[box.id] for box in boxes(scene.shown.items)]
    standing += [*laid.titles.values()]
    places = [place for place, _ in found]
    assert not [p for p in places if any(overlap(p, box) for box in standing)]
    assert not [p for i, p in enumerate(places) if any(overlap(p, q) for q in places[:i])]


def test_a_line_along_the_top_of_a_block_passes_beside_its_title() -> None:
    graph = mimgraph.load(ROOT / "specs" / "dcn_v2.yaml").typed
    laid = layout(Scene(diagram(graph), "LR"))
    room = laid.titles["crossed"]
    assert not [r for r in laid.routes if any(away(room, at) == 0 for at in drops(r.spline))]
