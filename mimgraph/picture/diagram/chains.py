"""A diagram whose long chains can be opened: what `collapse` draws as one box is a cluster here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mimgraph.picture.diagram.fold import collapse
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item, boxes


def chained(diagram: Diagram) -> tuple[Diagram, list[str]]:
    """The diagram with its chains as clusters, and the ids of all clusters that collapsing closes."""
    collapsed = {box.id: box for box in boxes(collapse(diagram).items)}
    follows = {edge.tail: edge.head for edge in diagram.edges}
    rows = {}
    for box in collapsed.values():
        if box.kind == "chain":
            first, _, last = box.id.partition(" to ")
            rows[first] = box, _row(first, last, follows)
    closed: list[str] = []
    items = tuple(_chained(diagram.items, collapsed, rows, closed))
    return replace(diagram, items=items), closed


def _row(first: str, last: str, follows: Mapping[str, str]) -> list[str]:
    row = [first]
    while row[-1] != last:
        row.append(follows[row[-1]])
    return row


def _chained(
    items: tuple[Item, ...],
    collapsed: Mapping[str, Box],
    rows: Mapping[str, tuple[Box, list[str]]],
    closed: list[str],
) -> Iterator[Item]:
    here = {item.id: item for item in items}
    inner = {id_ for first in here if first in rows for id_ in rows[first][1]}
    for item in items:
        if isinstance(item, Cluster):
            held = tuple(_chained(item.items, collapsed, rows, closed))
            if item.id in collapsed:
                closed.append(item.id)
                item = replace(item, subtitle=collapsed[item.id].subtitle)
            yield replace(item, items=held)
        elif item.id in rows:
            box, row = rows[item.id]
            closed.append(box.id)
            words = box.title, box.subtitle, tuple(here[id_] for id_ in row)
            yield Cluster(box.id, box.kind, *words, box.tooltip, box.shapes)
        elif item.id not in inner:
            yield item
