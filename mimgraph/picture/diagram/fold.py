"""Make diagrams smaller: close clusters into boxes, and draw long chains of layers as one box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace

from mimgraph.picture.diagram.flat_repeats import fold_repeats
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, boxes, clusters, every

LONG = 4  # layers; a shorter chain is not drawn as one
LISTED = 6  # ops of a chain that its box names


def fold(diagram: Diagram, depth: int) -> Diagram:
    """Return the diagram with clusters open down to a depth; 0 closes all."""
    closed_into: dict[str, str] = {}
    items = tuple(_folded(item, depth, closed_into) for item in diagram.items)
    return _rewired(diagram, items, closed_into)


def _folded(item: Item, depth: int, closed_into: dict[str, str]) -> Item:
    if isinstance(item, Box):
        return item
    if depth > 0:
        return replace(item, items=tuple(_folded(i, depth - 1, closed_into) for i in item.items))
    return _closed(item, item.subtitle, closed_into)


def close(diagram: Diagram, ids: Container[str]) -> Diagram:
    """Return the diagram with its outermost clusters of these ids closed."""
    closed_into: dict[str, str] = {}
    items = tuple(
        _closed(item, item.subtitle, closed_into)
        if isinstance(item, Cluster) and item.id in ids
        else item
        for item in diagram.items
    )
    return _rewired(diagram, items, closed_into)


def close_unmarked(diagram: Diagram) -> Diagram:
    """Return a comparison with those clusters closed in which nothing changed."""
    closed_into: dict[str, str] = {}
    items = tuple(_unmarked_closed(item, closed_into) for item in diagram.items)
    return _rewired(diagram, items, closed_into)


def _unmarked_closed(item: Item, closed_into: dict[str, str]) -> Item:
    if isinstance(item, Box):
        return item
    if not any(inner.mark for inner in every((item,))):
        return _closed(item, item.subtitle, closed_into)
    return replace(item, items=tuple(_unmarked_closed(i, closed_into) for i in item.items))


def _closed(cluster: Cluster, subtitle: str, closed_into: dict[str, str]) -> Box:
    """Return a cluster as one box with a subtitle, marked if anything inside is marked.

    Each id inside is mapped to the id of the box in `closed_into`.
    """
    closed_into |= dict.fromkeys((item.id for item in every(cluster.items)), cluster.id)
    return replace(closed_box(cluster), subtitle=subtitle)


def closed_box(cluster: Cluster) -> Box:
    """Return the box that a cluster is drawn as when it is closed."""
    words = cluster.title, cluster.subtitle, cluster.shapes, cluster.tooltip
    mark, edits = cluster.mark, cluster.edits
    if mark not in ("added", "removed"):
        inner = Counter(item.mark for item in every(cluster.items))
        if changed := inner["added"] + inner["removed"] + inner["changed"]:
            mark, edits = "changed", (*edits, f"{changed} changed inside")
        elif not mark and inner["follows"]:
            mark = "follows"
    return Box(cluster.id, cluster.kind, *words, mark=mark, edits=edits)


def _rewired(diagram: Diagram, items: tuple[Item, ...], closed_into: Mapping[str, str]) -> Diagram:
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


def collapse(diagram: Diagram) -> Diagram:
    """Return the diagram with each long chain of layers as one box of the kind `chain`."""
    closed_into: dict[str, str] = {}
    items = _collapsed(diagram.items, _links(diagram), closed_into)
    return _rewired(diagram, items, closed_into)


def foldings(diagram: Diagram) -> Iterator[Diagram]:
    """Yield the diagram, then smaller ones with ever more clusters closed; the last is collapsed."""
    yield diagram
    for depth in reversed(range(levels(diagram))):
        yield fold(diagram, depth)
    yield fold_repeats(collapse(fold(diagram, 0)))


def levels(diagram: Diagram) -> int:
    """Return the number of levels of nested clusters."""
    return max((1 + depth for _, depth in clusters(diagram.items)), default=0)


def _links(diagram: Diagram) -> Mapping[str, str]:
    """Return the edges of chains, as a map from tail to head: both are plain layers, and neither has
    another edge there."""
    drawn = list(boxes(diagram.items))
    shared = {box.shares for box in drawn}
    plain = {
        box.id
        for box in drawn
        if box.kind == "layer" and not (box.shares or box.mark or box.id in shared)
    }
    leaving = Counter(edge.tail for edge in diagram.edges)
    entering = Counter(edge.head for edge in diagram.edges)
    return {
        edge.tail: edge.head
        for edge in diagram.edges
        if {edge.tail, edge.head} <= plain and leaving[edge.tail] == entering[edge.head] == 1
    }


def _collapsed(
    items: tuple[Item, ...], links: Mapping[str, str], closed_into: dict[str, str]
) -> tuple[Item, ...]:
    """Return the items with each long chain among them, and within clusters, as one box."""
    here = {item.id: item for item in items if isinstance(item, Box)}
    inner = {tail: head for tail, head in links.items() if tail in here and head in here}
    heads = set(inner.values())
    found: list[Item] = []
    for item in items:
        if isinstance(item, Cluster):
            found.append(_collapsed_cluster(item, links, closed_into))
        elif item.id in inner and item.id not in heads:
            chain = [item]
            while chain[-1].id in inner:
                chain.append(here[inner[chain[-1].id]])
            found += [_joined(chain, closed_into)] if len(chain) >= LONG else chain
        elif item.id not in heads:
            found.append(item)
    return tuple(found)


def _collapsed_cluster(
    cluster: Cluster, links: Mapping[str, str], closed_into: dict[str, str]
) -> Item:
    """Return a cluster with its chains as boxes; a `seq` that is one long chain is closed itself."""
    items = _collapsed(cluster.items, links, closed_into)
    if cluster.kind == "seq" and [item.kind for item in items] == ["chain"]:
        (chain,) = boxes(items)
        return _closed(cluster, chain.subtitle, closed_into)
    return replace(cluster, items=items)


def _joined(chain: list[Box], closed_into: dict[str, str]) -> Box:
    """Return a chain of layers as one box."""
    first, last = chain[0], chain[-1]
    id_ = f"{first.id} to {last.id}"
    closed_into |= dict.fromkeys((box.id for box in chain), id_)
    title = f"{first.title} … {last.title}" if first.title else ""
    tooltip = "\n".join(f"{box.id}: {box.subtitle}" for box in chain)
    text = f"{len(chain)} layers: {_listing([_op(box) for box in chain])}"
    return Box(id_, "chain", title, text, last.shapes, tooltip)


def _op(box: Box) -> str:
    return box.subtitle.split(" ")[0].rstrip(",")


def _listing(ops: Sequence[str]) -> str:
    """Return `Linear, ReLU × 250` for ops that repeat, else the first few."""
    for period in range(1, min(LISTED, len(ops) // 2) + 1):
        if len(ops) % period == 0 and all(a == b for a, b in zip(ops, ops[period:], strict=False)):
            return f"{', '.join(ops[:period])} × {len(ops) // period}"
    return ", ".join(ops[:LISTED]) + (", …" if len(ops) > LISTED else "")
