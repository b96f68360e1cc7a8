"""Define the curve and the arrowhead of an edge, from the outline of its first box to that of its second."""

from __future__ import annotations

from math import hypot

from mimgraph.picture.box_shapes import ROUNDER, covers
from mimgraph.picture.diagram.model import Box
from mimgraph.picture.geometry import Path, Place, Point, Style
from mimgraph.picture.layout.routes import Route

HALF_WIDTH, LENGTH = 2.4, 6.0  # of an arrowhead


def curve(route: Route, style: Style) -> Path:
    """Return the line of an edge, up to its arrowhead."""
    *steps, last = route.steps
    back = _direction(route)
    end = Point(last[-1].x - back.x * LENGTH, last[-1].y - back.y * LENGTH)
    # a curve ends in the direction of its second control point, which moves with its end
    moved = (Point(last[1].x - back.x * LENGTH, last[1].y - back.y * LENGTH),) if last[1:] else ()
    return Path(route.start, (*steps, (*last[:1], *moved, end) if moved else (end,)), False, style)


def reaching(route: Route, head: Box, place: Place) -> Route:
    """Return the route extended from the rectangle around a box to its outline."""
    *steps, last = route.steps
    tip, way = last[-1], _direction(route)
    for step in range(2 * ROUNDER):
        at = Point(tip.x + step * way.x, tip.y + step * way.y)
        if covers(head.kind, place, at):
            return route._replace(steps=(*steps, last, (at,)) if step else route.steps)
    return route


def arrowhead(route: Route, color: str) -> Path:
    """Return a slim triangle whose tip is the end of the route."""
    tip, way = route.steps[-1][-1], _direction(route)
    end = Point(tip.x - way.x * LENGTH, tip.y - way.y * LENGTH)
    side = Point(-way.y * HALF_WIDTH, way.x * HALF_WIDTH)
    corners = (Point(end.x - side.x, end.y - side.y),), (tip,)
    start = Point(end.x + side.x, end.y + side.y)
    return Path(start, corners, True, Style(fill=color, width=0))


def _direction(route: Route) -> Point:
    """Return the direction in which a route ends, as a step of length one."""
    points = [route.start, *(point for step in route.steps for point in step)]
    tip = points[-1]
    before = next((p for p in reversed(points) if p != tip), Point(tip.x, tip.y - 1))
    length = hypot(tip.x - before.x, tip.y - before.y)
    return Point((tip.x - before.x) / length, (tip.y - before.y) / length)
