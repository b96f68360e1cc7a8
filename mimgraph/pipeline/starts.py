"""Read the argument of `Graph.split`: a number of stages, or the nodes that begin them."""

from __future__ import annotations

from collections.abc import Iterable

from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.pipeline.balance import balanced
from mimgraph.support.arguments import as_plain


def stage_starts(graph: TypedGraph, stages: Iterable[str] | str | int) -> tuple[str, ...]:
    """Return the nodes that begin a stage, except the first; for a number, balanced ones."""
    stages = as_plain("split", stages)
    if isinstance(stages, int) and not isinstance(stages, bool):
        return tuple(balanced(graph, stages))
    if isinstance(stages, str):
        return (stages,)
    names: list[object] = [*stages] if isinstance(stages, Iterable) else [stages]
    found = [name for name in names if isinstance(name, str)]
    if odd := [name for name in names if not isinstance(name, str)]:
        raise TypeError(f"split takes a number of stages or names of nodes, not {odd[0]!r:.40}")
    return tuple(dict.fromkeys(found))
