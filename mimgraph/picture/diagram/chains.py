"""Turn long chains of layers into clusters that a page can open and close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mimgraph.picture.diagram.fold import collapse
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item, boxes


def with_chains(diagram: Diagram) -> tuple[Diagram, list[str]]:
    """Return the diagram with a cluster for each box that `collapse` would make, and the ids of all
    clusters that `collapse` would close."""
    collapsed = {box.id: box for box in boxes(collapse(diagram).items)}
    follows = {edge.tail: edge.head for edge in diagram.edges}
    chains = {}
    for box in collapsed.values():
        if box.kind == "chain":
            first, _, last = box.id.partition(" to ")
            chains[first] = box, _path(first, last, follows)
    closed: list[str] = []
    items = tuple(_with_chains(diagram.items, collapsed, chains, closed))
    return replace(diagram, items=items), closed


def _path(first: str, last: str, follows: Mapping[str, str]) -> list[str]:
    """Return the ids of a chain, from its first layer to its last."""
    path = [first]
    while path[-1] != last:
        path.append(follows[path[-1]])
    return path


def _with_chains(
    items: tuple[Item, ...],
    collapsed: Mapping[str, Box],
    chains: Mapping[str, tuple[Box, list[str]]],
    closed: list[str],
) -> Iterator[Item]:
    """Yield the items, each chain as a cluster; add the ids of clusters that `collapse` closes to `closed`."""
    here = {item.id: item for item in items}
    inner = {id_ for first in here if first in chains for id_ in chains[first][1]}
    for item in items:
        if isinstance(item, Cluster):
            held = tuple(_with_chains(item.items, collapsed, chains, closed))
            if item.id in collapsed:
                closed.append(item.id)
                item = replace(item, subtitle=collapsed[item.id].subtitle)
            yield replace(item, items=held)
        elif item.id in chains:
            box, path = chains[item.id]
            closed.append(box.id)
            words = box.title, box.subtitle, tuple(here[id_] for id_ in path)
            yield Cluster(box.id, box.kind, *words, box.tooltip, box.shapes)
        elif item.id not in inner:
            yield item
