"""Write the text in boxes, on clusters and along edges, and the sizes that it needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from mimgraph.picture.diagram.model import CLOSED, Box, Cluster, Edge
from mimgraph.picture.text_metrics import Line, Run, Tone, broken, line

# lengths in points
TITLE, TEXT, SMALL, SHAPE, BADGE = 11, 10, 9, 8.5, 8  # sizes of letters
WIDEST = 170  # width at which a line is broken
ACROSS, ALONG = 10, 6  # from the text to the sides of a box, and to its top and bottom
SLANT = 9  # width of a hexagon's slanted sides
CAP = 5  # half the height of a cylinder's lid
CARD = 4  # offset between the stacked cards of a closed cluster
CHEVRON = 3  # more room on both sides of a closed cluster's text: a page draws a chevron there
RING = 3  # gap between the two outlines of an output
_IN_BRACKETS = re.compile(r"\(.*\)")
_TIMES = re.compile(r"(× (?:[\w/…]+|\(.*?\)))")


class Size(NamedTuple):
    """A width and height in whole points."""

    width: int
    height: int


def unrepeated(box: Box) -> Box:
    """Return a box with the words to draw: an output does not repeat the shape of its
    source, and a sole one not its name."""
    if box.source is None:
        return box
    is_new = box.title != box.source
    words = filter(None, ("" if is_new else "output", box.subtitle))
    return replace(box, title=box.title if is_new else "", subtitle=", ".join(words), shapes=())


@lru_cache(maxsize=5_000)  # of a box at each depth that is tried, and to measure and to draw it
def box_lines(box: Box) -> tuple[Line, ...]:
    """Return the title, the subtitle, the edits and effects of a comparison, the shapes and the faults
    of a box."""
    box = unrepeated(box)
    title = [line(TITLE, Run(box.title, "bold"))] if box.title else []
    text = [line(TEXT, *_stressed(row)) for row in broken(box.subtitle, WIDEST, TEXT)]
    edits = [
        line(TEXT, Run(row, "bold")) for edit in box.edits for row in broken(edit, WIDEST, TEXT)
    ]
    effects = [
        line(TEXT, Run(row)) for effect in box.effects for row in broken(effect, WIDEST, TEXT)
    ]
    shapes = [line(SHAPE, Run(shape, "mono", "faint")) for shape in box.shapes]
    faults = [line(SMALL, Run(row)) for row in box.faults]
    return (*title, *text, *edits, *effects, *shapes, *faults)


def cluster_line(cluster: Cluster) -> Line:
    """Return the title and subtitle of a cluster, and what changed in a comparison; a bare `seq` and a
    chain need no subtitle, as their layers are in view."""
    is_seen = cluster.kind == "chain" or cluster.kind == cluster.subtitle == "seq"
    subtitle = "" if is_seen else cluster.subtitle
    parts = (
        [Run(cluster.title, "bold")],
        [*_stressed(subtitle, "faint")],
        [Run(", ".join(cluster.edits), "bold")],
        [Run(", ".join(cluster.effects), tone="faint")],
    )
    runs: list[Run] = []
    for part in parts:
        if any(run.text for run in part):
            runs += [Run("  "), *part] if runs else part
    return line(SMALL, *runs)


def edge_line(edge: Edge) -> Line:
    """Return the label of an edge; a box with several results lists their shapes itself."""
    return line(SHAPE, Run(edge.label, tone="faint"))


def badge_line(letter: str) -> Line:
    """Return the text of a badge with the letter of a shared module."""
    return line(BADGE, Run(letter, "bold"))


def sign_line(sign: str) -> Line:
    """Return the text of a badge with the sign of a mark, large enough to tell `~` from `−`."""
    return line(TITLE, Run(sign, "bold"))


def _stressed(text: str, tone: Tone = "text") -> Iterator[Run]:
    """Yield the text with each `× 3` in bold."""
    for part in _TIMES.split(text):
        yield Run(part, "bold") if _TIMES.fullmatch(part) else Run(part, tone=tone)


def cards(box: Box) -> int:
    """Return the number of cards drawn behind a closed cluster: two if it is repeated, else one."""
    if box.kind not in ("seq", "block", "repeat"):
        return 0
    return 2 if _is_repeated(box) else 1


def _is_repeated(box: Box) -> bool:
    """Return whether a box stands for repeats: `conv × 3` does, `conv × 3 + ReLU` of a `seq` does not."""
    outside = _IN_BRACKETS.sub("", box.subtitle)
    is_one_of_several = box.kind == "seq" and " + " in outside
    return box.kind == "repeat" or ("× " in outside and not is_one_of_several)


def box_size(box: Box) -> Size:
    """Return the size of a box: its text and all that is drawn around it."""
    size = text_size(box_lines(box))
    width, height = size.width + 2 * ACROSS, size.height + 2 * ALONG
    behind = CARD * cards(box)
    if box.kind in CLOSED:
        width += 2 * CHEVRON
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
    """Return the size of lines that stand one below the other."""
    every = tuple(lines)
    width = max((row.width for row in every), default=0)
    return Size(ceil(width), ceil(sum(row.height for row in every)))
