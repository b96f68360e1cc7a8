"""Lay out a scene: place every box, cluster, title, edge and label of the diagram that it shows.

Each frame is planned and placed on its own, inner ones first. The same scene has the same layout on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from mimgraph.picture.diagram.captions import box_size, cluster_line
from mimgraph.picture.diagram.model import Box, Cluster, Item, every
from mimgraph.picture.errors import DRAW_LESS, RenderError
from mimgraph.picture.geometry import Place, Point
from mimgraph.picture.layout.hops import ROOT, Passage
from mimgraph.picture.layout.place import PADDING, Caption, Extent, Frame, Spot, Stretch, place
from mimgraph.picture.layout.plan import Plan, Plans, plans
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import Line
from mimgraph.support.frozen_data import data

MARGIN = 10.0  # around the picture
MOST = 10_000  # the number of edges; a picture with more is unreadable
TITLE = Spot(7.0, 4.0)  # of a title, from the corner of its cluster
TITLE_ROOM = 18.0  # height of the strip for the title of a cluster
BARE_ROOM = 8.0  # the same for a cluster without a title
LABEL_GAP = 4.0  # from an edge to its label


class Route(NamedTuple):
    """The course of an edge, from the outline of one box to the next: a step of one point is straight, one
    of three points a Bézier curve. `label` is the centre of the edge's label."""

    start: Point
    steps: tuple[tuple[Point, ...], ...]
    label: Point | None


@data
class Layout:
    """The places of boxes and clusters by id, of the titles of clusters by id, and the routes in
    the order of the edges."""

    width: int
    height: int
    places: dict[str, Place]
    titles: dict[str, Place]
    routes: tuple[Route, ...]


def layout(scene: Scene) -> Layout:
    """Return the layout of the diagram that a scene shows."""
    if (number := len(scene.shown.edges)) > MOST:
        raise RenderError(
            f"the picture has {number:,} edges, and at most {MOST:,} are drawn: {DRAW_LESS}, or"
            " write a .dot file"
        )
    return _Layouter(scene).layout()


