"""Make a diagram as small as a drawing in a paper: chains as one box, and what repeats once."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.picture.diagram.chains import close_chains
from mimgraph.picture.diagram.flat_repeats import fold_repeats
from mimgraph.picture.diagram.fold import fold, levels
from mimgraph.picture.diagram.model import Diagram
from mimgraph.picture.diagram.open_once import open_once


def collapse(diagram: Diagram) -> Diagram:
    """Return the diagram with chains as one box, repeats in a row once, and each block open once."""
    return open_once(fold_repeats(close_chains(diagram)))


def foldings(diagram: Diagram) -> Iterator[Diagram]:
    """Yield the diagram, then smaller ones with ever more clusters closed; the last is collapsed."""
    yield diagram
    for depth in reversed(range(levels(diagram))):
        yield fold(diagram, depth)
    yield fold_repeats(fold(collapse(diagram), 0))
