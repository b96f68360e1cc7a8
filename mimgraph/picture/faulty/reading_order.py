"""Order nodes that may feed each other in cycles, so that each is drawn behind its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


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
