"""Group the nodes of ordered ranks into columns, in which edges run straight (Brandes and Köpf, 2002).

There are four groupings: nodes are aligned with their upper or lower neighbours, from the left or the right. The
place of a node is between those that the four give it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mimgraph.picture.layout.ranks import Neighbour, Ranked


def columns(graph: Ranked, layers: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Return four groupings, each with the first node of every node's column: to the upper neighbours from the left
    and from the right, then to the lower neighbours."""
    clashes = _clashes(graph, layers)
    found = []
    for near, rows in ((graph.above, layers), (graph.below, layers[::-1])):
        for is_from_left in (True, False):
            sides = rows if is_from_left else [layer[::-1] for layer in rows]
            found.append(_columns(graph, near, sides, clashes))
    return tuple(found)


def _columns(
    graph: Ranked,
    near: Sequence[Sequence[Neighbour]],
    rows: Sequence[Sequence[int]],
    clashes: frozenset[tuple[int, int]],
) -> tuple[int, ...]:
    """Return the first node of each node's column, after aligning it with the middle one of its neighbours."""
    position = _positions(graph, rows)
    first = [*range(len(graph.nodes))]
    following = [*first]
    for row in rows:
        reached = -1
        for i in row:
            for j in _middle(graph, near[i], position):
                clash = (min(i, j), max(i, j)) in clashes
                if following[i] == i and reached < position[j] and not clash:
                    following[j] = i
                    first[i] = following[i] = first[j]
                    reached = position[j]
    return tuple(first)


def _middle(graph: Ranked, near: Sequence[Neighbour], position: Sequence[int]) -> Sequence[int]:
    """Return the one or two neighbours in the middle; those aside count only if there are no others."""
    found = [n.node for n in near if graph.nodes[n.node].role != "aside"] or [n.node for n in near]
    found.sort(key=position.__getitem__)
    return found[(len(found) - 1) // 2 : len(found) // 2 + 1]


def _clashes(graph: Ranked, layers: Sequence[Sequence[int]]) -> frozenset[tuple[int, int]]:
    """Return the pairs of nodes whose link crosses a link between two bends; only the latter is kept straight."""
    is_bend = [node.role == "bend" for node in graph.nodes]
    position = _positions(graph, layers)
    found: set[tuple[int, int]] = set()
    for upper, layer in pairwise(layers):
        left, scanned = 0, 0
        for at, i in enumerate(layer):
            bends = [n.node for n in graph.above[i] if is_bend[i] and is_bend[n.node]]
            if not bends and at < len(layer) - 1:
                continue
            right = position[bends[0]] if bends else len(upper)
            for low in layer[scanned : at + 1]:
                for high in (n.node for n in graph.above[low]):
                    if not left <= position[high] <= right and not (is_bend[high] and is_bend[low]):
                        found.add((min(high, low), max(high, low)))
            left, scanned = right, at + 1
    return frozenset(found)


def _positions(graph: Ranked, rows: Sequence[Sequence[int]]) -> list[int]:
    """Return the position of each node in its row."""
    position = [0] * len(graph.nodes)
    for row in rows:
        for at, i in enumerate(row):
            position[i] = at
    return position
