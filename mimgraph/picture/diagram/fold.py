"""A diagram with less in it: clusters closed into boxes, long chains of layers drawn as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mimgraph.picture.diagram.flat_repeats import once
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, boxes

LONG = 4  # layers in a row that are drawn as one
TOLD = 6  # of its ops that are listed


def fold(diagram: Diagram, depth: int | None) -> Diagram:
    """The diagram with clusters open down to a depth: 0 closes all of them, None none."""
    if depth is None:
        return diagram
    stands: dict[str, str] = {}
    items = tuple(_folded(item, depth, stands) for item in diagram.items)
    return _through(diagram, items, stands)


def _folded(item: Item, depth: int, stands: dict[str, str]) -> Item:
    if isinstance(item, Box):
        return item
    if depth > 0:
        return replace(item, items=tuple(_folded(i, depth - 1, stands) for i in item.items))
    return _closed(item, item.subtitle, stands)


def close_unmarked(diagram: Diagram) -> Diagram:
    """A comparison with the clusters closed in which nothing changed."""
    stands: dict[str, str] = {}
    items = tuple(_unmarked_closed(item, stands) for item in diagram.items)
    return _through(diagram, items, stands)


def _unmarked_closed(item: Item, stands: dict[str, str]) -> Item:
    if isinstance(item, Box):
        return item
    if not (item.mark or _has_marks(item.items)):
        return _closed(item, item.subtitle, stands)
    return replace(item, items=tuple(_unmarked_closed(i, stands) for i in item.items))


def _closed(cluster: Cluster, subtitle: str, stands: dict[str, str]) -> Box:
    """A cluster as one box, whose id `stands` gets for each of those inside; what is marked there
    changes it."""
    stands |= dict.fromkeys(_ids(cluster.items), cluster.id)
    words = cluster.title, subtitle, cluster.shapes, cluster.tooltip
    mark = cluster.mark or ("changed" if _has_marks(cluster.items) else "")
    return Box(cluster.id, cluster.kind, *words, mark=mark)


def _has_marks(items: tuple[Item, ...]) -> bool:
    return any(
        item.mark or (isinstance(item, Cluster) and _has_marks(item.items)) for item in items
    )


def _ids(items: tuple[Item, ...]) -> Iterator[str]:
    for item in items:
        yield item.id
        if isinstance(item, Cluster):
            yield from _ids(item.items)


def _through(diagram: Diagram, items: tuple[Item, ...], stands: Mapping[str, str]) -> Diagram:
    """The diagram of these items; its lines go to what stands for their ends, or vanish inside."""
    edges: list[Edge] = []
    entered: set[Edge] = set()
    for edge in diagram.edges:
        tail, head = (stands.get(end, end) for end in (edge.tail, edge.head))
        moved = edge._replace(tail=tail, head=head)
        if head != edge.head:  # what is inside may read it often, by names that mean nothing here
            moved = moved._replace(argument="")
            if tail == head or moved in entered:
                continue
            entered.add(moved)
        edges.append(moved)
    return replace(diagram, items=_sharing(items, stands), edges=tuple(edges))


def _sharing(items: tuple[Item, ...], stands: Mapping[str, str]) -> tuple[Item, ...]:
    found: list[Item] = []
    for item in items:
        if isinstance(item, Cluster):
            item = replace(item, items=_sharing(item.items, stands))
        elif item.shares in stands:
            item = replace(item, shares=stands[item.shares])
        found.append(item)
    return tuple(found)


def collapse(diagram: Diagram) -> Diagram:
    """The diagram with layers in a row, where they are many, as one box of the kind `chain`."""
    stands: dict[str, str] = {}
    items = _collapsed(diagram.items, _links(diagram), stands)
    return _through(diagram, items, stands)


def ever_smaller(diagram: Diagram) -> Iterator[Diagram]:
    """The diagram, then with ever more of its clusters closed, in the end collapsed."""
    yield diagram
    for depth in reversed(range(_depth(diagram.items))):
        yield fold(diagram, depth)
    yield once(collapse(fold(diagram, 0)))


def _depth(items: tuple[Item, ...]) -> int:
    """How many clusters stand in each other."""
    return max((1 + _depth(i.items) for i in items if isinstance(i, Cluster)), default=0)


def _links(diagram: Diagram) -> Mapping[str, str]:
    """What each plain layer feeds, where it feeds nothing else, and nothing else feeds that."""
    every = list(boxes(diagram.items))
    shared = {box.shares for box in every}
    plain = {
        box.id
        for box in every
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
    items: tuple[Item, ...], links: Mapping[str, str], stands: dict[str, str]
) -> tuple[Item, ...]:
    here = {item.id: item for item in items if isinstance(item, Box)}
    inner = {tail: head for tail, head in links.items() if tail in here and head in here}
    heads = set(inner.values())
    found: list[Item] = []
    for item in items:
        if isinstance(item, Cluster):
            found.append(_collapsed_cluster(item, links, stands))
        elif item.id in inner and item.id not in heads:
            row = [item]
            while row[-1].id in inner:
                row.append(here[inner[row[-1].id]])
            found += _row(row, stands)
        elif item.id not in heads:
            found.append(item)
    return tuple(found)


def _collapsed_cluster(cluster: Cluster, links: Mapping[str, str], stands: dict[str, str]) -> Item:
    items = _collapsed(cluster.items, links, stands)
    if cluster.kind == "seq" and [item.kind for item in items] == ["chain"]:
        (row,) = boxes(items)
        return _closed(cluster, row.subtitle, stands)
    return replace(cluster, items=items)


def _row(row: list[Box], stands: dict[str, str]) -> list[Box]:
    """Layers in a row as one box, or as they are where they are few."""
    if len(row) < LONG:
        return row
    first, last = row[0], row[-1]
    chain = f"{first.id} to {last.id}"
    stands |= dict.fromkeys((box.id for box in row), chain)
    title = f"{first.title} … {last.title}" if first.title else ""
    told = "\n".join(f"{box.id}: {box.subtitle}" for box in row)
    text = f"{len(row)} layers: {_listing([_op(box) for box in row])}"
    return [Box(chain, "chain", title, text, last.shapes, told)]


def _op(box: Box) -> str:
    return box.subtitle.split(" ")[0].rstrip(",")


def _listing(ops: Sequence[str]) -> str:
    """`Linear, ReLU × 250` where they repeat, else the first of them."""
    for period in range(1, min(TOLD, len(ops) // 2) + 1):
        if len(ops) % period == 0 and all(a == b for a, b in zip(ops, ops[period:], strict=False)):
            return f"{', '.join(ops[:period])} × {len(ops) // period}"
    return ", ".join(ops[:TOLD]) + (", …" if len(ops) > TOLD else "")
