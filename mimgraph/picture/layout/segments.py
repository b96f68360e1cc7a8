"""Cut frames into segments that are placed apart: the sides of a U, or columns as of text on a page.

A segment is laid out as a cluster without a wall or title.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item
from mimgraph.picture.layout.place import Frame, Run, Stretch
from mimgraph.picture.layout.plan import Plan

SEGMENT = "segment"  # the kind of a cluster that is a segment


def segment_id(frame: str, number: int) -> str:
    """Return the id of a segment of a frame, which no item of a spec can have."""
    return f"{frame}\0{number}"


def with_segments(diagram: Diagram, segments: Mapping[str, Sequence[Sequence[str]]]) -> Diagram:
    """Return the diagram with the items of some frames in segments; `segments` has the ids by frame."""

    def grouped(frame: str, items: Sequence[Item]) -> tuple[Item, ...]:
        inner = {item.id: _inside(item, grouped) for item in items}
        if frame not in segments:
            return tuple(inner.values())
        return tuple(
            Cluster(segment_id(frame, n), SEGMENT, "", "", tuple(inner[id_] for id_ in ids))
            for n, ids in enumerate(segments[frame])
        )

    return replace(diagram, items=grouped("", diagram.items))


def _inside(item: Item, grouped: Callable[[str, Sequence[Item]], tuple[Item, ...]]) -> Item:
    return item if isinstance(item, Box) else replace(item, items=grouped(item.id, item.items))


def with_straight_doors(frame: Frame, plan: Plan) -> Frame:
    """Return the frame of a segment with doors straight beside their items: it has no wall that one sees."""
    ways, ins, outs = list(frame.ways), dict(frame.ins), dict(frame.outs)
    entering = Counter(hop.tensor for hop in plan.hops if not hop.tail)
    leaving = Counter(hop.tensor for hop in plan.hops if not hop.head)
    for number, hop in enumerate(plan.hops):
        way = ways[number]
        if len(way) != 2 or (hop.tail and hop.head):
            continue
        if not hop.tail and entering[hop.tensor] == 1:
            ins[hop.tensor] = u = _u(way[1])
        elif not hop.head and leaving[hop.tensor] == 1:
            outs[hop.tensor] = u = _u(way[0])
        else:
            continue
        ways[number] = tuple(part._replace(u=u) for part in way if isinstance(part, Stretch))
    return replace(frame, ways=tuple(ways), ins=ins, outs=outs)


def _u(part: Stretch | Run) -> float:
    return part.u if isinstance(part, Stretch) else part.end


def is_segment(item: Item) -> bool:
    """Return whether an item is a segment, which is not drawn."""
    return item.kind == SEGMENT