class _Layouter:
    """Places frames from the inside out, then finds where they stand in the picture."""

    def __init__(self, scene: Scene) -> None:
        self.diagram = scene.shown
        self.is_across = scene.direction == "LR"
        self.plans: Plans = plans(self.diagram)
        self.items = {item.id: item for item in every(self.diagram.items)}
        self.frames: dict[str, Frame] = {}
        for id_, plan in self.plans.of_frame.items():
            self.frames[id_] = self.frame(id_, plan)
        self.corners: dict[str, Spot] = {ROOT: Spot(MARGIN, MARGIN)}
        for id_ in reversed(self.plans.of_frame):  # outer ones first
            u, v = self.corners[id_]
            for item, spot in self.frames[id_].inside.items():
                self.corners[item] = Spot(u + spot.u, v + spot.v)

    def layout(self) -> Layout:
        root = self.frames[ROOT]
        width, height = self.turned(root.across, root.along)
        places = {id_: self.place(item) for id_, item in self.items.items()}
        titles = {
            id_: self.title(item, places[id_])
            for id_, item in self.items.items()
            if isinstance(item, Cluster)
        }
        labelled: set[Passage] = set()
        routes = tuple(
            self.route(passages, labelled) if passages else _loop(places[edge.tail])
            for edge, passages in zip(self.diagram.edges, self.plans.hops.of_edge, strict=True)
        )
        size = ceil(width + 2 * MARGIN), ceil(height + 2 * MARGIN)
        return Layout(*size, places, titles, routes)

    def frame(self, id_: str, plan: Plan) -> Frame:
        """Return the frame of the diagram or of a cluster, whose inner frames are placed already."""
        caption = None if id_ == ROOT else self.caption(id_)
        extents = [self.extent(plan, role, key, caption) for role, key in plan.nodes]
        inner = {key: self.frames[key] for _, key in plan.nodes if key in self.frames}
        return place(plan, extents, inner, caption, self.is_across)

    def caption(self, id_: str) -> Caption:
        item = self.items[id_]
        assert isinstance(item, Cluster)
        row = cluster_line(item)
        return Caption(row.width + 4 + 2 * TITLE.u, TITLE_ROOM if row.runs else BARE_ROOM)

    def extent(self, plan: Plan, role: str, key: str, caption: Caption | None) -> Extent:
        """Return the size of a node of a plan."""
        match role:
            case "item" | "aside":
                if key in self.frames:
                    return self.frames[key].extent()
                item = self.items[key]
                assert isinstance(item, Box)
                across, along = self.turned(*box_size(item))
                return Extent(across / 2, across / 2, along)
            case "label":
                return self.label_extent(plan.hops[int(key)].label)
            case "in" if caption is not None and not self.is_across:
                return Extent(0.0, 0.0, caption.height)  # edges pass beside the title
        return Extent(0.0, 0.0, 0.0)

    def label_extent(self, row: Line) -> Extent:
        """Return the size of a label: to the right of its edge, or above it."""
        if self.is_across:
            return Extent(row.height + LABEL_GAP / 2, 0.0, row.width + 2 * LABEL_GAP)
        return Extent(0.0, row.width + 2 * LABEL_GAP, row.height)

    def turned(self, one: float, other: float) -> tuple[float, float]:
        """Return `u` and `v` for x and y, or x and y for `u` and `v`."""
        return (other, one) if self.is_across else (one, other)

    def point(self, u: float, v: float) -> Point:
        return Point(*self.turned(u, v))

    def place(self, item: Item) -> Place:
        corner = self.point(*self.corners[item.id])
        if item.id in self.frames:
            frame = self.frames[item.id]
            return Place(*corner, *self.turned(frame.across, frame.along))
        assert isinstance(item, Box)
        return Place(*corner, *box_size(item))

    def title(self, cluster: Cluster, wall: Place) -> Place:
        row = cluster_line(cluster)
        width = row.width + 4
        is_left = self.frames[cluster.id].side == "left"
        x = wall.x + TITLE.u if is_left else wall.x + wall.width - TITLE.u - width
        return Place(x, wall.y + TITLE.v, width, row.height + 1)

    def route(self, passages: Sequence[Passage], labelled: set[Passage]) -> Route:
        """Return the route of an edge, joined from its hops; only the first edge of a hop has its label."""
        stretches: list[Stretch] = []
        label: Point | None = None
        for passage in passages:
            frame_id, number = passage
            hop = self.plans.of_frame[frame_id].hops[number]
            way, at = self.way(frame_id, number)
            stretches += way
            if at is not None and passage not in labelled:
                labelled.add(passage)
                label = self.label(at, hop.label)
        return self.drawn(stretches, label)

    def way(self, frame_id: str, number: int) -> tuple[list[Stretch], Spot | None]:
        """Return the stretches of a hop in the picture, and the place of its label."""
        frame, (u, v) = self.frames[frame_id], self.corners[frame_id]
        way = [Stretch(s.u + u, s.start + v, s.end + v) for s in frame.ways[number]]
        at = frame.labels.get(number)
        return way, None if at is None else Spot(at.u + u, at.v + v)

    def label(self, at: Spot, row: Line) -> Point:
        """Return the centre of a label beside a position on its edge."""
        if self.is_across:
            return self.point(at.u - row.height / 2, at.v)
        return self.point(at.u + LABEL_GAP + row.width / 2, at.v)

    def drawn(self, stretches: Sequence[Stretch], label: Point | None) -> Route:
        """Return a route through stretches, with curves between them."""
        points = [self.point(stretches[0].u, stretches[0].start)]
        steps: list[tuple[Point, ...]] = []
        for step in _steps(stretches):
            turned = tuple(self.point(u, v) for u, v in step)
            if turned[-1] != points[-1]:
                steps.append(turned)
                points.append(turned[-1])
        return Route(points[0], tuple(steps), label)


def _loop(place: Place) -> Route:
    """Return the route of an edge from a box to itself, beside the box."""
    right, quarter = place.x + place.width, place.height / 4
    start, end = Point(right, place.middle + quarter), Point(right, place.middle - quarter)
    beside = right + PADDING
    return Route(start, ((Point(beside, start.y), Point(beside, end.y), end),), None)


def _steps(stretches: Sequence[Stretch]) -> Iterator[tuple[Spot, ...]]:
    """Yield the steps through stretches: a line along each, and a curve to the next one."""
    end = stretches[0].end
    for here, after in pairwise(stretches):
        if here.u == after.u:
            end = after.end
            continue
        yield (Spot(here.u, end),)
        half = (here.end + after.start) / 2
        yield Spot(here.u, half), Spot(after.u, half), Spot(after.u, after.start)
        end = after.end
    yield (Spot(stretches[-1].u, end),)
