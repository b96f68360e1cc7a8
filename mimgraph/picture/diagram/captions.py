"""What is written in boxes, on clusters and along edges, and how much room it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import NamedTuple

from mimgraph.picture.diagram.model import Box, Cluster, Edge
from mimgraph.picture.text_metrics import Line, Run, Tone, broken, line

TITLE, TEXT, SMALL, SHAPE = 11, 10, 9, 8.5  # points
WIDEST = 170  # of a line that can be broken
ACROSS, ALONG = 10, 6  # from the letters to the walls of a box
SLANT = 9  # of a hexagon's sides
CAP = 5  # half the height of a cylinder's lid
CARD = 4  # from a card to the one behind it
RING = 3  # between the two outlines of an output
_TIMES = re.compile(r"(× \d+)")


class Size(NamedTuple):
    """In whole points, which every engine divides alike."""

    width: int
    height: int


def box_lines(box: Box) -> tuple[Line, ...]:
    """The name, the layer and the shapes."""
    title = [line(TITLE, Run(box.title, "bold"))] if box.title else []
    text = [line(TEXT, *_stressed(row)) for row in broken(box.subtitle, WIDEST, TEXT)]
    shapes = [line(SHAPE, Run(shape, "mono", "faint")) for shape in box.shapes]
    return (*title, *text, *shapes)


def cluster_line(cluster: Cluster) -> Line:
    """The name and what it is; a chain is seen to be one."""
    said = "" if cluster.kind == cluster.subtitle == "seq" else cluster.subtitle
    gap = "  " if cluster.title and said else ""
    return line(SMALL, Run(cluster.title, "bold"), Run(gap), *_stressed(said, "faint"))


def edge_line(edge: Edge, tails: Mapping[str, Box]) -> Line:
    """The port and argument; the shape too, where several leave the same box."""
    shapes = tails[edge.tail].shapes
    shape = next((s for s in shapes if edge.port and s.startswith(f"{edge.port} (")), "")
    told = shape.removeprefix(f"{edge.port} ") if len(shapes) > 1 else ""
    label = Run(edge.label, tone="faint")
    return line(SHAPE, label, Run(" " if told else ""), Run(told, "mono", "faint"))


def _stressed(text: str, tone: Tone = "text") -> Iterator[Run]:
    """How often it stands there is seen at once."""
    for part in _TIMES.split(text):
        yield Run(part, "bold") if _TIMES.fullmatch(part) else Run(part, tone=tone)


def cards(box: Box) -> int:
    """How many cards lie behind a box, which say that there is more inside."""
    if box.kind not in ("seq", "block", "repeat"):
        return 0
    return 2 if _TIMES.search(box.subtitle) or box.kind == "repeat" else 1


def box_size(box: Box) -> Size:
    """Of the box with all that is drawn around its text."""
    size = text_size(box_lines(box))
    width, height = size.width + 2 * ACROSS, size.height + 2 * ALONG
    behind = CARD * cards(box)
    match box.kind:
        case "merge":
            width += 2 * SLANT - ACROSS
        case "tensor":
            height += 3 * CAP - ALONG
        case "output":
            width, height = width + 2 * RING, height + 2 * RING
        case "chain":
            width += 2 * CARD
    return Size(width + behind, height + behind)


def text_size(lines: Iterable[Line]) -> Size:
    """Of lines below each other."""
    every = tuple(lines)
    width = max((row.width for row in every), default=0)
    return Size(ceil(width), ceil(sum(row.height for row in every)))
