"""Find frames that have the structure of a U-Net, whatever their blocks are called.

Such a frame is a chain, cut into segments: down on the left, the bottom, and up on the right. Besides the chain, an
edge may only skip from a segment on the left to the one opposite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item
from mimgraph.picture.layout.hops import ROOT, Hops, hops
from mimgraph.picture.layout.topological import topological

# skips of a U; two are enough if each is coarser than the one around it
FEWEST, FEWEST_COARSER = 3, 2


@dataclass(frozen=True, slots=True)
class U:
    """The structure of a frame that is a U: its segments in the order of the chain, as ids of items.

    `sides` has the boxes at whose sides edges end, by the number of their segment. Of the edges of the diagram, by
    number, `skips` skip from the left to the right, and `level` from the side of one box to the side of another.
    """

    segments: tuple[tuple[str, ...], ...]
    sides: dict[int, str]
    skips: frozenset[int]
    level: frozenset[int]


def us(diagram: Diagram) -> dict[str, U]:
    """Return the structure of each frame of a diagram that is a U, by the id of the frame; a frame on the right
    side of a U is none."""
    split = hops(diagram)
    found: dict[str, U] = {}

    def look(frame: str, items: Sequence[Item]) -> None:
        edges = [(hop.tail, hop.head) for hop in split.of_frame[frame]]
        segments = u_segments(items, edges)
        upward = {id_ for ids in segments[len(segments) // 2 + 1 :] for id_ in ids}
        if segments:
            found[frame] = _u(frame, items, segments, split)
        for item in items:
            if isinstance(item, Cluster) and item.id not in upward:
                look(item.id, item.items)

    look(ROOT, diagram.items)
    return found


def _u(frame: str, items: Sequence[Item], segments: Sequence[Sequence[str]], split: Hops) -> U:
    """Return the structure of a frame from its segments."""
    inside = split.of_frame[frame]
    number = {id_: n for n, ids in enumerate(segments) for id_ in ids}
    last, bottom = len(segments) - 1, len(segments) // 2
    bare = {item.id for item in items if isinstance(item, Box)}
    ends = {}
    for n, ids in enumerate(segments):
        edges = [(hop.tail, hop.head) for hop in inside]
        end = _only_end(ids, edges if n <= bottom else [edge[::-1] for edge in edges])
        if end in bare:
            ends[n] = end
    rising = [hop for hop in inside if number.get(hop.tail) == bottom < number.get(hop.head, -1)]
    sides = {
        n: id_
        for n, id_ in ends.items()
        if (last - n in ends if n != bottom else len(rising) == 1)  # one edge fits at the side
    }
    skips = {}
    for edge, passages in enumerate(split.of_edge):
        for hop in (inside[passage.hop] for passage in passages if passage.frame == frame):
            if hop.tail and hop.head:
                tail, head = number[hop.tail], number[hop.head]
                if head > tail + 1:
                    skips[edge] = tail
    level = frozenset(edge for edge, tail in skips.items() if tail in sides)
    return U(tuple(map(tuple, segments)), sides, frozenset(skips), level)


def _only_end(ids: Sequence[str], edges: Sequence[tuple[str, str]]) -> str:
    """Return the item of a segment at which all its edges end that leave it, and all of its chains; "" if there are
    several."""
    ends = {tail for tail, head in edges if tail in ids and head not in ids}
    ends |= {*ids} - {tail for tail, head in edges if tail in ids and head in ids}
    return ends.pop() if len(ends) == 1 else ""


def u_segments(items: Sequence[Item], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the segments of a frame that is a U, in the order of its chain, as ids of items; [] if it is none.

    `edges` are pairs of items; "" stands for the wall of the frame.
    """
    return _Finder(items, edges).segments()


