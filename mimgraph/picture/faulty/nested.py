"""Put the diagram of a block's inside into the diagram around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from mimgraph.picture.diagram.model import Box, Diagram, Edge, Item, Mark


class End(NamedTuple):
    """The box that a source names, the port that is shown, and the mark of an edge from it."""

    box: str
    port: str = ""
    mark: Mark = ""


class Nested(NamedTuple):
    """The items and edges of a block without its inputs and outputs, and by output the end of each."""

    items: tuple[Item, ...]
    edges: list[Edge]
    results: dict[str, End]


def nested(inside: Diagram, prefix: str, feeds: Mapping[str, Sequence[End]]) -> Nested:
    """Return the inside of a block, with the prefix before its ids; `feeds` are the ends that feed its
    inputs, by name. An input or output with a fault stays a box."""
    ends = [item for item in inside.items if item.kind in ("input", "output")]
    dropped = {item.id for item in ends if not (isinstance(item, Box) and item.faults)}
    outputs = {item.id for item in ends if item.kind == "output"}
    edges = [
        Edge(end.box, prefix + item.id, end.port, "", end.mark)
        for item in ends
        if item.id not in dropped | outputs
        for end in _feeds(item.id, feeds)
    ]
    results: dict[str, End] = {}
    for edge in inside.edges:
        tails = [End(prefix + edge.tail, edge.port, edge.mark)]
        if edge.tail in dropped:
            tails = _feeds(edge.tail, feeds)
        if edge.head in outputs:
            results |= {edge.head.removeprefix("output "): tail for tail in tails[:1]}
        if edge.head not in dropped:
            head = prefix + edge.head
            edges += [Edge(t.box, head, t.port, edge.argument, edge.mark or t.mark) for t in tails]
    items = tuple(_prefixed(item, prefix) for item in inside.items if item.id not in dropped)
    return Nested(items, edges, results)


def _feeds(id_: str, feeds: Mapping[str, Sequence[End]]) -> list[End]:
    """Return the ends that feed the box of an input, which may be one of a group, `x.a`, or stand for
    many."""
    every = [end for several in feeds.values() for end in several]
    return [*feeds.get(id_, feeds.get(id_.partition(".")[0], every))]


def _prefixed(item: Item, prefix: str) -> Item:
    """Return an item with the prefix before its id and all ids inside."""
    if isinstance(item, Box):
        shares = f"{prefix}{item.shares}" if item.shares else ""
        return replace(item, id=prefix + item.id, shares=shares)
    inner = tuple(_prefixed(one, prefix) for one in item.items)
    return replace(item, id=prefix + item.id, items=inner)
