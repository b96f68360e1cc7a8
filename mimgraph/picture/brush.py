"""Paint outlines, text and badges in the colours of a theme."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import hypot
from typing import Literal, NamedTuple

from mimgraph.picture.diagram.captions import badge_line, sign_line
from mimgraph.picture.diagram.model import Mark
from mimgraph.picture.geometry import THICK, THIN, Place, Point, Rect, Shape, Style, Text
from mimgraph.picture.text_metrics import Line, Tone
from mimgraph.picture.themes import DASHED, SIGNS, Paint, Palette

_DOWN = 30  # points at most from the corner of a box to its badges
_AWAY = 10  # points at least from a badge to the end of an edge
_CENTRE = 0.36  # from the base line of letters to their middle, over their size


class Brush(NamedTuple):
    """Makes shapes in the colours of a palette; edges go from left to right if `is_across`."""

    palette: Palette
    is_across: bool = False

    def style(self, paint: Paint, mark: Mark, dashed: bool = False) -> Style:
        """Return the style of an outline: a mark changes its colour, and makes it thicker on what has
        a sign."""
        if mark:
            paint = self.palette.marks[mark]
        dashes = (4.0, 3.0) if dashed or mark in DASHED else None
        return Style(*paint, THICK if mark in SIGNS else THIN, dashes)

    def text(
        self, at: Point, row: Line, anchor: Literal["start", "middle"], struck: bool = False
    ) -> Text:
        """Return a line of text with its base line at a point."""
        tones: dict[Tone, str] = {"text": self.palette.text, "faint": self.palette.faint}
        return Text(*at, row, tuple(tones[run.tone] for run in row.runs), anchor, struck)

    def badges(
        self, place: Place, mark: Mark, letter: str, ends: Sequence[Point] = ()
    ) -> Iterator[Shape]:
        """Yield the sign of a mark to the left and the letter of shared weights to the right of a box,
        away from the ends of edges."""
        if mark in SIGNS:
            at = self._free(place, min(_DOWN, place.width / 4), place.x, ends)
            yield from self._badge(at, sign_line(SIGNS[mark]), self.palette.marks[mark].line)
        if letter:
            tags = self.palette.tags
            color = tags[(ord(letter[0]) - ord("A")) % len(tags)]
            aside = max(place.width - _DOWN, 0.75 * place.width)
            at = self._free(place, aside, place.x + place.width, ends)
            yield from self._badge(at, badge_line(letter), color)

    def _free(self, place: Place, aside: float, side: float, ends: Sequence[Point]) -> Point:
        """Return a position at a side of a box, or on its top or bottom, where no edge ends."""
        level = Point(side, place.y + min(_DOWN, place.height / 2))
        low = place.y + place.height
        above, below = Point(place.x + aside, place.y), Point(place.x + aside, low)
        wanted = (above, below, level) if self.is_across else (level, above, below)
        free = (
            at for at in wanted if all(hypot(at.x - end.x, at.y - end.y) >= _AWAY for end in ends)
        )
        return next(free, wanted[0])

    def _badge(self, at: Point, row: Line, color: str) -> Iterator[Shape]:
        radius = max(6.0, row.width / 2 + 2.5)
        place = Place(at.x - radius, at.y - 6, 2 * radius, 12)
        yield Rect(place, 6, Style(self.palette.page, color, 1))
        yield Text(at.x, at.y + _CENTRE * row.size, row, (self.palette.page,), "middle")
