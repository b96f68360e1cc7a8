"""Choose where a long picture is cut into columns: between ranks that few edges join, into parts of like height."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from mimgraph.picture.layout.hops import ROOT, Hop, Tensor
from mimgraph.picture.layout.place import Frame
from mimgraph.picture.layout.plan import Plan

ASPECT = 1.4  # of the width to the height of a page that lies, and of most screens
GUTTER, CHANNELS = 40.0, 40.0  # between two columns; above and below them
MOST = 12  # columns
LONG = 800.0  # points; a shorter picture is not cut, as a page has room for it
LARGE = 0.5  # part of a frame's height: an item that is higher is cut itself
EDGE = 0.1  # part of a column's height that one edge more between two columns is worth
GAIN = 0.15  # part of the height that one more column must save
MOST_CUTS = 120  # places at which a picture may be cut; fewer than it has ranks if it is very long


class Cut(NamedTuple):
    """The place before a rank, with the number of tensors that pass it, and the ends of the rank itself."""

    rank: int
    v: float
    tensors: int
    low: float
    high: float


def wrap_cuts(
    plans: Mapping[str, Plan],
    frames: Mapping[str, Frame],
    across: Mapping[str, float],
    whole: Container[str],
    is_across: bool,
) -> dict[str, list[list[str]]]:
    """Return the items of each column of the frame to cut, by the id of the frame; {} if none is too long.

    It is the diagram, or the block that is the larger part of it. `across` has the widths of all items. Frames in
    `whole` are not cut.
    """
    id_ = ROOT
    while id_ not in whole and frames[id_].along > LONG:
        frame = frames[id_]
        longest = max(frame.inside, key=lambda item: _along(item, frames), default=ROOT)
        if _along(longest, frames) < LARGE * frame.along:
            columns = _columns(plans[id_], frame, across, is_across)
            return {id_: columns} if len(columns) > 1 else {}
        id_ = longest
    return {}


def _along(item: str, frames: Mapping[str, Frame]) -> float:
    return frames[item].along if item in frames else 0.0


def _columns(
    plan: Plan, frame: Frame, across: Mapping[str, float], is_across: bool
) -> list[list[str]]:
    """Return the items of each column of a frame."""
    ranks = [
        [plan.nodes[i].key for i in row if plan.nodes[i].key in frame.inside] for row in plan.layers
    ]
    cuts = _cuts(plan, frame, ranks, across)
    chosen = _chosen(cuts, frame.along, 1 / ASPECT if is_across else ASPECT)
    starts = [0, *(cut.rank for cut in chosen), len(ranks)]
    return [[id_ for row in ranks[a:b] for id_ in row] for a, b in pairwise(starts)]


def _cuts(
    plan: Plan, frame: Frame, ranks: Sequence[Sequence[str]], across: Mapping[str, float]
) -> list[Cut]:
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
            v = min(frame.inside[id_].v for id_ in row)
            low = min(frame.inside[id_].u for id_ in row)
            high = max(frame.inside[id_].u + across[id_] for id_ in row)
            found.append(Cut(rank, v, tensors, low, high))
    return found


def _chosen(cuts: Sequence[Cut], along: float, aspect: float) -> list[Cut]:
    """Return the cuts between columns with which the frame fits the smallest screen."""

    def screen(chosen: Sequence[Cut]) -> float:
        ends = [0, *(cut.rank for cut in chosen), cuts[-1].rank + 1]
        parts = ([cut for cut in cuts if a <= cut.rank < b] for a, b in pairwise(ends))
        widths = [max(c.high for c in part) - min(c.low for c in part) for part in parts]
        height = max(_heights(chosen, along)) + (CHANNELS if chosen else 0.0)
        return max((sum(widths) + GUTTER * len(chosen)) / aspect, height)

    if len(cuts) < 2:
        return []
    useful: list[list[Cut]] = []
    for chosen in _partitions(_few(cuts, along), along):
        lowest = max(_heights(useful[-1], along)) if useful else 2 * along
        if max(_heights(chosen, along)) < (1 - GAIN) * lowest:
            useful.append(chosen)
    return min(useful, key=screen)


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
    ends = [*(cut.v for cut in cuts), along]
    # the highest of the columns up to each end, the tensors between them, and the cuts
    best: list[tuple[float, int, list[Cut]]] = [(end, 0, []) for end in ends]
    yield []
    for number in range(2, min(MOST, len(cuts) + 1) + 1):
        weight = EDGE * along / number / (number - 1)
        longer = []
        for at, end in enumerate(ends):
            options = (
                (max(high, end - cut.v), tensors + cut.tensors, [*chosen, cut])
                for cut, (high, tensors, chosen) in zip(cuts[:at], best, strict=False)
            )
            longer.append(min(options, key=lambda one: one[0] + weight * one[1], default=best[at]))
        best = longer
        yield best[-1][2]
