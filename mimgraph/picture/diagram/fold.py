"""Close clusters of a diagram into boxes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import replace

from mimgraph.picture.diagram.chain_text import seq_text
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, clusters, every

_SEQ = re.compile("^seq\\b")


def fold(diagram: Diagram, depth: int) -> Diagram:
    """Return the diagram with clusters open down to a depth; 0 closes all."""
    closed_into: dict[str, str] = {}
    items = tuple(_folded(item, depth, closed_into) for item in diagram.items)
    return rewired(diagram, items, closed_into)


def _folded(item: Item, depth: int, closed_into: dict[str, str]) -> Item:
    if isinstance(item, Box):
        return item
    if depth > 0:
        return replace(item, items=tuple(_folded(i, depth - 1, closed_into) for i in item.items))
    return closed(item, closed_into)


def close(diagram: Diagram, ids: Container[str]) -> Diagram:
    """Return the diagram with its outermost clusters of these ids closed."""
    closed_into: dict[str, str] = {}
    items = tuple(_these_closed(item, ids, closed_into) for item in diagram.items)
    return rewired(diagram, items, closed_into)


def _these_closed(item: Item, ids: Container[str], closed_into: dict[str, str]) -> Item:
    if isinstance(item, Box):
        return item
    if item.id in ids:
        return closed(item, closed_into)
    return replace(item, items=tuple(_these_closed(i, ids, closed_into) for i in item.items))


def close_unmarked(diagram: Diagram) -> Diagram:
    """Return a comparison with those clusters closed in which nothing changed."""
    closed_into: dict[str, str] = {}
    items = tuple(_unmarked_closed(item, closed_into) for item in diagram.items)
    return rewired(diagram, items, closed_into)


def _unmarked_closed(item: Item, closed_into: dict[str, str]) -> Item:
    if isinstance(item, Box):
        return item
    if not any(inner.mark for inner in every((item,))):
        return closed(item, closed_into)
    return replace(item, items=tuple(_unmarked_closed(i, closed_into) for i in item.items))


def closed(cluster: Cluster, closed_into: dict[str, str]) -> Box:
    """Return a cluster as one box.

    Each id inside is mapped to the id of the box in `closed_into`.
    """
    closed_into |= dict.fromkeys((item.id for item in every(cluster.items)), cluster.id)
    return closed_box(cluster)


def closed_box(cluster: Cluster) -> Box:
    """Return the box that a cluster is drawn as when it is closed, marked if anything inside is marked.

    A `seq` has no name that says what it does, so its box lists what is inside.
    """
    subtitle = cluster.subtitle
    if cluster.kind == "seq" and _SEQ.match(subtitle):
        subtitle = _SEQ.sub(lambda _: seq_text(cluster.items), subtitle)
    words = cluster.title, subtitle, cluster.shapes, cluster.tooltip
    mark, edits = cluster.mark, cluster.edits
    if mark not in ("added", "removed"):
        inner = Counter(item.mark for item in every(cluster.items))
        if changed := inner["added"] + inner["removed"] + inner["changed"]:
            mark, edits = "changed", (*edits, f"{changed} changed inside")
        elif not mark and inner["follows"]:
            mark = "follows"
    return Box(cluster.id, cluster.kind, *words, mark=mark, edits=edits)


def rewired(diagram: Diagram, items: tuple[Item, ...], closed_into: Mapping[str, str]) -> Diagram:
    """Return the diagram with new items; edges into closed clusters end at their box, and edges
    inside them are dropped."""
    edges: list[Edge] = []
    entering: set[Edge] = set()
    for edge in diagram.edges:
        tail, head = (closed_into.get(end, end) for end in (edge.tail, edge.head))
        moved = edge._replace(tail=tail, head=head)
        if head != edge.head:
            # the argument of an inner node means nothing here, and equal edges are drawn once
            moved = moved._replace(argument="")
            if tail == head or moved in entering:
                continue
            entering.add(moved)
        edges.append(moved)
    return replace(diagram, items=_with_owners(items, closed_into), edges=tuple(edges))


def _with_owners(items: tuple[Item, ...], closed_into: Mapping[str, str]) -> tuple[Item, ...]:
    """Return the items; a box that shares the module of a closed one shares the closed cluster."""
    found: list[Item] = []
    for item in items:
        if isinstance(item, Cluster):
            item = replace(item, items=_with_owners(item.items, closed_into))
        elif item.shares in closed_into:
            item = replace(item, shares=closed_into[item.shares])
        found.append(item)
    return tuple(found)


def levels(diagram: Diagram) -> int:
    """Return the number of levels of nested clusters."""
    return max((1 + depth for _, depth in clusters(diagram.items)), default=0)
