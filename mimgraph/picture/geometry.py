"""The shapes of a figure: rectangles, paths and lines of text, each with its place and colours."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from mimgraph.picture.text_metrics import Line

THIN, THICK = 1.1, 2.0  # widths of outlines


class Point(NamedTuple):
    """A position in points, from the upper left corner."""

    x: float
    y: float


class Place(NamedTuple):
    """A rectangular area."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> float:
        """The x of the centre."""
        return self.x + self.width / 2

    @property
    def middle(self) -> float:
        """The y of the centre."""
        return self.y + self.height / 2


class Style(NamedTuple):
    """The colours, line width and dashes of a shape; `dashes` are the lengths of a dash and a gap."""

    line: str = ""
    fill: str = ""
    width: float = THIN
    dashes: tuple[float, float] | None = None


class Rect(NamedTuple):
    """A painted rectangle with rounded corners."""

    place: Place
    radius: float
    style: Style


class Path(NamedTuple):
    """A line through `steps`: a step of one point is straight, one of three points a Bézier curve."""

    start: Point
    steps: tuple[tuple[Point, ...], ...]
    closed: bool
    style: Style


class Text(NamedTuple):
    """A line of text; `y` is its base line, and `x` its start or its middle, as `anchor` says."""

    x: float
    y: float
    line: Line
    colors: tuple[str, ...]
    anchor: Literal["start", "middle"]
    struck: bool = False


Shape: TypeAlias = Rect | Path | Text
