"""List what the marks of a picture mean, and only those that occur in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mimgraph.picture.box_shapes import outline
from mimgraph.picture.brush import Brush
from mimgraph.picture.diagram.captions import CARD, SMALL, Size, cards
from mimgraph.picture.diagram.model import Box, Diagram, Mark, boxes, every
from mimgraph.picture.diagram.share_letters import letters
from mimgraph.picture.geometry import Place, Point, Shape
from mimgraph.picture.text_metrics import Run, line
from mimgraph.picture.themes import SIGNS, Paint

# lengths in points
SAMPLE = Size(26, 12)
BADGE = 5  # room for half a badge beside the box of a sample
GAP, APART, ROW = 5, 16, 20  # from a sample to its text, between two entries, and between two rows
MARGIN, SPACE = 10, 8  # to the sides and bottom of the picture, and above the legend

KINDS = {
    "input": "input",
    "layer": "layer",
    "merge": "merge",
    "tensor": "tensor of the model",
    "output": "output",
}
MARKS: dict[Mark, str] = {
    "added": "added",
    "removed": "removed",
    "changed": "changed",
    "follows": "follows from a change",
    "faulty": "faulty",
    "unknown": "of unknown shape",
}


class Entry(NamedTuple):
    """What a sample means: a small box of a kind, with its marks."""

    text: str
    kind: str = "layer"
    mark: Mark = ""
    letter: str = ""
    cards: int = 0
    is_dashed: bool = False


LETTER = Entry("same letter: same weights", letter="A")
FOLDED = Entry("folded", "block", cards=1)
REPEATED = Entry("folded and repeated", "block", cards=2)
CHAIN = Entry("chain of layers", "chain")
DRAWN_ONCE = Entry("repeated, drawn once", "repeat", is_dashed=True)
OPTIONAL = Entry("optional", "input", is_dashed=True)
IN_TRAINING = Entry("in training only", "output", is_dashed=True)
ENTRIES = (
    *(Entry(text, kind) for kind, text in KINDS.items()),
    *(Entry(text, mark=mark) for mark, text in MARKS.items()),
    *(LETTER, FOLDED, REPEATED, CHAIN, DRAWN_ONCE, OPTIONAL, IN_TRAINING),
)


@dataclass(frozen=True, slots=True)
class Legend:
    """The shapes of a legend, and the size of the picture with it."""

    shapes: tuple[Shape, ...]
    width: float
    height: float


def marks(diagram: Diagram) -> list[Entry]:
    """Return an entry for each mark in a diagram: of changes, shared weights, folding and dashes."""
    return [*_changes(diagram), *_sharing(diagram), *_folding(diagram), *_dashes(diagram)]


def _changes(diagram: Diagram) -> Iterator[Entry]:
    found = {one.mark for one in (*every(diagram.items), *diagram.edges)}
    return (Entry(text, mark=mark) for mark, text in MARKS.items() if mark in found)


def _sharing(diagram: Diagram) -> Iterator[Entry]:
    if letters(boxes(diagram.items)):
        yield LETTER


def _folding(diagram: Diagram) -> Iterator[Entry]:
    drawn = list(every(diagram.items))
    stacked = {cards(item) for item in drawn if isinstance(item, Box)}
    if 1 in stacked:
        yield FOLDED
    if 2 in stacked:
        yield REPEATED
    if any(isinstance(item, Box) and item.kind == "chain" for item in drawn):
        yield CHAIN
    if any(not isinstance(item, Box) and item.kind == "repeat" for item in drawn):
        yield DRAWN_ONCE


def _dashes(diagram: Diagram) -> Iterator[Entry]:
    optional = {box.kind for box in boxes(diagram.items) if box.optional}
    if "input" in optional:
        yield OPTIONAL
    if "output" in optional:
        yield IN_TRAINING


def below(diagram: Diagram, brush: Brush, width: float, height: float) -> Legend:
    """Return the legend below a picture of a given size, in as many rows as it needs."""
    shapes: list[Shape] = []
    x, y, right = float(MARGIN), height + SPACE, width
    for entry in marks(diagram):
        row = line(SMALL, Run(entry.text, tone="faint"))
        wide = SAMPLE.width + GAP + row.width
        if x > MARGIN and x + wide > width - MARGIN:
            x, y = float(MARGIN), y + ROW
        shapes += _sample(entry, brush, Point(x, y))
        at = Point(x + SAMPLE.width + GAP, y + (SAMPLE.height + 0.7 * SMALL) / 2)
        shapes.append(brush.text(at, row, "start"))
        right = max(right, x + wide + MARGIN)
        x += wide + APART
    return Legend(tuple(shapes), right, y + ROW + MARGIN / 2 if shapes else height)


def _sample(entry: Entry, brush: Brush, corner: Point) -> Iterator[Shape]:
    """Yield a small box with the marks of an entry, as large as a sample with its cards and badges."""
    palette = brush.palette
    paint = palette.kinds.get(entry.kind, Paint(palette.wall, palette.nested[0]))
    left, right = (BADGE if entry.mark in SIGNS else 0), (BADGE if entry.letter else 0)
    behind = CARD * entry.cards
    place = Place(
        corner.x + left,
        corner.y + behind / 2,
        SAMPLE.width - left - right - behind,
        SAMPLE.height - behind / 2,
    )
    style = brush.style(paint, entry.mark, entry.is_dashed)
    yield from outline(entry.kind, entry.cards, place, style)
    yield from brush._replace(is_across=False).badges(place, entry.mark, entry.letter)
