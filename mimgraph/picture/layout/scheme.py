"""Decide how each frame of a diagram is laid out: as a U, in columns or as it is, downwards or upwards; and plan all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from mimgraph.picture.diagram.model import Cluster, Diagram, Edge, Item, every
from mimgraph.picture.layout.hops import Passage
from mimgraph.picture.layout.plan import Plan, plans
from mimgraph.picture.layout.segments import is_segment, segment_id, with_segments
from mimgraph.picture.layout.u_structure import U, us

# the ids of items in each column, by frame
Columns: TypeAlias = Mapping[str, Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Scheme:
    """The plan of each frame of a diagram by its id, inner ones first.

    `diagram` has the items of frames that are cut in segments, whose ids are in `segments`; `us` says which of these
    are Us, and `upward` in which frames edges run up. `passages` are the hops of each edge by its number, without
    those from a box to itself, and those that run level between two boxes of a U.
    """

    diagram: Diagram
    edges: tuple[Edge, ...]
    us: dict[str, U]
    segments: dict[str, list[str]]
    upward: frozenset[str]
    plans: dict[str, Plan]
    passages: dict[int, list[Passage]]


def scheme(diagram: Diagram, is_across: bool, columns: Columns | None = None) -> Scheme:
    """Return the scheme of a diagram; `columns` are frames to cut, besides those that are Us."""
    found = {} if is_across else us(diagram)
    cut = {**(columns or {}), **{id_: u.segments for id_, u in found.items()}}
    segments = {id_: [segment_id(id_, n) for n in range(len(cut[id_]))] for id_ in cut}
    whole = with_segments(diagram, cut)
    order = _planned_edges(diagram, found)
    planned = plans(replace(whole, edges=tuple(diagram.edges[n] for n in order)))
    passages = dict(zip(order, planned.hops.of_edge, strict=True))
    upward = frozenset(_upward(whole.items, found))
    return Scheme(whole, diagram.edges, found, segments, upward, planned.of_frame, passages)


def _planned_edges(diagram: Diagram, found: Mapping[str, U]) -> list[int]:
    """Return the numbers of edges to plan: skips of a U first, which then enter on the left, and none that
    runs level from box to box."""
    skips = {n for u in found.values() for n in u.skips}
    level = {n for u in found.values() for n in u.level}
    left = [n for n in range(len(diagram.edges)) if n not in level]
    return sorted(left, key=lambda n: n not in skips)


def _upward(items: Sequence[Item], found: Mapping[str, U]) -> Iterator[str]:
    """Yield the ids of clusters in which edges run up: those on the right side of a U."""
    for item in items:
        if isinstance(item, Cluster):
            frame, _, number = item.id.rpartition("\0")
            is_half = is_segment(item) and frame in found
            is_right = is_half and int(number) > len(found[frame].segments) // 2
            yield from ((i.id for i in every((item,))) if is_right else _upward(item.items, found))
