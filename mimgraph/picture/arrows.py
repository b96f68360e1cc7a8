"""Define the curve and the arrowhead of an edge, from below its first box to the outline of its second."""

from __future__ import annotations

from math import hypot

from mimgraph.picture.box_shapes import ROUNDER, covers
from mimgraph.picture.diagram.captions import SLANT
from mimgraph.picture.diagram.model import Box
from mimgraph.picture.geometry import Path, Place, Point, Style
from mimgraph.picture.layout.layout import Route

_HALF_WIDTH = 2.4  # of an arrowhead


def curve(route: Route, style: Style) -> Path:
    """Return the spline, lengthened under the box that it leaves, whose corners may be cut off."""
    first, second, *_ = route.spline
    dx, dy = first.x - second.x, first.y - second.y
    under = SLANT / (hypot(dx, dy) or 1.0)
    rest = route.spline[1:]
    curves = tuple(rest[i : i + 3] for i in range(0, len(rest), 3))
    start = Point(first.x + dx * under, first.y + dy * under)
    return Path(start, ((first,), *curves), False, style)


def reaching(route: Route, head: Box, place: Place) -> Route:
    """Return the route extended to the outline of a box: Graphviz ends it at the rectangle around it."""
    *spline, last, end = route.spline
    tip = route.tip
    length = hypot(tip.x - end.x, tip.y - end.y) or 1.0
    dx, dy = (tip.x - end.x) / length, (tip.y - end.y) / length
    for step in range(2 * ROUNDER):
        if covers(head.kind, place, Point(tip.x + step * dx, tip.y + step * dy)):
            last, end, tip = (Point(at.x + step * dx, at.y + step * dy) for at in (last, end, tip))
            break
    return Route((*spline, last, end), tip, route.label)


def arrowhead(route: Route, color: str) -> Path:
    """Return a slim triangle from the end of the spline to the tip."""
    end, tip = route.spline[-1], route.tip
    dx, dy = tip.x - end.x, tip.y - end.y
    length = hypot(dx, dy) or 1.0
    side = Point(-dy / length * _HALF_WIDTH, dx / length * _HALF_WIDTH)
    corners = (Point(end.x - side.x, end.y - side.y),), (tip,)
    start = Point(end.x + side.x, end.y + side.y)
    return Path(start, corners, True, Style(fill=color, width=0))
