"""Where there is room for words: titles of clusters beside the lines, captions beside their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import ceil, hypot, inf
from operator import itemgetter

from mimgraph.picture.geometry import Place, Point

_CELL = 16  # points, of the squares by which ink is found
_STEP = 4  # from one drop of ink to the next
_BOX, _LINE, _WALL, _WORD = 10, 6, 3, 10  # how bad it is to write over a drop of that
_NEAR = 0.06  # and how bad it is to stand a point away
_OUTSIDE = 1000
_AROUND = 2  # of words, that should be free of ink too
_MOST = 1_000_000  # drops of a picture in which places are sought
_GAP = 3  # between a line and its caption


def too_much(boxes: Iterable[Place], lines: Iterable[Sequence[Point]]) -> bool:
    """Whether that is more than one can look through in a second."""
    fill = sum(place.width * place.height for place in boxes) / _STEP**2
    return fill + sum(map(length, lines)) / _STEP > _MOST


class Ink:
    """What is drawn, as drops; it tells how much of it lies under a place."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.cells: dict[tuple[int, int], list[tuple[Point, int]]] = {}

    def box(self, place: Place) -> None:
        """A box, all of it."""
        self._fill(place, _BOX)

    def words(self, place: Place) -> None:
        """Words that stand."""
        self._fill(place, _WORD)

    def wall(self, place: Place) -> None:
        """The outline of a cluster."""
        for x in _steps(place.x, place.width):
            self._drop(Point(x, place.y), _WALL)
            self._drop(Point(x, place.y + place.height), _WALL)
        for y in _steps(place.y, place.height):
            self._drop(Point(place.x, y), _WALL)
            self._drop(Point(place.x + place.width, y), _WALL)

    def line(self, points: Sequence[Point]) -> None:
        """The way of an edge."""
        for point in points:
            self._drop(point, _LINE)

    def under(self, place: Place) -> float:
        """How bad it is to write there; of a line that only passes near, a drop may lie there."""
        left, top = place.x - _AROUND, place.y - _AROUND
        right, low = place.x + place.width + _AROUND, place.y + place.height + _AROUND
        if left < 0 or top < 0 or right > self.width or low > self.height:
            return _OUTSIDE
        return sum(
            weight
            for column in range(int(left // _CELL), int(right // _CELL) + 1)
            for row in range(int(top // _CELL), int(low // _CELL) + 1)
            for at, weight in self.cells.get((column, row), ())
            if left <= at.x <= right and top <= at.y <= low
        )

    def _fill(self, place: Place, weight: int) -> None:
        for x in _steps(place.x, place.width):
            for y in _steps(place.y, place.height):
                self._drop(Point(x, y), weight)

    def _drop(self, at: Point, weight: int) -> None:
        cell = int(at.x // _CELL), int(at.y // _CELL)
        self.cells.setdefault(cell, []).append((at, weight))


def title(ink: Ink, wall: Place, room: Place) -> Place:
    """Where a title stands in the upper margin of a cluster: as far left as no line passes."""
    most = int(wall.x + wall.width - (room.x - wall.x) - room.width - room.x)
    steps = range(0, max(most, 0) + 1, _STEP)
    return _least(ink, room, ((step, room._replace(x=room.x + step)) for step in steps))


def caption(ink: Ink, way: Sequence[Point], asked: Point, width: float, height: float) -> Place:
    """Where the caption of a line stands: beside it, where there is least, near the place asked."""

    def away(place: Place) -> float:
        return hypot(place.centre - asked.x, place.middle - asked.y)

    places = ((away(place), place) for place in _beside(way, width, height))
    middle = Place(asked.x - width / 2, asked.y - height / 2, width, height)
    return _least(ink, middle, sorted(places, key=itemgetter(0)))


def _least(ink: Ink, asked: Place, places: Iterable[tuple[float, Place]]) -> Place:
    """Where it is least bad to write, of places from near to far, or as asked if there is none."""
    least, found = inf, asked
    for away, place in places:
        if least <= _NEAR * away:
            break  # it only gets farther
        if (badness := ink.under(place) + _NEAR * away) < least:
            least, found = badness, place
    return found


def _beside(way: Sequence[Point], width: float, height: float) -> Iterator[Place]:
    """To both sides of a line, all along it."""
    for before, at, after in zip(way, way[1:], way[2:], strict=False):
        dx, dy = after.x - before.x, after.y - before.y
        step = hypot(dx, dy) or 1.0
        across = Point(dy / step, -dx / step)
        # so far that the nearest corner of the caption keeps the gap
        far = _GAP + (abs(across.x) * width + abs(across.y) * height) / 2
        for side in (far, -far):
            middle = Point(at.x + across.x * side, at.y + across.y * side)
            yield Place(middle.x - width / 2, middle.y - height / 2, width, height)


def length(points: Sequence[Point]) -> float:
    """How long the line through them is."""
    return sum(hypot(q.x - p.x, q.y - p.y) for p, q in pairwise(points))


def drops(spline: Sequence[Point]) -> list[Point]:
    """Points along a Bézier spline, about a step apart."""
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
