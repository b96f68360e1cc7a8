"""Order nodes that may feed each other in cycles, so that each is drawn behind its sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mimgraph.picture.diagram.model import Edge, Item, every


class ReadingOrder(NamedTuple):
    """Names in an order in which each follows its sources, but for the edges in `back`, which close
    cycles."""

    names: list[str]
    back: set[tuple[str, str]]


def reading_order(sources: Mapping[str, Sequence[str]]) -> ReadingOrder:
    """Return the names, each after those that it reads; names that are no keys are left out."""
    order = ReadingOrder([], set())
    done: set[str] = set()
    for first in sources:
        path = (
            {} if first in done else {first: iter(sources[first])}
        )  # each reads the one before it
        while path:
            head, rest = next(reversed(path.items()))
            tail = next((name for name in rest if name in sources and name not in done), None)
            if tail is None:
                del path[head]
                done.add(head)
                order.names.append(head)
            elif tail in path:
                order.back.add((tail, head))
            else:
                path[tail] = iter(sources[tail])
    return order


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
