"""Draw edges through their straight parts: curves between ranks, rounded corners where an edge runs across."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from mimgraph.picture.geometry import Place, Point
from mimgraph.picture.layout.place import PADDING, Run, Spot, Stretch
from mimgraph.picture.text_metrics import Line

CORNER = 8.0  # the radius of a corner, in points
ABOVE = 3.0  # from a level edge to its label
NONE = 1e-6  # a distance that is due to rounding


class Route(NamedTuple):
    """The course of an edge, from the outline of one box to the next: a step of one point is straight, one
    of three points a Bézier curve. `label` is the centre of the edge's label."""

    start: Point
    steps: tuple[tuple[Point, ...], ...]
    label: Point | None


class _Straight(NamedTuple):
    """A straight part of an edge, along or across."""

    start: Spot
    end: Spot

    @property
    def length(self) -> float:
        return abs(self.end.u - self.start.u) + abs(self.end.v - self.start.v)

    def before(self, distance: float) -> Spot:
        """Return the position at a distance before the end."""
        part = distance / self.length if self.length else 0.0
        du, dv = self.end.u - self.start.u, self.end.v - self.start.v
        return Spot(self.end.u - part * du, self.end.v - part * dv)


def level_route(tail: Place, head: Place, label: Line) -> Route:
    """Return a straight route from the right side of one box to the left side of another."""
    start, end = Point(tail.x + tail.width, tail.middle), Point(head.x, tail.middle)
    above = Point((start.x + end.x) / 2, start.y - label.size / 2 - ABOVE)
    return Route(start, ((end,),), above if label.runs else None)


def loop_route(place: Place) -> Route:
    """Return the route of an edge from a box to itself, beside the box."""
    right, quarter = place.x + place.width, place.height / 4
    start, end = Point(right, place.middle + quarter), Point(right, place.middle - quarter)
    beside = right + PADDING
    return Route(start, ((Point(beside, start.y), Point(beside, end.y), end),), None)


def moved(part: Stretch | Run, u: float, v: float) -> Stretch | Run:
    """Return a part of an edge moved by a distance."""
    if isinstance(part, Run):
        return Run(part.v + v, part.start + u, part.end + u)
    return Stretch(part.u + u, part.start + v, part.end + v)


def steps_along(parts: Sequence[Stretch | Run]) -> Iterator[tuple[Spot, ...]]:
    """Yield the start of an edge, and then the steps through its parts."""
    lines = list(_joined(parts))
    yield (lines[0].start,)
    at = lines[0].start
    bends = (step for line, after in pairwise(lines) for step in _steps(line, after))
    for step in (*bends, (lines[-1].end,)):
        if not _is_same(step[-1], at):
            yield step
            at = step[-1]


def _steps(line: _Straight, after: _Straight) -> Iterator[tuple[Spot, ...]]:
    """Yield a straight line, and the curve to the next one."""
    if _is_same(line.end, after.start):
        radius = min(CORNER, line.length / 2, after.length / 2)
        yield (line.before(radius),)
        yield line.end, line.end, _Straight(after.end, after.start).before(radius)
    else:
        yield (line.end,)
        half = (line.end.v + after.start.v) / 2
        yield Spot(line.end.u, half), Spot(after.start.u, half), after.start


def _joined(parts: Sequence[Stretch | Run]) -> Iterator[_Straight]:
    """Yield parts as lines, those on one axis as one."""
    line: _Straight | None = None
    for part in parts:
        start, end = _ends(part)
        if line is not None and _is_straight(line, start, end):
            line = _Straight(line.start, Spot(line.start.u, end.v))
            continue
        if line is not None:
            yield line
        line = _Straight(start, end)
    if line is not None:
        yield line


def _ends(part: Stretch | Run) -> tuple[Spot, Spot]:
    if isinstance(part, Run):
        return Spot(part.start, part.v), Spot(part.end, part.v)
    return Spot(part.u, part.start), Spot(part.u, part.end)


def _is_straight(line: _Straight, start: Spot, end: Spot) -> bool:
    """Return whether a part goes on along the edges where a line ends."""
    us = line.start.u, line.end.u, start.u, end.u
    return max(us) - min(us) < NONE


def _is_same(one: Spot, other: Spot) -> bool:
    return abs(one.u - other.u) < NONE and abs(one.v - other.v) < NONE
