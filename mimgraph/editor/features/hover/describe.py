"""Say in Markdown what stands at a place: an op, an option, a source, a param, a size, a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.editor.analysis import Analysis
from mimgraph.editor.features.hover.node import node_texts
from mimgraph.editor.features.hover.place import HoverPlace, path_to
from mimgraph.editor.features.hover.section import section_texts
from mimgraph.editor.features.hover.values import expression_texts
from mimgraph.editor.features.node_facts import Facts
from mimgraph.editor.features.uses import Uses
from mimgraph.source import Span


class Hover(NamedTuple):
    """A text in Markdown on what a span is."""

    span: Span
    text: str


def hover(
    analysis: Analysis, uses: Uses | None, facts: Facts, line: int, column: int
) -> Hover | None:
    """Return a description of the thing at a place; None where there is none."""
    path = path_to(analysis.tree, line, column)
    if path is None:
        return None
    place = HoverPlace(analysis, uses, facts, path, line, column)
    texts = [text for text in _texts(place) if text]
    return Hover(place.span, "\n\n".join(texts)) if texts else None


def _texts(place: HoverPlace) -> Iterator[str]:
    """Yield the paragraphs."""
    if (found := expression_texts(place)) is not None:
        yield from found
    elif place.node is not None:
        yield from node_texts(place, place.node)
    else:
        yield from section_texts(place)
