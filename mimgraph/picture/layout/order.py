"""Order the nodes of each rank so that few edges cross, keeping the order of the spec where that is as good."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise

from mimgraph.picture.layout.ranks import Neighbour, Ranked
from mimgraph.support.progress import progress

SWEEPS = 16
MANY = 5_000  # nodes; with more, fewer sweeps are made
FEW_SWEEPS = 6


def ordered(graph: Ranked) -> list[list[int]]:
    """Return the nodes of each rank from left to right.

    They start in the order of a walk down or up the graph, and are sorted by the mean of their neighbours in sweeps
    down and up (Sugiyama, Tagawa and Toda, 1981). Another order is taken only if fewer edges cross, or as many and
    more sources stand in the order in which they are read.
    """
    position = [0.0] * len(graph.nodes)

    def cost(layers: Sequence[Sequence[int]]) -> tuple[int, int]:
        return _crossings(graph, layers, position), _swapped(graph, position)

    downwards, upwards = _walked(graph, graph.below), _walked(graph, graph.above)
    layers = min(downwards, upwards, key=cost)
    best, least = [*map(list, layers)], cost(layers)
    sweeps = FEW_SWEEPS if len(graph.nodes) > MANY else SWEEPS
    with progress("untangling edges", total=sweeps) as step:
        for sweep in range(sweeps if least[0] else 0):
            is_down = sweep % 2 == 0
            for layer in layers if is_down else reversed(layers):
                _sort(layer, graph.above if is_down else graph.below, position, sweep % 4 > 1)
            found = cost(layers)
            if found < least:
                best, least = [*map(list, layers)], found
            step()
            if not least[0]:
                break
    return best


def _walked(graph: Ranked, near: Sequence[Sequence[Neighbour]]) -> list[list[int]]:
    """Return ranks in the order of a walk from each end, which is enough to untangle a tree."""
    ends = graph.above if near is graph.below else graph.below
    layers: list[list[int]] = [[] for _ in range(1 + max(graph.ranks, default=-1))]
    seen = [False] * len(graph.nodes)
    for end in range(len(graph.nodes)):
        if ends[end]:
            continue
        stack = [end]
        while stack:
            i = stack.pop()
            if seen[i]:
                continue
            seen[i] = True
            layers[graph.ranks[i]].append(i)
            stack += [found.node for found in reversed(near[i])]
    return layers


def _swapped(graph: Ranked, position: Sequence[float]) -> int:
    """Return the number of pairs of sources, read one after the other, that stand in the other order."""
    return sum(
        position[one.node] + one.there > position[other.node] + other.there
        for found in graph.above
        for one, other in pairwise(found)
    )


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
