"""Close clusters of a diagram into boxes."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace

from mimgraph.picture.diagram.chain_text import seq_text
from mimgraph.picture.diagram.model import (
    Box,
    Cluster,
    Diagram,
    Edge,
    Item,
    Mark,
    boxes,
    clusters,
    every,
)
from mimgraph.picture.themes import SIGNS

# changes inside that a closed cluster names; one more takes no more room than `and 1 more`
LISTED = 3
_OP = re.compile(r"^[^ ,]*")
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


def closed(cluster: Cluster, closed_into: dict[str, str]) -> Box:
    """Return a cluster as one box.

    Each id inside is mapped to the id of the box in `closed_into`.
    """
    closed_into |= dict.fromkeys((item.id for item in every(cluster.items)), cluster.id)
    return closed_box(cluster)


def closed_box(cluster: Cluster) -> Box:
    """Return the box that a cluster is drawn as when it is closed.

    A `seq` has no name that says what it does, so its box lists what is inside. In a comparison the
    box says what changed inside.
    """
    subtitle = cluster.subtitle
    if cluster.kind == "seq" and _SEQ.match(subtitle):
        now = [
            item for item in cluster.items if item.mark == cluster.mark or item.mark != "removed"
        ]
        subtitle = _SEQ.sub(lambda _: seq_text(now), subtitle)
    words = cluster.title, subtitle, cluster.shapes, cluster.tooltip
    box = Box(cluster.id, cluster.kind, *words)
    box = replace(box, mark=cluster.mark, edits=cluster.edits, effects=cluster.effects)
    if cluster.mark in ("added", "removed"):
        return box
    if cluster.mark == "unknown":  # a fault is inside, as a rule
        found = next((item for item in boxes(cluster.items) if item.faults), None)
        if found is None:
            return box
        faults = f"in {found.id.removeprefix(f'{cluster.id}.')}", *found.faults
        return replace(box, mark="faulty", faults=faults, tooltip=found.tooltip)
    if changes := tuple(dict.fromkeys(_changes(cluster.items))):
        return replace(box, mark="changed", edits=(*box.edits, *_few(changes)))
    following = sum(item.mark == "follows" for item in every(cluster.items))
    nodes = "1 node" if following == 1 else f"{following} nodes"
    effects = (f"other sizes in {nodes}",) if following else ()
    mark: Mark = "follows" if following else ""
    return replace(box, mark=box.mark or mark, effects=box.effects + effects)


def _changes(items: tuple[Item, ...]) -> Iterator[str]:
    """Yield what an author changed inside: `seen: num_heads 10 → 8`, `+ norm`, `− Dropout`; all of an
    added or removed item is one change."""
    for item in items:
        name = item.title or _OP.findall(item.subtitle)[0]
        if item.mark in ("added", "removed"):
            yield f"{SIGNS[item.mark]} {name}"
            continue
        if item.mark == "changed" and (item.edits or "→" not in name):
            words = ", ".join(item.edits) or "other sources"
            yield f"{name}: {words}" if name else words  # `ReLU → GELU` of a layer without a name
        elif item.mark == "changed":
            yield name  # it is only called so now
        if isinstance(item, Cluster):
            yield from _changes(item.items)


def _few(changes: tuple[str, ...]) -> Iterator[str]:
    """Yield the first changes, then `and 4 more`."""
    shown = LISTED if len(changes) > LISTED + 1 else LISTED + 1
    yield from changes[:shown]
    if more := changes[shown:]:
        yield f"and {len(more)} more"


def rewired(diagram: Diagram, items: tuple[Item, ...], closed_into: Mapping[str, str]) -> Diagram:
    """Return the diagram with new items; edges into closed clusters end at their box, and edges
    inside them are dropped."""
    edges: list[Edge] = []
    known: dict[Edge, int] = {}  # positions of edges at closed clusters
    for edge in diagram.edges:
        tail, head = (closed_into.get(end, end) for end in (edge.tail, edge.head))
        moved = edge._replace(tail=tail, head=head)
        if head != edge.head:
            # the argument of an inner node means nothing here
            moved = moved._replace(argument="")
            if tail == head:
                continue
        if moved[:2] != edge[:2]:
            unmarked = moved._replace(mark="")
            at = known.setdefault(unmarked, len(edges))
            if at < len(edges) and edges[at].mark != moved.mark:
                edges[at] = unmarked  # what was added and removed is inside
                continue
            if at < len(edges) and head != edge.head:
                continue  # equal edges into a cluster are drawn once
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
