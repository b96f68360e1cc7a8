"""Open each block once: uses of the same structure elsewhere are drawn closed, as in papers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterator

from mimgraph.picture.diagram.fold import close
from mimgraph.picture.diagram.model import (
    CLOSED,
    Box,
    Cluster,
    Diagram,
    Edge,
    Item,
    boxes,
    every,
)

_WORD = re.compile(r"[^\W\d]\w*")


def open_once(diagram: Diagram) -> Diagram:
    """Return the diagram with each block open where it is first used, and closed where it is used again."""
    return close(diagram, {*used_again(diagram)})


def used_again(diagram: Diagram) -> Iterator[str]:
    """Yield the ids of blocks with the structure of an earlier one, outer ones alone."""
    structures = _Structures(diagram)
    seen: set[Hashable] = set()

    def within(items: tuple[Item, ...]) -> Iterator[str]:
        for item in items:
            if not isinstance(item, Cluster):
                continue
            key = structures.key(item) if item.kind in ("block", "repeat") else None
            if key in seen:
                yield item.id
                continue
            if key is not None:
                seen.add(key)
            yield from within(item.items)

    return within(diagram.items)


class _Structures:
    """Compares the blocks of a diagram by their ops and inner edges, whatever their sizes and options."""

    def __init__(self, diagram: Diagram) -> None:
        self.reads: dict[str, list[Edge]] = defaultdict(list)
        for edge in diagram.edges:
            self.reads[edge.head].append(edge)
        self.sharers: dict[str, set[str]] = defaultdict(
            set
        )  # by the id of the item whose module it is
        for box in boxes(diagram.items):
            self.sharers[box.shares].add(box.id)

    def key(self, cluster: Cluster) -> Hashable:
        """Return a key that is equal for blocks of the same structure.

        It is the block's own if a box inside is marked, or shares its module with one outside: a closed
        block would hide that.
        """
        inner = list(every(cluster.items))
        places = {item.id: number for number, item in enumerate(inner)}
        held = [item for item in inner if isinstance(item, Box)]
        shares = [(places[box.id], places.get(box.shares)) for box in held if box.shares]
        if any(item.mark or not self.sharers[item.id] <= places.keys() for item in inner):
            return cluster.id
        if any(owner is None for _, owner in shares):
            return cluster.id
        edges = [
            (places[edge.tail], places[edge.head], edge.label)
            for box in held
            for edge in self.reads[box.id]
            if edge.tail in places
        ]
        return _ops(cluster)[1:], *map(_ops, inner), *shares, *edges


def _ops(item: Item) -> tuple[str, ...]:
    """Return the op of an item, or the ops that a closed chain lists."""
    words = _WORD.findall(item.subtitle)
    return item.kind, *(words if isinstance(item, Box) and item.kind in CLOSED else words[:1])
