"""Draw chains of layers as one box, with the layers as its text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from mimgraph.picture.diagram.chain_text import LISTED, chain_text
from mimgraph.picture.diagram.fold import closed, rewired
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item, Mark, boxes

LONG = 4  # layers; a shorter chain that is not all of a cluster stays as it is
SINGLE: tuple[Mark, ...] = ("changed", "faulty", "unknown")  # marks of layers that are drawn singly


def close_chains(diagram: Diagram) -> Diagram:
    """Return the diagram with clusters that are chains of layers as boxes, and each other long chain as
    one box of the kind `chain`."""
    chains = Chains(diagram)
    closed_into: dict[str, str] = {}

    def drawn(items: tuple[Item, ...]) -> Iterator[Item]:
        for row in chains.rows(items):
            if len(row) > 1:
                yield closed(_cluster(row), closed_into)
            elif isinstance(item := row[0], Box):
                yield item
            elif text := chains.text(item):
                yield closed(replace(item, subtitle=text), closed_into)
            else:
                yield replace(item, items=tuple(drawn(item.items)))

    return rewired(diagram, tuple(drawn(diagram.items)), closed_into)


def with_chains(diagram: Diagram) -> tuple[Diagram, list[str]]:
    """Return the diagram with a cluster for each box that `close_chains` would make, for a page that
    can open and close them, and the ids of those to close."""
    chains = Chains(diagram)
    closed_ids: list[str] = []

    def drawn(items: tuple[Item, ...]) -> Iterator[Item]:
        for row in chains.rows(items):
            if len(row) > 1:
                yield (chain := _cluster(row))
                closed_ids.append(chain.id)
            elif isinstance(item := row[0], Box):
                yield item
            elif text := chains.text(item):
                closed_ids.append(item.id)
                is_plain = all(isinstance(inner, Box) for inner in item.items)
                held = item.items if is_plain else tuple(drawn(item.items))
                yield replace(item, subtitle=text, items=held)
            else:
                yield replace(item, items=tuple(drawn(item.items)))

    return replace(diagram, items=tuple(drawn(diagram.items))), closed_ids


class Chains:
    """The chains of a diagram: rows of plain layers, each read only by the next."""

    def __init__(self, diagram: Diagram) -> None:
        self.links = _links(diagram)

    def text(self, cluster: Cluster) -> str:
        """Return the text of a cluster that is one chain and can be drawn closed, else ""."""
        inner = list(boxes(cluster.items))
        ids = [box.id for box in inner]
        if any(self.links.get(tail) != head for tail, head in pairwise(ids)):
            return ""
        if any(box.kind != "layer" or box.mark or box.shares for box in inner):
            return ""
        words = _words(cluster.items)
        # a chain of clusters is opened to show more than the box could name
        is_plain = len(inner) == len(cluster.items)
        return words if is_plain or words.count(" + ") < LISTED else ""

    def rows(self, items: tuple[Item, ...]) -> Iterator[tuple[Item, ...]]:
        """Yield the items of one level, each alone, or the layers of a long chain together."""
        here = {item.id: item for item in items if isinstance(item, Box)}
        links = {tail: head for tail, head in self.links.items() if tail in here and head in here}
        heads = set(links.values())
        for item in items:
            if item.id in heads:
                continue
            row = [item]
            while row[-1].id in links:
                row.append(here[links[row[-1].id]])
            yield from [tuple(row)] if len(row) >= LONG else ((one,) for one in row)


def _cluster(chain: tuple[Item, ...]) -> Cluster:
    """Return a chain of layers as one cluster."""
    first, last = chain[0], chain[-1]
    title = f"{first.title} … {last.title}" if first.title else ""
    tooltip = "\n".join(f"{box.id}: {box.subtitle}" for box in chain)
    id_ = f"{first.id} to {last.id}"
    mark = "" if first.mark == "follows" else first.mark
    return Cluster(id_, "chain", title, _words(chain), chain, tooltip, last.shapes, mark)


def _links(diagram: Diagram) -> Mapping[str, str]:
    """Return the edges of chains, as a map from tail to head: both are plain layers of the same mark, and
    neither has another edge there."""
    drawn = list(boxes(diagram.items))
    shared = {box.shares for box in drawn}
    plain = {
        box.id: box.mark
        for box in drawn
        if box.kind == "layer" and not (box.shares or box.id in shared or box.mark in SINGLE)
    }
    leaving = Counter(edge.tail for edge in diagram.edges)
    entering = Counter(edge.head for edge in diagram.edges)
    return {
        edge.tail: edge.head
        for edge in diagram.edges
        if edge.tail in plain
        and plain[edge.tail] == plain.get(edge.head)
        and leaving[edge.tail] == entering[edge.head] == 1
    }


def _words(chain: Sequence[Item]) -> str:
    words = [item.brief if isinstance(item, Box) else _words(item.items) for item in chain]
    return chain_text(words, len(words))
