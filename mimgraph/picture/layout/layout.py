"""Lay out a scene: place every box, cluster, title, edge and label of the diagram that it shows.

Each frame is planned and placed on its own, inner ones first. The same scene has the same layout on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import ceil

from mimgraph.picture.diagram.captions import box_size, cluster_line, edge_line
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item, every
from mimgraph.picture.errors import DRAW_LESS, RenderError
from mimgraph.picture.geometry import Place, Point
from mimgraph.picture.layout.hops import ROOT, Passage
from mimgraph.picture.layout.joins import Label
from mimgraph.picture.layout.place import Caption, Extent, Frame, Run, Spot, Stretch, place
from mimgraph.picture.layout.plan import Plan
from mimgraph.picture.layout.routes import Route, level_route, loop_route, moved, steps_along
from mimgraph.picture.layout.scheme import Scheme, scheme
from mimgraph.picture.layout.segments import (
    is_segment,
    with_straight_doors,
)
from mimgraph.picture.layout.u_shape import Side, place_u
from mimgraph.picture.layout.wrap_cuts import wrap_cuts
from mimgraph.picture.layout.wrap_shape import place_columns
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import Line

MARGIN = 10.0  # around the picture
MOST = 10_000  # the number of edges; a picture with more is unreadable
TITLE = Spot(7.0, 4.0)  # of a title, from the corner of its cluster
CHEVRON = 8.0  # room beside a title, where a page draws the chevron that folds the cluster
TITLE_ROOM = 18.0  # height of the strip for the title of a cluster
BARE_ROOM = 8.0  # the same for a cluster without a title
LABEL_GAP = 4.0  # from an edge to its label


@dataclass(frozen=True, slots=True)
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
    return laid_out(scene.shown, scene.direction == "LR", scene.wrap)


@lru_cache(maxsize=2)  # a picture is laid out to see whether it can be read, and then to be drawn
def laid_out(diagram: Diagram, is_across: bool, wrap: bool) -> Layout:
    """Return the layout of a diagram, downwards or to the right; `wrap` sets a long one in columns."""
    check_size(diagram)
    return _Layouter(chosen_scheme(diagram, is_across, wrap), is_across).layout()


def check_size(diagram: Diagram) -> None:
    """Raise a `RenderError` if a diagram has too many edges to be drawn."""
    if (number := len(diagram.edges)) > MOST:
        raise RenderError(
            f"the picture has {number:,} edges, and at most {MOST:,} are drawn: {DRAW_LESS}, or"
            " write a .dot file"
        )


def chosen_scheme(diagram: Diagram, is_across: bool, wrap: bool) -> Scheme:
    """Return the scheme by which `layout` places a diagram; `wrap` sets a long one in columns."""
    columns: dict[str, list[list[str]]] = {}
    found = scheme(diagram, is_across)
    # the diagram may still be too long when a block in it is cut
    while wrap and (more := _Layouter(found, is_across).columns()):
        columns |= more
        found = scheme(diagram, is_across, columns)
    return found


class _Layouter:
    """Places frames from the inside out, then finds where they stand in the picture."""

    def __init__(self, found: Scheme, is_across: bool) -> None:
        self.scheme, self.is_across = found, is_across
        self.items = {item.id: item for item in every(found.diagram.items)}
        self.frames: dict[str, Frame] = {}
        for id_, plan in self.scheme.plans.items():
            self.frames[id_] = self.frame(id_, plan)
        self.corners: dict[str, Spot] = {ROOT: Spot(MARGIN, MARGIN)}
        for id_ in reversed(self.scheme.plans):  # outer ones first
            u, v = self.corners[id_]
            for item, spot in self.frames[id_].inside.items():
                self.corners[item] = Spot(u + spot.u, v + spot.v)

    def layout(self) -> Layout:
        root = self.frames[ROOT]
        width, height = self.turned(root.across, root.along)
        drawn = {id_: item for id_, item in self.items.items() if not is_segment(item)}
        places = {id_: self.place(item) for id_, item in drawn.items()}
        titles = {
            id_: self.title(item, places[id_])
            for id_, item in drawn.items()
            if isinstance(item, Cluster)
        }
        labelled: set[Passage] = set()
        routes = tuple(self.edge_route(n, places, labelled) for n in range(len(self.scheme.edges)))
        size = ceil(width + 2 * MARGIN), ceil(height + 2 * MARGIN)
        return Layout(*size, places, titles, routes)

    def frame(self, id_: str, plan: Plan) -> Frame:
        """Return the frame of the diagram or of a cluster, whose inner frames are placed already."""
        item = self.items.get(id_)
        caption = self.caption(id_) if item is not None and not is_segment(item) else None
        if id_ in self.scheme.segments:
            return self.segmented(id_, plan, caption)
        is_upward = id_ in self.scheme.upward
        extents = [self.extent(plan, *node, caption, is_upward) for node in plan.nodes]
        inner = {key: self.frames[key] for _, key in plan.nodes if key in self.frames}
        frame = place(plan, extents, inner, caption, self.is_across, is_upward)
        return with_straight_doors(frame, plan) if id_ and caption is None else frame

    def segmented(self, id_: str, plan: Plan, caption: Caption | None) -> Frame:
        """Return the frame of a U, or one that is cut into columns."""
        ids = self.scheme.segments[id_]
        segments = {segment: self.frames[segment] for segment in ids}
        rows = {n: hop.label for n, hop in enumerate(plan.hops) if hop.label.runs}
        labels = {n: Label(*self.turned(row.width, row.height)) for n, row in rows.items()}
        if id_ not in self.scheme.us:
            return place_columns(plan, segments, caption, labels, self.is_across)
        sides = {}
        for n, box in self.scheme.us[id_].sides.items():
            at, item = self.frames[ids[n]].inside[box], self.items[box]
            assert isinstance(item, Box)
            width, height = box_size(item)
            sides[n] = Side(at.u, at.u + width, at.v + height / 2)
        return place_u(plan, segments, sides, caption, labels)

    def columns(self) -> dict[str, list[list[str]]]:
        """Return the items of each column of the frame that is too long, by its id; {} if none is."""
        whole = {*self.scheme.segments, *chain.from_iterable(self.scheme.segments.values())}
        across = {id_: frame.across for id_, frame in self.frames.items()}
        for id_, item in self.items.items():
            if isinstance(item, Box):
                across[id_] = self.turned(*box_size(item))[0]
        return wrap_cuts(self.scheme.plans, self.frames, across, whole, self.is_across)

    def caption(self, id_: str) -> Caption:
        item = self.items[id_]
        assert isinstance(item, Cluster)
        row = cluster_line(item)
        return Caption(row.width + 4 + 2 * TITLE.u + CHEVRON, TITLE_ROOM if row.runs else BARE_ROOM)

    def extent(
        self, plan: Plan, role: str, key: str, caption: Caption | None, is_upward: bool
    ) -> Extent:
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
            case "in" | "out" if caption and is_upward == (role == "out") and not self.is_across:
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

    def edge_route(self, number: int, places: Mapping[str, Place], labelled: set[Passage]) -> Route:
        """Return the route of an edge of the diagram by its number."""
        edge = self.scheme.edges[number]
        if passages := self.scheme.passages.get(number):
            return self.route(passages, labelled)
        if edge.tail == edge.head:
            return loop_route(places[edge.tail])
        return level_route(places[edge.tail], places[edge.head], edge_line(edge))

    def route(self, passages: Sequence[Passage], labelled: set[Passage]) -> Route:
        """Return the route of an edge, joined from its hops; only the first edge of a hop has its label."""
        stretches: list[Stretch | Run] = []
        label: Point | None = None
        for passage in passages:
            frame_id, number = passage
            hop = self.scheme.plans[frame_id].hops[number]
            way, at = self.way(frame_id, number)
            # a way that begins across leaves its box at the side
            stretches = [*way] if isinstance(way[0], Run) else [*stretches, *way]
            if at is not None and passage not in labelled:
                labelled.add(passage)
                label = self.label(at, hop.label)
        return self.drawn(stretches, label)

    def way(self, frame_id: str, number: int) -> tuple[list[Stretch | Run], Spot | None]:
        """Return the parts of a hop in the picture, and the place of its label."""
        frame, (u, v) = self.frames[frame_id], self.corners[frame_id]
        way = [moved(part, u, v) for part in frame.ways[number]]
        at = frame.labels.get(number)
        return way, None if at is None else Spot(at.u + u, at.v + v)

    def label(self, at: Spot, row: Line) -> Point:
        """Return the centre of a label beside a position on its edge."""
        if self.is_across:
            return self.point(at.u - row.height / 2, at.v)
        return self.point(at.u + LABEL_GAP + row.width / 2, at.v)

    def drawn(self, parts: Sequence[Stretch | Run], label: Point | None) -> Route:
        """Return a route through parts, with curves between them."""
        start, *steps = [[self.point(*spot) for spot in step] for step in steps_along(parts)]
        return Route(start[0], tuple(map(tuple, steps)), label)
