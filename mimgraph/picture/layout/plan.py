"""Plan the layout of every frame: ranks, orders and columns, whatever the sizes of the boxes.

A plan holds while blocks are folded and opened; `place` adds the sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from mimgraph.picture.diagram.model import Box, Cluster, Diagram
from mimgraph.picture.layout.columns import columns
from mimgraph.picture.layout.hops import ROOT, Hop, Hops, Tensor, hops
from mimgraph.picture.layout.order import ordered
from mimgraph.picture.layout.ranks import Link, Node, Role, ranked
from mimgraph.support.progress import progress

SMALL = 100  # nodes of a frame that is arranged once; few large ones are equal


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one frame. Numbers are positions in `nodes`.

    `layers` are the ranks, each from left to right; `columns` the four groupings of `columns.columns`; `ways` the
    nodes that each hop passes, from its tail to its head; `below` the nodes that each node is linked to, with the
    tensor that the link carries.
    """

    nodes: tuple[Node, ...]
    layers: tuple[tuple[int, ...], ...]
    columns: tuple[tuple[int, ...], ...]
    below: tuple[tuple[tuple[int, int], ...], ...]
    ways: tuple[tuple[int, ...], ...]
    hops: tuple[Hop, ...]
    tensors: tuple[Tensor, ...]

    def doors(self, role: str) -> list[Tensor]:
        """Return the tensors that enter ("in") or leave ("out") through the wall, from left to right."""
        at = {"in": 0, "out": -1}[role]
        here = (self.nodes[i] for i in (self.layers[at] if self.layers else ()))
        return [self.tensors[int(node.key)] for node in here if node.role == role]


@dataclass(frozen=True, slots=True)
class Plans:
    """The plan of each frame by its id, inner ones first, and the hops of each edge."""

    of_frame: dict[str, Plan]
    hops: Hops


def plans(diagram: Diagram) -> Plans:
    """Return the plans of a diagram and of all its clusters."""
    split = hops(diagram)
    found: dict[str, Plan] = {}

    def add(frame: str, items: Sequence[Box | Cluster]) -> None:
        for item in items:
            if isinstance(item, Cluster):
                add(item.id, item.items)
        found[frame] = _plan(items, split.of_frame[frame], found)
        step()

    with progress("laying out blocks", total=len(split.of_frame)) as step:
        add(ROOT, diagram.items)
    return Plans(found, split)


def _plan(items: Sequence[Box | Cluster], inside: Sequence[Hop], inner: Mapping[str, Plan]) -> Plan:
    """Return the plan of one frame, whose clusters are planned already."""
    drawn = _Drawing(items, inside, inner)
    arrange = _arranged if len(drawn.nodes) > SMALL else _arranged_once
    found = arrange(tuple([node.role for node in drawn.nodes]), tuple(drawn.links))
    ways = []
    for upper, *lower in drawn.of_hop:
        way = found.ways[upper]
        ways.append(tuple(way + found.ways[lower[0]][1:] if lower else way))
    return Plan(
        (*drawn.nodes, *[Node("bend", "")] * found.bends),
        found.layers,
        found.columns,
        found.below,
        tuple(ways),
        tuple(inside),
        tuple(drawn.tensors),
    )


class _Arranged(NamedTuple):
    """The number of bends, and the ranks, columns, links and ways of a plan."""

    bends: int
    layers: tuple[tuple[int, ...], ...]
    columns: tuple[tuple[int, ...], ...]
    below: tuple[tuple[tuple[int, int], ...], ...]
    ways: list[list[int]]


def _arranged(roles: tuple[Role, ...], links: tuple[Link, ...]) -> _Arranged:
    """Return how the nodes of a frame stand, which depends on no name."""
    graph = ranked([Node(role, "") for role in roles], links)
    layers = ordered(graph)
    return _Arranged(
        len(graph.nodes) - len(roles),
        tuple(map(tuple, layers)),
        columns(graph, layers),
        tuple(tuple((near.node, near.lane) for near in found) for found in graph.below),
        graph.ways,
    )


# equal are the frames of repeated blocks, and those of a block at each depth that a page may be open to
_arranged_once = lru_cache(maxsize=256)(_arranged)


class _Drawing:
    """The graph of a frame: doors, items, and the labels of edges as nodes, with the links of each hop."""

    def __init__(
        self, items: Sequence[Box | Cluster], inside: Sequence[Hop], inner: Mapping[str, Plan]
    ) -> None:
        self.nodes: list[Node] = []
        self.links: list[Link] = []
        self.numbers: dict[Link, int] = {}
        self.tensors = {
            hop.tensor: i for i, hop in enumerate({h.tensor: h for h in inside}.values())
        }
        entering = dict.fromkeys(hop.tensor for hop in inside if not hop.tail)
        leaving = dict.fromkeys(hop.tensor for hop in inside if not hop.head)
        self.ins = {tensor: self.add(Node("in", str(self.tensors[tensor]))) for tensor in entering}
        self.items = {item.id: self.add(_item_node(item)) for item in items}
        self.outs = {tensor: self.add(Node("out", str(self.tensors[tensor]))) for tensor in leaving}
        self.leaves = {id_: _spread(inner[id_].doors("out")) for id_ in self.items if id_ in inner}
        self.enters = {id_: _spread(inner[id_].doors("in")) for id_ in self.items if id_ in inner}
        self.of_hop = [self.hop(hop, number) for number, hop in enumerate(inside)]

    def add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def hop(self, hop: Hop, number: int) -> list[int]:
        """Add the links of a hop; a label splits it in two. Return their positions."""
        tail = self.items[hop.tail] if hop.tail else self.ins[hop.tensor]
        head = self.items[hop.head] if hop.head else self.outs[hop.tensor]
        leaves = self.leaves.get(hop.tail, {}).get(hop.tensor, 0.0)
        enters = self.enters.get(hop.head, {}).get(hop.tensor, 0.0)
        lane = self.tensors[hop.tensor]
        if not hop.label.runs:
            return [self.link(Link(tail, head, lane, leaves, enters))]
        label = self.add(Node("label", str(number)))
        return [
            self.link(Link(tail, label, lane, leaves)),
            self.link(Link(label, head, lane, enters=enters)),
        ]

    def link(self, link: Link) -> int:
        """Return the position of a link, which several hops may share."""
        if link not in self.numbers:
            self.numbers[link] = len(self.links)
            self.links.append(link)
        return self.numbers[link]


def _item_node(item: Box | Cluster) -> Node:
    return Node("aside" if item.kind == "tensor" else "item", item.id)


def _spread(doors: Sequence[Tensor]) -> dict[Tensor, float]:
    """Return the position of each door along its wall, from -0.5 to 0.5."""
    return {tensor: (at + 0.5) / len(doors) - 0.5 for at, tensor in enumerate(doors)}
