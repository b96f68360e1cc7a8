"""Arrange the nodes of a frame in ranks, so that every edge runs down; edges bend at ranks that they pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from mimgraph.picture.layout.topological import topological

MOST_BENDS = 40_000  # with more, the longest edges are drawn straight

Role: TypeAlias = Literal["item", "aside", "in", "out", "label", "bend"]


class Node(NamedTuple):
    """A node of a frame: an item, a door in the upper or lower wall, the label of an edge, or a bend.

    An item is `aside` if it moves no other node, as the box of a weight. `key` says which: the id of the item,
    or the position of the tensor or hop.
    """

    role: Role
    key: str


class Link(NamedTuple):
    """An edge between two nodes, with its `lane`: the tensor that it carries.

    `leaves` and `enters` are the positions of its doors in the walls of open items, from -0.5 to 0.5.
    """

    tail: int
    head: int
    lane: int
    leaves: float = 0.0
    enters: float = 0.0


class Neighbour(NamedTuple):
    """The other end of a link with its lane, and where the link ends there and here, from -0.5 to 0.5."""

    node: int
    lane: int
    there: float
    here: float


@dataclass(slots=True, eq=False)
class Ranked:
    """Nodes and bends with their ranks; each link becomes a way from one rank to the next."""

    nodes: list[Node]
    ranks: list[int]
    above: list[list[Neighbour]]
    below: list[list[Neighbour]]
    ways: list[list[int]]  # the nodes that each link passes, with both ends


def ranked(nodes: Sequence[Node], links: Sequence[Link]) -> Ranked:
    """Return the nodes in ranks, with a bend wherever a link passes a rank; links of one lane share bends."""
    back = _back_links(len(nodes), links)
    forward = [_reversed(link) if i in back else link for i, link in enumerate(links)]
    ranks = _ranks(nodes, forward)
    limit = _longest_drawn(len(nodes), forward, ranks)
    graph = Ranked(list(nodes), ranks, [[] for _ in nodes], [[] for _ in nodes], [])
    trunks: dict[tuple[int, int], list[int]] = {}
    for i, link in enumerate(forward):
        trunk = trunks.setdefault((link.tail, link.lane), [link.tail])
        way = _way(graph, trunk, link, limit)
        graph.ways.append(way[::-1] if i in back else way)
    return graph


def _way(graph: Ranked, trunk: list[int], link: Link, limit: int) -> list[int]:
    """Return the nodes that a link passes; add the bends that the trunk of its lane lacks."""
    span = graph.ranks[link.head] - graph.ranks[link.tail]
    if span > limit:
        return [link.tail, link.head]
    while len(trunk) < span:
        bend = len(graph.nodes)
        graph.nodes.append(Node("bend", ""))
        graph.ranks.append(graph.ranks[trunk[-1]] + 1)
        graph.above.append([])
        graph.below.append([])
        leaves = link.leaves if len(trunk) == 1 else 0.0
        _connect(graph, Link(trunk[-1], bend, link.lane, leaves))
        trunk.append(bend)
    leaves = link.leaves if span == 1 else 0.0
    _connect(graph, Link(trunk[span - 1], link.head, link.lane, leaves, link.enters))
    return [*trunk[:span], link.head]


def _connect(graph: Ranked, link: Link) -> None:
    """Add a link between two ranks."""
    tail, head, lane, leaves, enters = link
    graph.below[tail].append(Neighbour(head, lane, enters, leaves))
    graph.above[head].append(Neighbour(tail, lane, leaves, enters))


def _reversed(link: Link) -> Link:
    return Link(link.head, link.tail, link.lane, link.enters, link.leaves)


def _back_links(count: int, links: Sequence[Link]) -> frozenset[int]:
    """Return the positions of links to reverse so that no cycle is left: a wrong spec may have cycles."""
    waiting = [0] * count
    leaving: list[list[int]] = [[] for _ in range(count)]
    for i, link in enumerate(links):
        waiting[link.head] += 1
        leaving[link.tail].append(i)
    seen = [False] * count
    back: list[int] = []
    ready = [i for i in range(count) if not waiting[i]]
    first = 0
    for _ in range(count):
        if not ready:  # every node left is on a cycle or behind one
            while seen[first]:
                first += 1
            ready.append(first)
        node = ready.pop()
        seen[node] = True
        for i in leaving[node]:
            head = links[i].head
            if seen[head]:
                back.append(i)
                continue
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    return frozenset(back)


def _ranks(nodes: Sequence[Node], links: Sequence[Link]) -> list[int]:
    """Return the rank of each node: as high as its sources allow, or just above its readers if it has
    more of these; doors are in the first and the last rank."""
    above, below = _neighbours(len(nodes), links)
    order = topological(range(len(nodes)), below.__getitem__)
    least = 1 if any(node.role == "in" for node in nodes) else 0
    ranks = [0 if node.role == "in" else least for node in nodes]
    for i in order:
        for j in below[i]:
            ranks[j] = max(ranks[j], ranks[i] + 1)
    end = 1 + max(
        (r for r, node in zip(ranks, nodes, strict=True) if node.role != "out"), default=-1
    )
    for i, node in enumerate(nodes):
        if node.role == "out":
            ranks[i] = end
    for i in reversed(order):
        role = nodes[i].role
        is_pulled = role == "label" or len(below[i]) > len(above[i])
        if below[i] and is_pulled and role not in ("in", "out"):
            ranks[i] = min(ranks[j] for j in below[i]) - 1
    return ranks


def _neighbours(count: int, links: Iterable[Link]) -> tuple[list[list[int]], list[list[int]]]:
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for link in links:
        above[link.head].append(link.tail)
        below[link.tail].append(link.head)
    return above, below


def _longest_drawn(count: int, links: Iterable[Link], ranks: Sequence[int]) -> int:
    """Return the number of ranks that a link may span to get bends, so that they are not too many."""
    longest: dict[tuple[int, int], int] = {}
    for link in links:
        lane = link.tail, link.lane
        longest[lane] = max(longest.get(lane, 1), ranks[link.head] - ranks[link.tail])
    limit = max(longest.values(), default=1)
    while sum(min(span, limit) - 1 for span in longest.values()) > MOST_BENDS:
        limit = (limit + 1) // 2
    return limit
