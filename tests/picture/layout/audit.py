"""Find what makes a picture hard to read: edges that leave their frame or pass through boxes, words on words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil, hypot
from typing import NamedTuple

from mimgraph.picture.diagram.captions import edge_line
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item, every
from mimgraph.picture.geometry import Place, Point
from mimgraph.picture.layout.layout import Layout
from mimgraph.picture.layout.routes import Route

STEP = 3.0  # points between two samples of a curve
NEAR, RUN = 2.0, 12.0  # an edge runs along a wall if it stays nearer than this for longer than that
CELL = 64  # points; the side of a square in which places are looked up


class Segment(NamedTuple):
    """A piece of an edge."""

    start: Point
    end: Point

    @property
    def length(self) -> float:
        """The length in points."""
        return hypot(self.end.x - self.start.x, self.end.y - self.start.y)

    @property
    def middle(self) -> Point:
        """The point between both ends."""
        return Point((self.start.x + self.end.x) / 2, (self.start.y + self.end.y) / 2)


def faults(diagram: Diagram, laid: Layout) -> list[str]:
    """Return a line for each fault in a laid-out diagram."""
    return [*_Audit(diagram, laid).faults()]


class _Audit:
    """A laid-out diagram, with boxes and words by the square in which they stand."""

    def __init__(self, diagram: Diagram, laid: Layout) -> None:
        self.diagram, self.laid = diagram, laid
        self.items = {item.id: item for item in every(diagram.items)}
        self.around = dict(_around(diagram.items, ()))
        self.cells = _by_cell({id_: laid.places[id_] for id_ in self.items})
        titles = {f"title of {id_}": place for id_, place in laid.titles.items() if place.width > 4}
        self.words = titles | dict(self.labels())
        self.word_cells = _by_cell(self.words)

    def labels(self) -> Iterator[tuple[str, Place]]:
        for number, (edge, route) in enumerate(
            zip(self.diagram.edges, self.laid.routes, strict=True)
        ):
            row = edge_line(edge)
            if route.label and row.runs:
                x, y = route.label.x - row.width / 2, route.label.y - row.size / 2
                yield f"label {number} ({edge.label})", Place(x, y, row.width, row.size)

    def faults(self) -> Iterator[str]:
        yield from self.overlapping_words()
        yield from self.words_on_boxes()
        for edge, route in zip(self.diagram.edges, self.laid.routes, strict=True):
            name = f"{edge.tail} -> {edge.head}"
            found = [f"{name}: {fault}" for fault in self.edge_faults(edge.tail, edge.head, route)]
            yield from dict.fromkeys(found)

    def overlapping_words(self) -> Iterator[str]:
        for names in self.word_cells.values():
            for at, name in enumerate(names):
                for other in names[:at]:
                    if _overlap(self.words[name], self.words[other]):
                        yield f"{name} on {other}"

    def words_on_boxes(self) -> Iterator[str]:
        for name, place in self.words.items():
            for cell in _cells(place):
                for id_ in self.cells.get(cell, ()):
                    if isinstance(self.items[id_], Box) and _overlap(place, self.laid.places[id_]):
                        yield f"{name} on {id_}"

    def edge_faults(self, tail: str, head: str, route: Route) -> Iterator[str]:
        """Yield the faults of one edge."""
        tails, heads = self.around[tail], self.around[head]
        common = [a for a, b in zip(tails, heads, strict=False) if a == b]
        whole = Place(0, 0, self.laid.width, self.laid.height)
        frame = self.laid.places[common[-1]] if common else whole
        around = {*tails, *heads}
        along: dict[str, float] = {}
        for segment in _segments(route):
            at = segment.middle
            if not _inside(frame, at, 0.1):
                yield "outside the frame of its ends"
            for id_ in self.cells.get(_cell(at), ()):
                place = self.laid.places[id_]
                if _inside(place, at, -1.0) and id_ not in around:
                    yield f"through {id_}"
                if _beside(place, segment):
                    along[id_] = along.get(id_, 0.0) + segment.length
            for name in self.word_cells.get(_cell(at), ()):
                if _inside(self.words[name], at, -0.5):
                    yield f"through {name}"
        for id_, length in along.items():
            if length > RUN:
                yield f"{length:.0f} points along {id_}"


def _around(items: Sequence[Item], outer: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for item in items:
        yield item.id, outer
        if isinstance(item, Cluster):
            yield from _around(item.items, (*outer, item.id))


def _segments(route: Route) -> Iterator[Segment]:
    """Yield short pieces of a route."""
    start = route.start
    for step in route.steps:
        points = (start, *step)
        number = max(1, ceil(sum(hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(points)) / STEP))
        on_step = [_point(points, part / number) for part in range(number + 1)]
        yield from (Segment(a, b) for a, b in pairwise(on_step))
        start = step[-1]


def _point(points: Sequence[Point], t: float) -> Point:
    """Return a point of a Bézier curve."""
    while len(points) > 1:
        points = [Point(a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)) for a, b in pairwise(points)]
    return points[0]


def _by_cell(places: dict[str, Place]) -> dict[tuple[int, int], list[str]]:
    found: dict[tuple[int, int], list[str]] = {}
    for name, place in places.items():
        for cell in _cells(place):
            found.setdefault(cell, []).append(name)
    return found


def _cells(place: Place) -> Iterator[tuple[int, int]]:
    left, right = place.x - NEAR, place.x + place.width + NEAR
    top, low = place.y - NEAR, place.y + place.height + NEAR
    for column in range(int(left // CELL), int(right // CELL) + 1):
        for row in range(int(top // CELL), int(low // CELL) + 1):
            yield column, row


def _cell(at: Point) -> tuple[int, int]:
    return int(at.x // CELL), int(at.y // CELL)


def _inside(place: Place, at: Point, by: float) -> bool:
    """Return whether a point is inside a place that is made wider on all sides."""
    return (
        abs(at.x - place.centre) < place.width / 2 + by
        and abs(at.y - place.middle) < place.height / 2 + by
    )


def _overlap(one: Place, other: Place) -> bool:
    return (
        abs(one.centre - other.centre) * 2 < one.width + other.width - 1
        and abs(one.middle - other.middle) * 2 < one.height + other.height - 1
    )


def _beside(place: Place, segment: Segment) -> bool:
    """Return whether a piece runs along a side of a place."""
    dx, dy = abs(segment.end.x - segment.start.x), abs(segment.end.y - segment.start.y)
    at = segment.middle
    if dx > dy:
        is_level = abs(at.x - place.centre) < place.width / 2
        return is_level and abs(abs(at.y - place.middle) - place.height / 2) < NEAR
    is_level = abs(at.y - place.middle) < place.height / 2
    return is_level and abs(abs(at.x - place.centre) - place.width / 2) < NEAR
