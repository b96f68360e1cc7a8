"""List the hops between the segments of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mimgraph.picture.layout.hops import Hop
from mimgraph.picture.layout.plan import Plan


class Label(NamedTuple):
    """The size of a label, across and along the edges."""

    across: float
    along: float


class Join(NamedTuple):
    """A hop by its number, between two segments by theirs; -1 stands for the wall of the frame."""

    number: int
    hop: Hop
    tail: int
    head: int


def joins(plan: Plan, segments: Sequence[str]) -> list[Join]:
    """Return the hops of a frame whose items are segments, which have these ids."""
    number = {id_: n for n, id_ in enumerate(segments)} | {"": -1}
    return [Join(n, hop, number[hop.tail], number[hop.head]) for n, hop in enumerate(plan.hops)]