class _Finder:
    """Looks for the segments of one frame."""

    def __init__(self, items: Sequence[Item], edges: Sequence[tuple[str, str]]) -> None:
        self.items = {item.id: item for item in items}
        self.edges = list(dict.fromkeys(edges))
        self.sources: dict[str, list[str]] = {id_: [] for id_ in self.items}
        self.readers: dict[str, list[str]] = {id_: [] for id_ in self.items}
        for tail, head in self.edges:
            if tail and head:
                self.sources[head].append(tail)
                self.readers[tail].append(head)

    def segments(self) -> list[list[str]]:
        order = topological(self.items, self.readers.__getitem__)
        if len(order) < len(self.items):  # a wrong spec may have cycles
            return []
        spine = self.spine(order)
        skips = _nested(sorted(self.skips(spine)))
        if not (
            len(skips) >= FEWEST or (len(skips) >= FEWEST_COARSER and self.coarser(skips, spine))
        ):
            return []
        tails, heads = zip(*skips, strict=True)
        cuts = [0, *(tail + 1 for tail in tails), *heads[::-1], len(spine)]
        number = {id_: n for n, (a, b) in enumerate(pairwise(cuts)) for id_ in spine[a:b]}
        return self.grouped(number, order, len(cuts) - 2)

    def spine(self, order: Sequence[str]) -> list[str]:
        """Return the longest chain; of several, the first one in the order of the spec."""
        length: dict[str, int] = {}
        for id_ in reversed(order):
            length[id_] = 1 + max((length[head] for head in self.readers[id_]), default=0)
        spine = [max(self.items, key=length.__getitem__)] if self.items else []
        while spine and self.readers[spine[-1]]:
            spine.append(max(self.readers[spine[-1]], key=length.__getitem__))
        return spine

    def skips(self, spine: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield the edges that skip parts of the chain, as positions in it; an item beside the chain may lie on
        such an edge."""
        at = {id_: position for position, id_ in enumerate(spine)}
        for tail, head in self.edges:
            heads = [head] if head in at else self.readers.get(head, ())
            for end in heads:
                if tail in at and end in at and at[end] - at[tail] > 1:
                    yield at[tail], at[end]

    def coarser(self, skips: Sequence[tuple[int, int]], spine: Sequence[str]) -> bool:
        """Return whether the tensors of skips have channels, and lengths that all differ."""
        rows = [self.items[spine[tail]].shapes for tail, _ in skips]
        shapes = [row[0].rpartition("(")[2].split(", ") for row in rows if row]
        lengths = {shape[-1] for shape in shapes if len(shape) > 2}
        return len(lengths) == len(skips)

    def grouped(self, number: dict[str, int], order: Sequence[str], last: int) -> list[list[str]]:
        """Return the segments with the items beside the chain; [] if an edge runs otherwise than in a U."""
        for id_ in reversed(order):
            if id_ in number:
                continue
            near = [number[head] for head in self.readers[id_]]
            sources = [number[tail] for tail in self.sources[id_] if tail in number]
            choices = [*([min(near)] if near else []), *([max(sources)] if sources else [])]
            fitting = [n for n in choices if all(_joins(n, head, last) for head in near)]
            if not fitting:
                return []
            number[id_] = fitting[0]
        if not all(self.fits(number, tail, head, last) for tail, head in self.edges):
            return []
        return [[id_ for id_ in self.items if number[id_] == n] for n in range(last + 1)]

    def fits(self, number: Mapping[str, int], tail: str, head: str, last: int) -> bool:
        """Return whether an edge enters at the beginning, leaves at the end, or joins two segments."""
        if tail and head:
            return _joins(number[tail], number[head], last)
        return number[head] == 0 if head else number[tail] == last


def _joins(tail: int, head: int, last: int) -> bool:
    """Return whether an edge may run from one segment to another: itself, the next or the one opposite."""
    return head in (tail, tail + 1) or (tail < head and tail + head == last)


def _nested(skips: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the skips around one position of the chain, outer ones first; [] unless each is inside the one before.

    It is the position that most skips pass.
    """
    centres = {tail + 1 for tail, _ in skips}
    around = [sorted({s for s in skips if s[0] < at < s[1]}) for at in sorted(centres)]
    most = max(around, key=len, default=[])
    is_nested = all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(most))
    return most if is_nested else []
