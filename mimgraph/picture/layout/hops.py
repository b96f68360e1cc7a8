"""Split each edge of a diagram into hops: one in every frame that it passes.

A frame is the diagram or one of its clusters. Each is laid out on its own, and an edge passes its wall
through a door, so that every edge stays inside the frame that its ends have in common.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from mimgraph.picture.diagram.captions import edge_line
from mimgraph.picture.diagram.model import Box, Diagram, Edge, Item
from mimgraph.picture.text_metrics import Line

ROOT = ""  # the id of the frame that is the diagram itself


class Tensor(NamedTuple):
    """A result that edges carry: edges of one tensor share their doors and the first part of their way."""

    box: str
    port: str
    mark: str


class Hop(NamedTuple):
    """A part of an edge: from an item of a frame to another; "" stands for the wall of the frame.

    `label` is the text beside it. `number` tells apart edges that are equal, such as those of `add(x, x)`.
    """

    tensor: Tensor
    tail: str
    head: str
    label: Line = Line((), 0)
    number: int = 0


class Passage(NamedTuple):
    """The frame that a hop lies in, and the position of the hop in its list."""

    frame: str
    hop: int


class Hops(NamedTuple):
    """The distinct hops of each frame, and for each edge the hops that it consists of, in order.

    An edge from a box to itself, in a wrong graph, has none.
    """

    of_frame: dict[str, list[Hop]]
    of_edge: list[list[Passage]]


def hops(diagram: Diagram) -> Hops:
    """Return the hops of all edges of a diagram."""
    return _Splitter(diagram).split(diagram.edges)


class _Splitter:
    """Splits edges at the walls that they pass; equal hops of one tensor become one."""

    def __init__(self, diagram: Diagram) -> None:
        self.around: dict[str, tuple[str, ...]] = {}  # the frames around an item, outermost first
        self.known: dict[str, dict[Hop, int]] = {ROOT: {}}
        self.visit(diagram.items, (ROOT,))

    def visit(self, items: tuple[Item, ...], around: tuple[str, ...]) -> None:
        for item in items:
            self.around[item.id] = around
            if not isinstance(item, Box):
                self.known[item.id] = {}
                self.visit(item.items, (*around, item.id))

    def split(self, edges: tuple[Edge, ...]) -> Hops:
        times: Counter[Edge] = Counter()
        found = []
        for edge in edges:
            is_loop = edge.tail == edge.head
            found.append([] if is_loop else self.passages(edge, times[edge]))
            times[edge] += 1
        return Hops({frame: list(known) for frame, known in self.known.items()}, found)

    def passages(self, edge: Edge, number: int) -> list[Passage]:
        """Return the hops of one edge: out of blocks, across the common frame, and into blocks."""
        tensor = Tensor(edge.tail, edge.port, edge.mark)
        tails, heads = self.around[edge.tail], self.around[edge.head]
        common = sum(1 for a, b in zip(tails, heads, strict=False) if a == b)
        leaving, entering = (*tails[common:], edge.tail), (*heads[common:], edge.head)
        steps = [(inner, outer) for outer, inner in pairwise(leaving)][::-1]
        found = [(frame, Hop(tensor, tail, "")) for tail, frame in steps]
        found.append((tails[common - 1], Hop(tensor, leaving[0], entering[0])))
        found += [(frame, Hop(tensor, "", head)) for frame, head in pairwise(entering)]
        # an argument is named where its node is, a port where the edge leaves for another block
        labelled = len(steps) if edge.port else -1
        frame, hop = found[labelled]
        found[labelled] = frame, hop._replace(label=edge_line(edge), number=number)
        return [self.hop(frame, hop) for frame, hop in found]

    def hop(self, frame: str, hop: Hop) -> Passage:
        known = self.known[frame]
        return Passage(frame, known.setdefault(hop, len(known)))
