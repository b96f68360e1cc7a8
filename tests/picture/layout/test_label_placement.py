"""Labels stand beside their own edges and cover nothing; edges avoid titles where they can."""

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
from mimgraph.picture.layout.label_placement import (
    Ink,
    place_label,
    place_title,
    points_along,
    too_much,
)
from mimgraph.picture.layout.layout import Layout, layout
from mimgraph.picture.scene import Direction, Scene
from tests.conftest import ROOT

FAR = 8  # points at most from the nearest side of a label to its edge


def test_a_title_moves_out_of_the_way_of_an_edge() -> None:
    ink, wall, corner = Ink(200, 100), Place(10, 10, 180, 80), Place(17, 14, 60, 12)
    assert place_title(ink, wall, corner) == corner
    ink.edge([Point(30, y) for y in range(0, 40, 4)])
    moved = place_title(ink, wall, corner)
    assert (moved.y, moved.width) == (corner.y, corner.width)
    assert 30 < moved.x < 200 - 17 - 60


def test_a_title_without_free_space_stays_in_its_corner() -> None:
    ink, wall, corner = Ink(100, 100), Place(10, 10, 74, 80), Place(17, 14, 60, 12)
    ink.edge([Point(47, y) for y in range(0, 40, 4)])
    assert place_title(ink, wall, corner) == corner


def test_a_label_stands_on_the_free_side_of_its_edge() -> None:
    way = [Point(100, y) for y in range(20, 180, 4)]
    for box, side in ((Place(104, 10, 80, 180), -1), (Place(16, 10, 80, 180), 1)):
        ink = Ink(200, 200)
        ink.edge(way)
        ink.box(box)
        found = place_label(ink, way, Point(100 - 30 * side, 100), 30, 8)
        assert found.centre - 100 == pytest.approx(18 * side)


def test_points_lie_along_the_curve_at_most_a_step_apart() -> None:
    found = points_along([Point(0, 0), Point(0, 40), Point(40, 80), Point(80, 80)])
    assert (found[0], found[-1]) == (Point(0, 0), Point(80, 80))
    assert all(hypot(b.x - a.x, b.y - a.y) < 6 for a, b in pairwise(found))


def test_an_edge_too_short_for_its_label_keeps_it_at_the_wanted_point() -> None:
    found = place_label(Ink(100, 100), [Point(50, 50), Point(50, 52)], Point(60, 50), 30, 8)
    assert (found.centre, found.middle) == (60, 50)


def test_a_picture_with_too_much_ink_is_not_searched() -> None:
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
    """Return the distance of a point from the nearest side of a place."""
    x = max(abs(point.x - place.centre) - place.width / 2, 0)
    y = max(abs(point.y - place.middle) - place.height / 2, 0)
    return hypot(x, y)


def labels(scene: Scene, laid: Layout) -> list[tuple[Place, float]]:
    """Return the place of each edge label, and its distance from its edge."""
    tails = {box.id: box for box in boxes(scene.shown.items)}
    found = []
    for edge, route in zip(scene.shown.edges, laid.routes, strict=True):
        row = edge_line(edge, tails)
        if route.label and row.runs:
            x, y = route.label.x - row.width / 2, route.label.y - row.size / 2
            place = Place(x, y, row.width, row.size)
            found.append((place, min(away(place, at) for at in points_along(route.spline))))
    return found


@pytest.mark.parametrize("direction", ["TB", pytest.param("LR", marks=pytest.mark.slow)])
def test_labels_of_every_spec_stand_beside_their_edges(spec: Path, direction: Direction) -> None:
    scene = Scene(diagram(mimgraph.load(spec).typed), direction)
    laid = layout(scene)
    found = labels(scene, laid)
    assert all(far < FAR for _, far in found)
    standing = [laid.places[box.id] for box in boxes(scene.shown.items)]
    standing += [*laid.titles.values()]
    places = [place for place, _ in found]
    assert not [p for p in places if any(overlap(p, box) for box in standing)]
    assert not [p for i, p in enumerate(places) if any(overlap(p, q) for q in places[:i])]


def test_an_edge_along_the_top_of_a_block_passes_beside_its_title() -> None:
    graph = mimgraph.load(ROOT / "specs" / "dcn_v2.yaml").typed
    laid = layout(Scene(diagram(graph), "LR"))
    title = laid.titles["crossed"]
    assert not [
        r for r in laid.routes if any(away(title, at) == 0 for at in points_along(r.spline))
    ]
