"""Place boxes, clusters and edges; Graphviz gets only sizes, so no text of a spec reaches it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import Any, NamedTuple

from mimgraph.picture.diagram.captions import Size, box_size, cluster_line, edge_line, text_size
from mimgraph.picture.diagram.model import Box, Diagram, Item, boxes, clusters
from mimgraph.picture.errors import DRAW_LESS, RenderError
from mimgraph.picture.geometry import Place, Point
from mimgraph.picture.layout.graphviz import graphviz
from mimgraph.picture.layout.label_placement import (
    Ink,
    place_label,
    place_title,
    points_along,
    too_much,
)
from mimgraph.picture.scene import Direction, Scene
from mimgraph.support.frozen_data import data

MARGIN = 6  # around the picture
MOST = 10_000  # the number of edges; a picture with more is unreadable
_POINTS = 72  # in one inch
_SETTINGS = (
    "graph [compound=true nodesep=0.28 ranksep=0.3 labeljust=l] "
    'node [shape=box fixedsize=true label=""] edge [arrowsize=0.6]'
)


class Route(NamedTuple):
    """The course of an edge: a Bézier spline, the tip of its arrow, the centre of its label."""

    spline: tuple[Point, ...]
    tip: Point
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
    question = _Question(scene.shown, scene.direction)
    try:
        answer = json.loads(graphviz(question.source))
        return _with_labels(_read(answer, question), scene.shown)
    except (KeyError, ValueError) as error:
        raise RenderError(f"Graphviz gave no layout: {error}") from None


class _Question:
    """The dot text that asks Graphviz for a layout, in which numbers stand for ids."""

    def __init__(self, diagram: Diagram, direction: Direction) -> None:
        self.diagram, self.direction = diagram, direction
        self.ids: dict[str, str] = {}  # by the name in the dot text
        self.names: dict[str, str] = {}  # of boxes in the dot text, by id
        self.source = "\n".join(
            [f"digraph {{ {_SETTINGS} rankdir={direction}", *self._lines(), "}"]
        )

    def _lines(self) -> Iterator[str]:
        """Yield the statements for boxes and clusters, then for edges."""
        yield from self._items(self.diagram.items)
        leaving = Counter(edge.tail for edge in self.diagram.edges)
        entering = Counter(edge.head for edge in self.diagram.edges)
        tails = {box.id: box for box in boxes(self.diagram.items)}
        for number, edge in enumerate(self.diagram.edges):
            attributes = [f"id={number}"]
            if leaving[edge.tail] == entering[edge.head] == 1:
                attributes.append("weight=8")  # keeps chains straight
            if (label := edge_line(edge, tails)).runs:
                size = text_size([label])
                attributes.append(f"label={_blank(Size(size.width + 8, size.height))}")
            yield f"{self.names[edge.tail]} -> {self.names[edge.head]} [{' '.join(attributes)}]"

    def _items(self, items: tuple[Item, ...]) -> Iterator[str]:
        """Yield a node for each box and a subgraph for each cluster, with their sizes."""
        for item in items:
            number = len(self.ids)
            if isinstance(item, Box):
                size = box_size(item)
                self.ids[f"n{number}"], self.names[item.id] = item.id, f"n{number}"
                inches = f"width={size.width / _POINTS:.5f} height={size.height / _POINTS:.5f}"
                yield f"n{number} [{inches}]"
            else:
                self.ids[f"cluster_{number}"] = item.id
                yield f"subgraph cluster_{number} {{ margin=9"
                label = text_size([cluster_line(item)])
                if label.width:
                    yield f"label={_blank(label)}"
                yield from self._items(item.items)
                yield "}"


def _blank(size: Size) -> str:
    """Return an empty label of a given size."""
    table = f'<TABLE FIXEDSIZE="TRUE" WIDTH="{size.width}" HEIGHT="{size.height}"'
    return f'<{table} BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"><TR><TD></TD></TR></TABLE>>'


def _read(answer: dict[str, Any], question: _Question) -> Layout:
    """Return the layout in Graphviz's answer, without the places of titles."""
    _, _, width, height = _numbers(answer["bb"])

    def point(text: str) -> Point:
        x, y = _numbers(text)
        return Point(x + MARGIN, height - y + MARGIN)

    places: dict[str, Place] = {}
    for found in answer.get("objects", ()):
        if "bb" in found:
            left, low, right, high = _numbers(found["bb"])
            corner, size = point(f"{left},{high}"), (right - left, high - low)
        else:
            middle = point(found["pos"])
            size = float(found["width"]) * _POINTS, float(found["height"]) * _POINTS
            corner = Point(middle.x - size[0] / 2, middle.y - size[1] / 2)
        places[question.ids[found["name"]]] = Place(*corner, *size)
    routes: dict[int, Route] = {}
    for found in answer.get("edges", ()):
        tip, *spline = found["pos"].removeprefix("e,").split(" ")
        label = point(found["lp"]) if "lp" in found else None
        routes[int(found["id"])] = Route(tuple(map(point, spline)), point(tip), label)
    ordered = tuple(routes[number] for number in range(len(question.diagram.edges)))
    size = ceil(width) + 2 * MARGIN, ceil(height) + 2 * MARGIN
    return Layout(*size, places, {}, ordered)


def _with_labels(laid: Layout, diagram: Diagram) -> Layout:
    """Return the layout with titles and edge labels moved to free places: Graphviz lets edges cross
    titles, and puts labels far from their edges."""
    tails = {box.id: box for box in boxes(diagram.items)}
    lines = [route.spline for route in laid.routes]
    if too_much((laid.places[id_] for id_ in tails), lines):
        return replace(laid, titles=dict(_corners(laid, diagram)))
    ink, ways = Ink(laid.width, laid.height), list(map(points_along, lines))
    for way in ways:
        ink.edge(way)
    titles: dict[str, Place] = {}
    for id_, corner in _corners(laid, diagram):
        ink.wall(wall := laid.places[id_])
        titles[id_] = place_title(ink, wall, corner)
    if not any(route.label for route in laid.routes):
        return replace(laid, titles=titles)
    for place in titles.values():
        ink.text(place)
    for id_ in tails:
        ink.box(laid.places[id_])
    routes = []
    for edge, route, way in zip(diagram.edges, laid.routes, ways, strict=True):
        if route.label:
            row = edge_line(edge, tails)
            place = place_label(ink, way, route.label, row.width, row.size)
            ink.text(place)
            route = route._replace(label=Point(place.centre, place.middle))
        routes.append(route)
    return replace(laid, titles=titles, routes=tuple(routes))


def _corners(laid: Layout, diagram: Diagram) -> Iterator[tuple[str, Place]]:
    """Yield the id of each cluster, with the place for its title in its upper left corner."""
    for cluster, _ in clusters(diagram.items):
        wall, row = laid.places[cluster.id], cluster_line(cluster)
        yield cluster.id, Place(wall.x + 7, wall.y + 4, row.width + 4, row.height + 1)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]
