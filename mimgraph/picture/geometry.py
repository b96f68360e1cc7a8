"""What can be painted: rectangles, paths and lines of text, each with its place and colours."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from mimgraph.picture.text_metrics import Line

THIN, THICK = 1.1, 2.0  # outlines


class Point(NamedTuple):
    """In points, from the upper left corner."""

    x: float
    y: float


class Place(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> float:
        """Half way from left to right."""
        return self.x + self.width / 2

    @property
    def middle(self) -> float:
        """Half way down."""
        return self.y + self.height / 2


class Style(NamedTuple):
    """How a shape is painted; `dashes` are the lengths of a dash and a gap."""

    line: str = ""
    fill: str = ""
    width: float = THIN
    dashes: tuple[float, float] | None = None


class Rect(NamedTuple):
    """A rectangle with round corners."""

    place: Place
    radius: float
    style: Style


class Path(NamedTuple):
    """From a point along steps: one point is a straight line, three are a Bézier curve."""

    start: Point
    steps: tuple[tuple[Point, ...], ...]
    closed: bool
    style: Style


class Text(NamedTuple):
    """A line of text on its base line; `anchor` says which part of it stands at `x`."""

    x: float
    y: float
    line: Line
    colors: tuple[str, ...]
    anchor: Literal["start", "middle"]
    struck: bool = False


Shape: TypeAlias = Rect | Path | Text
