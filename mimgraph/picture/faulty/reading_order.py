"""Order nodes that may feed each other in cycles, so that each is drawn behind its sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from mimgraph.picture.diagram.model import Edge, Item, every

Back = AbstractSet[tuple[str, str]]


class ReadingOrder(NamedTuple):
    """Names in an order in which each follows its sources, but for the edges in `back`, which close
    cycles."""

    names: list[str]
    back: Back


def reading_order(sources: Mapping[str, Sequence[str]]) -> ReadingOrder:
    """Return the names, each after those that it reads; names that are no keys are left out.

    Of a cycle the edges lead back that go up in the order of the keys.
    """
    order = _ordered(sources, frozenset())
    if not order.back:
        return order
    import networkx as nx  # needed for cycles alone

    edges = [(tail, head) for head, tails in sources.items() for tail in tails if tail in sources]
    groups = enumerate(nx.strongly_connected_components(nx.DiGraph(edges)))
    group = {name: number for number, names in groups for name in names}
    position = {name: index for index, name in enumerate(sources)}
    back = {
        (tail, head)
        for tail, head in edges
        if group[tail] == group[head] and position[tail] >= position[head]
    }
    return ReadingOrder(_ordered(sources, back).names, back)


def _ordered(sources: Mapping[str, Sequence[str]], without: Back) -> ReadingOrder:
    """Return the names, depth first, without these edges; an edge that closes a cycle leads back."""
    names: list[str] = []
    back: set[tuple[str, str]] = set()
    done: set[str] = set()
    for first in sources:
        path = {} if first in done else {first: iter(sources[first])}  # each reads the next one
        while path:
            head, rest = next(reversed(path.items()))
            here = (name for name in rest if name in sources and (name, head) not in without)
            tail = next((name for name in here if name not in done), None)
            if tail is None:
                del path[head]
                done.add(head)
                names.append(head)
            elif tail in path:
                back.add((tail, head))
            else:
                path[tail] = iter(sources[tail])
    return ReadingOrder(names, back)


def in_reading_order(
    items: Sequence[Item], edges: Iterable[Edge], names: Sequence[str]
) -> tuple[Item, ...]:
    """Return the items of a diagram, each after those that it reads and otherwise in the order of the
    names: inputs first, then nodes and outputs; a box that has no name stands before its reader."""
    position = {name: index for index, name in enumerate(names)}

    def place(item: Item) -> tuple[bool, bool, int]:
        is_named = item.id in position or item.kind in ("input", "output")
        return not is_named, item.kind != "input", position.get(item.id, len(names))

    outer = {inner.id: item.id for item in items for inner in every((item,))}
    by_id = {item.id: item for item in sorted(items, key=place)}
    reads: dict[str, list[str]] = {id_: [] for id_ in by_id}
    for edge in edges:
        if outer[edge.tail] != outer[edge.head]:
            reads[outer[edge.head]].append(outer[edge.tail])
    return tuple(by_id[id_] for id_ in reading_order(reads).names)
