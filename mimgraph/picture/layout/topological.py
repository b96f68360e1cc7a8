"""Sort items so that each stands after those that lead to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Key = TypeVar("Key", int, str)


def topological(items: Iterable[Key], heads: Callable[[Key], Iterable[Key]]) -> list[Key]:
    """Return the items in topological order, without those on or behind a cycle; `heads` gives the items that an item
    leads to, one as often as it does."""
    waiting = dict.fromkeys(items, 0)
    for item in waiting:
        for head in heads(item):
            waiting[head] += 1
    order = [item for item, count in waiting.items() if not count]
    for item in order:
        for head in heads(item):
            waiting[head] -= 1
            if not waiting[head]:
                order.append(head)
    return order
