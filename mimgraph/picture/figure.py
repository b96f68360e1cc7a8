"""Turn a scene into groups of shapes, one for each box, cluster and edge, from back to front."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mimgraph.picture.arrows import arrowhead, curve, reaching
from mimgraph.picture.box_shapes import ROUND, outline
from mimgraph.picture.brush import Brush
from mimgraph.picture.diagram.captions import (
    CAP,
    CARD,
    box_lines,
    cards,
    cluster_line,
    edge_line,
    text_size,
)
from mimgraph.picture.diagram.description import (
    describe,
    describe_box,
    describe_cluster,
    describe_edge,
)
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, boxes, clusters
from mimgraph.picture.diagram.share_letters import letters
from mimgraph.picture.errors import DRAW_LESS, SmallWarning
from mimgraph.picture.geometry import Place, Point, Rect, Shape, Style, Text
from mimgraph.picture.layout.layout import Layout, layout
from mimgraph.picture.layout.routes import Route
from mimgraph.picture.legend import below
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import plain
from mimgraph.picture.themes import Paint


@dataclass(frozen=True, slots=True)
class Group:
    """The shapes of one box, cluster or edge, with a description for its tooltip."""

    id: str
    classes: tuple[str, ...]
    description: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """Groups from back to front, with a description for screen readers."""

    name: str
    description: str
    width: float
    height: float
    page: str
    groups: tuple[Group, ...]

    def warn_if_small(self, zoom: float) -> None:
        """Warn that text is too small to read if the picture is shrunk."""
        if zoom < 1:
            size, side = max((self.width, "wide"), (self.height, "high"))
            warnings.warn(
                f"the picture is {size:,.0f} points {side} and had to be shrunk until its text is"
                f" too small to read: {DRAW_LESS}",
                SmallWarning,
                stacklevel=2,
            )


def figure(scene: Scene) -> Figure:
    """Return the scene laid out and painted."""
    brush = Brush(scene.palette, is_across=scene.direction == "LR")
    return _Painter(scene.shown, layout(scene), brush).figure()


class _Painter:
    """Makes the groups of a laid-out diagram, in the colours of a theme."""

    def __init__(self, diagram: Diagram, laid: Layout, brush: Brush) -> None:
        self.diagram, self.laid, self.brush = diagram, laid, brush
        self.palette = brush.palette
        self.boxes = {box.id: box for box in boxes(diagram.items)}
        self.tags = letters(self.boxes.values())
        self.ends: dict[str, list[Point]] = {id_: [] for id_ in self.boxes}
        for edge, route in zip(diagram.edges, laid.routes, strict=True):
            self.ends[edge.tail].append(route.start)
            self.ends[edge.head].append(route.steps[-1][-1])

    def figure(self) -> Figure:
        walls, captions = [], []
        for cluster, depth in clusters(self.diagram.items):
            paint = self.palette.cluster(depth)
            walls.append(self.wall(cluster, paint))
            captions.append(self.caption(cluster, paint))
        legend = below(self.diagram, self.brush, self.laid.width, self.laid.height)
        groups = (
            *walls,
            *map(self.edge, self.diagram.edges, self.laid.routes),
            *captions,
            *map(self.box, self.boxes.values()),
            *([_group("legend", ("legend",), "legend", legend.shapes)] if legend.shapes else ()),
        )
        size = legend.width, legend.height
        description = describe(self.diagram)
        return Figure(self.diagram.name, description, *size, self.palette.page, _distinct(groups))

    def wall(self, cluster: Cluster, paint: Paint) -> Group:
        place = self.laid.places[cluster.id]
        marked = self.brush.style(paint, cluster.mark, cluster.kind == "repeat")
        style = marked._replace(fill=paint.fill)
        classes = ("cluster", cluster.kind, cluster.mark)
        shapes = (Rect(place, 2 * ROUND, style),)
        return _group(cluster.id, classes, describe_cluster(cluster), shapes)

    def caption(self, cluster: Cluster, paint: Paint) -> Group:
        """Return the title of a cluster, which is drawn over the edges that cross its wall."""
        place = self.laid.places[cluster.id]
        row = cluster_line(cluster)
        room = self.laid.titles[cluster.id]
        at = Point(room.x + 2, room.y + row.size)
        text = self.brush.text(at, row, "start", struck=cluster.mark == "removed")
        title = (Rect(room, 2, Style(fill=paint.fill)), text)
        badges = self.brush.badges(place, cluster.mark, self.tags.get(cluster.id, ""))
        shapes = (*(title if row.runs else ()), *badges)
        return _group(f"{cluster.id} caption", ("caption",), describe_cluster(cluster), shapes)

    def box(self, box: Box) -> Group:
        place = self.laid.places[box.id]
        style = self.brush.style(self.palette.kinds[box.kind], box.mark, box.optional)
        behind = CARD * cards(box)
        front = Place(place.x, place.y + behind, place.width - behind, place.height - behind)
        shapes = (*outline(box.kind, cards(box), front, style), *self.lines(box, front))
        badges = self.brush.badges(place, box.mark, self.tags.get(box.id, ""), self.ends[box.id])
        classes = ("node", box.kind, box.mark)
        return _group(box.id, classes, describe_box(box), (*shapes, *badges))

    def lines(self, box: Box, front: Place) -> Iterator[Text]:
        """Yield the text of a box, centred; in a cylinder below its lid."""
        rows = box_lines(box)
        top = front.y + (front.height - text_size(rows).height) / 2
        top += CAP if box.kind == "tensor" else 0
        for row in rows:
            at = Point(front.centre, top + row.size)
            yield self.brush.text(at, row, "middle", struck=box.mark == "removed")
            top += row.height

    def edge(self, edge: Edge, route: Route) -> Group:
        tail, head = self.boxes[edge.tail], self.boxes[edge.head]
        line = Paint(self.palette.edge, "")
        style = self.brush.style(line, edge.mark, tail.optional or head.optional)._replace(fill="")
        route = reaching(route, head, self.laid.places[edge.head])
        shapes: list[Shape] = [curve(route, style), arrowhead(route, style.line)]
        label = edge_line(edge)
        if route.label and label.runs:
            at = Point(route.label.x, route.label.y + label.size / 3)
            shapes.append(self.brush.text(at, label, "middle"))
        ends = f"{edge.tail} to {edge.head}"
        port = f" {edge.label}" if edge.label else ""
        description = describe_edge(edge, self.boxes)
        return _group(f"{ends}{port}", ("edge", edge.mark), description, tuple(shapes))


def _distinct(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Return the groups with a number after repeated ids, such as the ids of both edges of `add(x, x)`."""
    times: Counter[str] = Counter()
    found = []
    for group in groups:
        times[group.id] += 1
        again = f" {times[group.id]}" if times[group.id] > 1 else ""
        found.append(replace(group, id=group.id + again))
    return tuple(found)


def _group(
    id_: str, classes: tuple[str, ...], description: str, shapes: tuple[Shape, ...]
) -> Group:
    return Group(plain(id_), tuple(filter(None, classes)), description, shapes)
