"""Define the outline of each kind of box; kinds differ in shape, so that they need no colour."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

from mimgraph.picture.diagram.captions import CAP, CARD, RING, SLANT
from mimgraph.picture.geometry import Path, Place, Point, Rect, Shape, Style

ROUND, ROUNDER = 3, 12  # radius of a corner
_NONE = 1e-6  # a distance that is due to rounding


def outline(kind: str, cards: int, front: Place, style: Style) -> Iterator[Shape]:
    """Yield the shapes of a box of a kind without its text, with cards behind the front one."""
    for number in range(cards, 0, -1):
        card = front._replace(x=front.x + CARD * number, y=front.y - CARD * number)
        yield Rect(card, ROUND, style)
    rounder = min(ROUNDER, 0.4 * front.height)
    match kind:
        case "merge":
            yield _hexagon(front, style)
        case "tensor":
            yield from _cylinder(front, style)
        case "input":
            yield Rect(front, rounder, style)
        case "output":
            yield Rect(front, rounder, style._replace(fill=""))
            yield Rect(_shrunk(front, RING, RING), max(rounder - RING, 0), style)
        case "chain":
            yield Rect(front, ROUND, style)
            yield Rect(_shrunk(front, CARD, 0), 0, style)
        case _:
            yield Rect(front, ROUND, style)


def _shrunk(place: Place, across: float, along: float) -> Place:
    size = place.width - 2 * across, place.height - 2 * along
    return Place(place.x + across, place.y + along, *size)


def _hexagon(place: Place, style: Style) -> Path:
    left, top = place.x, place.y
    right, bottom, middle = left + place.width, top + place.height, top + place.height / 2
    corners = [
        Point(left + SLANT, top),
        Point(right - SLANT, top),
        Point(right, middle),
        Point(right - SLANT, bottom),
        Point(left + SLANT, bottom),
    ]
    return Path(Point(left, middle), tuple((corner,) for corner in corners), True, style)


def _cylinder(place: Place, style: Style) -> Iterator[Shape]:
    """Yield a body between two half ellipses, and the front edge of its lid."""
    left, right = place.x, place.x + place.width
    top, bottom = place.y + CAP, place.y + place.height - CAP
    bow = CAP * 4 / 3  # height of the control points of a cubic curve that rises by CAP

    def half(y: float, up: float, backwards: bool = False) -> tuple[Point, Point, Point]:
        ends = (right, left) if backwards else (left, right)
        return Point(ends[0], y + up), Point(ends[1], y + up), Point(ends[1], y)

    body = (half(top, -bow), (Point(right, bottom),), half(bottom, bow, backwards=True))
    yield Path(Point(left, top), body, True, style)
    yield Path(Point(left, top), (half(top, bow),), False, style._replace(fill=""))


def covers(kind: str, place: Place, point: Point) -> bool:
    """Return whether a point lies inside the outline of a box of a kind, or on it."""
    x, y = abs(point.x - place.centre) - _NONE, abs(point.y - place.middle) - _NONE
    width, height = place.width / 2, place.height / 2
    if kind == "merge":
        return y <= height and x + SLANT * y / height <= width
    radius = ROUNDER if kind in ("input", "output") else ROUND
    return hypot(max(x - width + radius, 0), max(y - height + radius, 0)) <= radius
