"""Compare the keys of weights before and after a rename: `fc` became `head`."""

from __future__ import annotations

from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.ir.typed.operations import Use
from mimgraph.ir.typed.walks import weight_names


def changed_keys(before: TypedGraph, after: TypedGraph) -> list[tuple[str, str]]:
    """Return the beginnings of the keys of the state_dict that changed, old and new, in order.

    Both graphs have the same weights in the same order.
    """
    old, new = (weight_names(Use(graph.body, {})) for graph in (before, after))
    found = (_beginnings(one, other) for one, other in zip(old, new, strict=True) if one != other)
    return [*dict.fromkeys(found)]


def _beginnings(old: str, new: str) -> tuple[str, str]:
    """Return two keys without the names at the end in which they agree."""
    left, right = old.split("."), new.split(".")
    while len(left) > 1 and len(right) > 1 and left[-1] == right[-1]:
        left.pop()
        right.pop()
    return ".".join(left), ".".join(right)
