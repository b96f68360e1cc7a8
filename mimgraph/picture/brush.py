"""Paint outlines, text and badges in the colours of a theme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from mimgraph.picture.diagram.captions import badge_line, sign_line
from mimgraph.picture.diagram.model import Mark
from mimgraph.picture.geometry import THICK, THIN, Place, Point, Rect, Shape, Style, Text
from mimgraph.picture.text_metrics import Line, Tone
from mimgraph.picture.themes import DASHED, SIGNS, Paint, Palette

_DOWN = 30  # points at most from the corner of a box to its badges
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

    def badges(self, place: Place, mark: Mark, letter: str) -> Iterator[Shape]:
        """Yield the sign of a mark and the letter of shared weights, on sides where no edge ends."""
        down = min(_DOWN, place.height / 2)
        aside = min(_DOWN, place.width / 4)
        right = place.x + place.width
        ends = Point(place.x, place.y + down), Point(right, place.y + down)
        if self.is_across:
            ends = Point(place.x + aside, place.y), Point(right - aside, place.y)
        if mark in SIGNS:
            sign = sign_line(SIGNS[mark])
            yield from self._badge(ends[0], sign, self.palette.marks[mark].line)
        if letter:
            tags = self.palette.tags
            color = tags[(ord(letter[0]) - ord("A")) % len(tags)]
            yield from self._badge(ends[1], badge_line(letter), color)

    def _badge(self, at: Point, row: Line, color: str) -> Iterator[Shape]:
        radius = max(6.0, row.width / 2 + 2.5)
        place = Place(at.x - radius, at.y - 6, 2 * radius, 12)
        yield Rect(place, 6, Style(self.palette.page, color, 1))
        yield Text(at.x, at.y + _CENTRE * row.size, row, (self.palette.page,), "middle")
