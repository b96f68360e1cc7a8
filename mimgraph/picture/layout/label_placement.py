"""Find free places for text: titles of clusters beside the edges, labels beside their own edge."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import ceil, hypot, inf
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from mimgraph.picture.geometry import Place, Point

_CELL = 16  # points, the side of the squares in which drops are looked up
_STEP = 4  # points between two drops of ink
_BOX, _EDGE, _WALL, _TEXT = 10, 6, 3, 10  # penalty for covering one drop of each
_AWAY = 0.06  # penalty for each point of distance from the wanted place
_OUTSIDE = 1000  # penalty for leaving the picture
_AROUND = 2  # points around a text that should be free of ink too
_MOST = 1_000_000  # drops; in a larger picture no places are looked for
_GAP, _NEAR = 3, 6  # points between an edge and its label: wanted, and at most

_Cell: TypeAlias = tuple[int, int]


def too_much(boxes: Iterable[Place], lines: Iterable[Sequence[Point]]) -> bool:
    """Return whether a picture has too much ink for a search that takes about a second."""
    fill = sum(place.width * place.height for place in boxes) / _STEP**2
    return fill + sum(map(length, lines)) / _STEP > _MOST


class _Area(NamedTuple):
    """A filled rectangle: drops at each of `xs` and each of `ys`, both in ascending order."""

    xs: list[float]
    ys: list[float]
    weight: int


class Ink:
    """All that is drawn, as weighted drops; `under` adds up the drops below a place."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.drops: dict[_Cell, list[tuple[Point, int]]] = {}
        self.areas: dict[_Cell, list[_Area]] = {}

    def box(self, place: Place) -> None:
        """Add a box with its inside."""
        self._fill(place, _BOX)

    def text(self, place: Place) -> None:
        """Add a title or label that has been placed."""
        self._fill(place, _TEXT)

    def wall(self, place: Place) -> None:
        """Add the outline of a cluster."""
        for x in _steps(place.x, place.width):
            self._drop(Point(x, place.y), _WALL)
            self._drop(Point(x, place.y + place.height), _WALL)
        for y in _steps(place.y, place.height):
            self._drop(Point(place.x, y), _WALL)
            self._drop(Point(place.x + place.width, y), _WALL)

    def edge(self, points: Sequence[Point]) -> None:
        """Add points along an edge."""
        for point in points:
            self._drop(point, _EDGE)

    def under(self, place: Place) -> float:
        """Return the penalty for writing at a place: the weights of the drops in it and close to it."""
        left, top = place.x - _AROUND, place.y - _AROUND
        right, low = place.x + place.width + _AROUND, place.y + place.height + _AROUND
        if left < 0 or top < 0 or right > self.width or low > self.height:
            return _OUTSIDE
        cells = list(_cells(left, top, right, low))
        lines = sum(
            weight
            for cell in cells
            for at, weight in self.drops.get(cell, ())
            if left <= at.x <= right and top <= at.y <= low
        )
        near = {id(area): area for cell in cells for area in self.areas.get(cell, ())}
        return lines + sum(
            area.weight * _within(area.xs, left, right) * _within(area.ys, top, low)
            for area in near.values()
        )

    def _fill(self, place: Place, weight: int) -> None:
        xs, ys = _steps(place.x, place.width), _steps(place.y, place.height)
        area = _Area(list(xs), list(ys), weight)
        for cell in _cells(area.xs[0], area.ys[0], area.xs[-1], area.ys[-1]):
            self.areas.setdefault(cell, []).append(area)

    def _drop(self, at: Point, weight: int) -> None:
        cell = int(at.x // _CELL), int(at.y // _CELL)
        self.drops.setdefault(cell, []).append((at, weight))


def _cells(left: float, top: float, right: float, low: float) -> Iterator[_Cell]:
    """Yield the squares that a rectangle touches."""
    for column in range(int(left // _CELL), int(right // _CELL) + 1):
        for row in range(int(top // _CELL), int(low // _CELL) + 1):
            yield column, row


def _within(ascending: Sequence[float], low: float, high: float) -> int:
    """Return how many of the numbers are at least `low` and at most `high`."""
    return bisect_right(ascending, high) - bisect_left(ascending, low)


def place_title(ink: Ink, wall: Place, wanted: Place) -> Place:
    """Return the place for the title of a cluster in its upper margin: as far left as no edge crosses."""
    most = int(wall.x + wall.width - (wanted.x - wall.x) - wanted.width - wanted.x)
    steps = range(0, max(most, 0) + 1, _STEP)
    return _best(ink, wanted, ((step, wanted._replace(x=wanted.x + step)) for step in steps))


def place_label(
    ink: Ink, points: Sequence[Point], wanted: Point, width: float, height: float
) -> Place:
    """Return the place for the label of an edge: beside it, over little ink, near the wanted point."""

    def away(place: Place) -> float:
        return hypot(place.centre - wanted.x, place.middle - wanted.y)

    beside = [place for place in _beside(points, width, height) if _is_near(place, points)]
    places = ((away(place), place) for place in beside)
    middle = Place(wanted.x - width / 2, wanted.y - height / 2, width, height)
    return _best(ink, middle, sorted(places, key=itemgetter(0)))


def _best(ink: Ink, default: Place, places: Iterable[tuple[float, Place]]) -> Place:
    """Return the place of least penalty among places sorted by distance; the default if there is none."""
    least, found = inf, default
    for away, place in places:
        if least <= _AWAY * away:
            break  # all the others are farther away
        if (penalty := ink.under(place) + _AWAY * away) < least:
            least, found = penalty, place
    return found


def _beside(points: Sequence[Point], width: float, height: float) -> Iterator[Place]:
    """Yield places on both sides of an edge, all along it."""
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        dx, dy = after.x - before.x, after.y - before.y
        step = hypot(dx, dy) or 1.0
        across = Point(dy / step, -dx / step)
        # so far that the nearest corner of the label keeps the gap
        far = _GAP + (abs(across.x) * width + abs(across.y) * height) / 2
        for side in (far, -far):
            middle = Point(at.x + across.x * side, at.y + across.y * side)
            yield Place(middle.x - width / 2, middle.y - height / 2, width, height)


def _is_near(place: Place, points: Sequence[Point]) -> bool:
    """Return whether an edge passes close to a place: at the end of a slanted edge it may not."""
    return any(
        abs(at.x - place.centre) < place.width / 2 + _NEAR
        and abs(at.y - place.middle) < place.height / 2 + _NEAR
        for at in points
    )


def length(points: Sequence[Point]) -> float:
    """Return the length of the line through the points."""
    return sum(hypot(q.x - p.x, q.y - p.y) for p, q in pairwise(points))


def points_along(spline: Sequence[Point]) -> list[Point]:
    """Return points along a Bézier spline, about one step apart."""
    found = [spline[0]]
    for start in range(0, len(spline) - 1, 3):
        a, b, c, d = spline[start : start + 4]
        number = max(1, ceil(length((a, b, c, d)) / _STEP))
        for t in (step / number for step in range(1, number + 1)):
            s = 1 - t
            weights = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
            found.append(
                Point(
                    sum(w * p.x for w, p in zip(weights, (a, b, c, d), strict=True)),
                    sum(w * p.y for w, p in zip(weights, (a, b, c, d), strict=True)),
                )
            )
    return found


def _steps(start: float, length: float) -> Iterator[float]:
    number = max(1, ceil(length / _STEP))
    return (start + length * step / number for step in range(number + 1))
