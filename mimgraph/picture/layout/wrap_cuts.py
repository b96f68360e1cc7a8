"""Choose where a long picture is cut into columns: between ranks that few edges join, into parts of like height."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import pairwise
from math import log
from typing import NamedTuple

from mimgraph.picture.layout.hops import ROOT, Hop, Tensor
from mimgraph.picture.layout.place import Frame
from mimgraph.picture.layout.plan import Plan

ASPECT = 1.4  # of the width to the height of a page that lies, and of most screens
GUTTER, CHANNELS = 40.0, 40.0  # between two columns; above and below them
MOST = 12  # columns
LONG = 800.0  # points; a shorter picture is not cut, as a page has room for it
LARGE = 0.5  # part of a frame's height: an item that is higher is cut itself
EDGE = 0.2  # part of a column's height by which it may be higher if one edge fewer is cut
MOST_CUTS = 120  # places at which a picture may be cut; fewer than it has ranks if it is very long


class Cut(NamedTuple):
    """A place between two ranks, with the number of tensors that pass it."""

    rank: int
    v: float
    tensors: int


def wrap_cuts(
    plans: Mapping[str, Plan],
    frames: Mapping[str, Frame],
    whole: Container[str],
    is_across: bool,
) -> dict[str, list[list[str]]]:
    """Return the items of each column of the frame to cut, by the id of the frame; {} if none is too long.

    It is the diagram, or the block that is the larger part of it. Frames in `whole` are not cut.
    """
    id_ = ROOT
    while id_ not in whole and frames[id_].along > LONG:
        frame = frames[id_]
        longest = max(frame.inside, key=lambda item: _along(item, frames), default=ROOT)
        if _along(longest, frames) < LARGE * frame.along:
            columns = _columns(plans[id_], frame, frames, is_across)
            return {id_: columns} if len(columns) > 1 else {}
        id_ = longest
    return {}


def _along(item: str, frames: Mapping[str, Frame]) -> float:
    return frames[item].along if item in frames else 0.0


def _columns(
    plan: Plan, frame: Frame, frames: Mapping[str, Frame], is_across: bool
) -> list[list[str]]:
    """Return the items of each column of a frame."""
    ranks = [
        [plan.nodes[i].key for i in row if plan.nodes[i].key in frame.inside] for row in plan.layers
    ]
    chosen = _chosen(_cuts(plan, frame, ranks), frame, is_across)
    starts = [0, *(cut.rank for cut in chosen), len(ranks)]
    return [[id_ for row in ranks[a:b] for id_ in row] for a, b in pairwise(starts)]


def _cuts(plan: Plan, frame: Frame, ranks: Sequence[Sequence[str]]) -> list[Cut]:
    """Return the places to cut before each rank with items."""
    rank_of = {id_: rank for rank, row in enumerate(ranks) for id_ in row}
    change = [0] * (len(ranks) + 1)
    of_tensor: dict[Tensor, list[Hop]] = {}
    for hop in plan.hops:
        of_tensor.setdefault(hop.tensor, []).append(hop)
    for hops in of_tensor.values():
        start = min(rank_of[hop.tail] if hop.tail else 0 for hop in hops)
        end = max(rank_of[hop.head] if hop.head else len(ranks) - 1 for hop in hops)
        change[start + 1] += 1
        change[end + 1] -= 1
    found, tensors = [], 0
    for rank, row in enumerate(ranks):
        tensors += change[rank]
        if row:
            found.append(Cut(rank, min(frame.inside[id_].v for id_ in row), tensors))
    return found


def _chosen(cuts: Sequence[Cut], frame: Frame, is_across: bool) -> list[Cut]:
    """Return the cuts between columns with which the frame is most like a screen."""
    aspect = 1 / ASPECT if is_across else ASPECT

    def miss(columns: Sequence[Cut]) -> float:
        number = len(columns) + 1
        across = number * (frame.across + GUTTER) - GUTTER
        heights = _heights(columns, frame.along)
        along = max(heights) + (CHANNELS if number > 1 else 0.0)
        return abs(log(across / along / aspect)) if across and along else 0.0

    return min(_partitions(_few(cuts, frame.along), frame.along), key=miss)


def _heights(columns: Sequence[Cut], along: float) -> list[float]:
    return [b - a for a, b in pairwise([0.0, *(cut.v for cut in columns), along])]


def _few(cuts: Sequence[Cut], along: float) -> list[Cut]:
    """Return the inner cuts; of very many only those that the fewest tensors pass, one for each short part."""
    best: dict[int, Cut] = {}
    for cut in cuts[1:]:
        part = int(cut.v * MOST_CUTS / along)
        best[part] = min(best.get(part, cut), cut, key=lambda one: one.tensors)
    return list(best.values())


def _partitions(cuts: Sequence[Cut], along: float) -> Iterator[list[Cut]]:
    """Yield the best cuts for each number of columns: with the lowest highest column, and few edges between."""
    part = along / MOST
    ends = [*(cut.v for cut in cuts), along]
    costs = [*(EDGE * part * cut.tensors for cut in cuts), 0.0]
    # the least cost of columns up to each end, and the cuts with which it is reached
    best: list[tuple[float, float, list[Cut]]] = [(end, 0.0, []) for end in ends]
    yield []
    for _ in range(min(MOST - 1, len(cuts))):
        longer = []
        for at, end in enumerate(ends):
            options = (
                (max(high, end - cuts[n].v), cost + costs[n], [*chosen, cuts[n]])
                for n, (high, cost, chosen) in enumerate(best[:at])
            )
            longer.append(min(options, key=lambda one: one[0] + one[1], default=best[at]))
        best = longer
        yield best[-1][2]
