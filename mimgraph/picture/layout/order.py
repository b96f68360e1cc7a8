"""Order the nodes of each rank so that few edges cross, keeping the order of the spec where that is as good."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from mimgraph.picture.layout.ranks import Neighbour, Ranked
from mimgraph.support.progress import progress

SWEEPS = 16
MANY = 5_000  # nodes; with more, fewer sweeps are made
FEW_SWEEPS = 6


def ordered(graph: Ranked) -> list[list[int]]:
    """Return the nodes of each rank from left to right.

    They start in the order of a walk through the spec, and are sorted by the mean of their neighbours in sweeps
    down and up (Sugiyama, Tagawa and Toda, 1981). Another order is taken only if fewer edges cross.
    """
    layers = _walked(graph)
    position = [0.0] * len(graph.nodes)
    _set_positions(layers, position)
    best, least = [*map(list, layers)], _crossings(graph, layers, position)
    sweeps = FEW_SWEEPS if len(graph.nodes) > MANY else SWEEPS
    with progress("untangling edges", total=sweeps) as step:
        for sweep in range(sweeps if least else 0):
            is_down = sweep % 2 == 0
            for layer in layers if is_down else reversed(layers):
                _sort(layer, graph.above if is_down else graph.below, position, sweep % 4 > 1)
            count = _crossings(graph, layers, position)
            if count < least:
                best, least = [*map(list, layers)], count
            step()
            if not least:
                break
    return best


def _walked(graph: Ranked) -> list[list[int]]:
    """Return ranks in the order of a walk from each root, which is enough to untangle a tree."""
    layers: list[list[int]] = [[] for _ in range(1 + max(graph.ranks, default=-1))]
    seen = [False] * len(graph.nodes)
    for root in range(len(graph.nodes)):
        if graph.above[root]:
            continue
        stack = [root]
        while stack:
            i = stack.pop()
            if seen[i]:
                continue
            seen[i] = True
            layers[graph.ranks[i]].append(i)
            stack += [near.node for near in reversed(graph.below[i])]
    return layers


def _set_positions(layers: Sequence[Sequence[int]], position: list[float]) -> None:
    for layer in layers:
        for at, i in enumerate(layer):
            position[i] = at


def _sort(
    layer: list[int], near: Sequence[Sequence[Neighbour]], position: list[float], swaps_equal: bool
) -> None:
    """Sort one rank; nodes without neighbours in the fixed rank keep their place."""
    tie = -1.0 if swaps_equal else 1.0
    moved = []
    for i in layer:
        if found := near[i]:
            mean = sum(position[n.node] + n.there - n.here for n in found) / len(found)
            moved.append((mean, tie * position[i], i))
    moved.sort()
    following = iter(moved)
    for at, i in enumerate(layer):
        if near[i]:
            layer[at] = next(following)[2]
    for at, i in enumerate(layer):
        position[i] = at


def _crossings(graph: Ranked, layers: Sequence[Sequence[int]], position: list[float]) -> int:
    """Return the number of pairs of edges that cross between two ranks."""
    _set_positions(layers, position)
    count = 0
    for layer in layers:
        ends = sorted(
            (at + near.here, position[near.node] + near.there)
            for at, i in enumerate(layer)
            for near in graph.below[i]
        )
        passed: list[float] = []
        for _, end in ends:
            count += len(passed) - bisect_right(passed, end)
            insort(passed, end)
    return count
