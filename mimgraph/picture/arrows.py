"""Edges as they are painted: a curve from under one box to the outline of another, and its arrow."""

from __future__ import annotations

from math import hypot

from mimgraph.picture.box_shapes import ROUNDER, covers
from mimgraph.picture.diagram.captions import SLANT
from mimgraph.picture.diagram.model import Box
from mimgraph.picture.geometry import Path, Place, Point, Style
from mimgraph.picture.layout.layout import Route

_HALF = 2.4  # of an arrow's width


def way(route: Route, style: Style) -> Path:
    """The spline, and before it a step under the box that it leaves, whose corners may be cut."""
    first, second, *_ = route.spline
    dx, dy = first.x - second.x, first.y - second.y
    under = SLANT / (hypot(dx, dy) or 1.0)
    rest = route.spline[1:]
    curves = tuple(rest[i : i + 3] for i in range(0, len(rest), 3))
    start = Point(first.x + dx * under, first.y + dy * under)
    return Path(start, ((first,), *curves), False, style)


def reaching(route: Route, head: Box, place: Place) -> Route:
    """The route moved on to the outline of a box, of which Graphviz sees the rectangle."""
    *spline, last, end = route.spline
    tip = route.tip
    length = hypot(tip.x - end.x, tip.y - end.y) or 1.0
    dx, dy = (tip.x - end.x) / length, (tip.y - end.y) / length
    for step in range(2 * ROUNDER):
        if covers(head.kind, place, Point(tip.x + step * dx, tip.y + step * dy)):
            last, end, tip = (Point(at.x + step * dx, at.y + step * dy) for at in (last, end, tip))
            break
    return Route((*spline, last, end), tip, route.label)


def arrow(route: Route, color: str) -> Path:
    """A slim triangle from the end of the spline to the tip."""
    end, tip = route.spline[-1], route.tip
    dx, dy = tip.x - end.x, tip.y - end.y
    length = hypot(dx, dy) or 1.0
    side = Point(-dy / length * _HALF, dx / length * _HALF)
    corners = (Point(end.x - side.x, end.y - side.y),), (tip,)
    start = Point(end.x + side.x, end.y + side.y)
    return Path(start, corners, True, Style(fill=color, width=0))
