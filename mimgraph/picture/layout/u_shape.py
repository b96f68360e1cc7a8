"""Place the segments of a U: down on the left, the bottom between, up on the right, so that skips run level.

`u` runs across and `v` along the edges of the chain, as in `place`. Segments on the right are laid out upwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mimgraph.picture.layout.joins import Join, Label, joins
from mimgraph.picture.layout.place import (
    PADDING,
    Caption,
    Frame,
    Run,
    Spot,
    Stretch,
    Way,
)
from mimgraph.picture.layout.plan import Plan

# lengths in points
COLUMN_GAP = 60.0  # between the columns of a U
LANE, BEFORE_LANES = 8.0, 6.0  # between two level edges, and from a segment to the first one
ROW_GAP, BOTTOM_GAP = 12.0, 24.0  # before a row and before the bottom, besides lanes and labels
LABEL_GAP = 4.0  # from an edge to its label
OUTSIDE = 14.0  # from the right column to the edges that run down beside it


class Side(NamedTuple):
    """The box at the end of a segment in the frame of the segment: its sides, and its middle along the edges."""

    left: float
    right: float
    middle: float


def place_u(
    plan: Plan,
    segments: Mapping[str, Frame],
    sides: Mapping[int, Side],
    caption: Caption | None,
    labels: Mapping[int, Label],
) -> Frame:
    """Return the frame of a U.

    `segments` are the frames of its segments in the order of the chain. `sides` has the boxes at whose sides edges
    end, by the number of the segment, and `labels` the sizes of labels by the number of the hop.
    """
    return _U(plan, segments, sides, caption, labels).frame()


class _U:
    """The segments of a U, with the offset of each in the frame."""

    def __init__(
        self,
        plan: Plan,
        segments: Mapping[str, Frame],
        sides: Mapping[int, Side],
        caption: Caption | None,
        labels: Mapping[int, Label],
    ) -> None:
        self.ids, self.frames = list(segments), list(segments.values())
        self.sides, self.caption, self.labels = sides, caption, labels
        self.last, self.bottom = len(self.frames) - 1, len(self.frames) // 2
        self.joins = joins(plan, self.ids)
        self.left = [0.0] * len(self.frames)
        self.top = [0.0] * len(self.frames)
        self.lanes: dict[int, float] = {}  # the `v` of level edges, by the number of the hop
        self.place_across()
        self.across = self.width()
        self.along = self.place_along()

    def frame(self) -> Frame:
        ways = tuple(self.way(join) for join in self.joins)
        return Frame(
            self.across,
            self.along,
            "right",
            {id_: Spot(self.left[n], self.top[n]) for n, id_ in enumerate(self.ids)},
            {join.hop.tensor: self.enters(join) for join in self.joins if join.tail < 0},
            {join.hop.tensor: self.outside(join) for join in self.joins if join.head < 0},
            ways,
            {join.number: self.label(join) for join in self.joins if join.number in self.labels},
        )

    def leaves(self, join: Join) -> float:
        """Return the `u` at which a hop leaves its segment."""
        return self.left[join.tail] + self.frames[join.tail].outs[join.hop.tensor]

    def enters(self, join: Join) -> float:
        """Return the `u` at which a hop enters its segment."""
        return self.left[join.head] + self.frames[join.head].ins[join.hop.tensor]

    def chain(self, n: int) -> Join:
        """Return the first hop from a segment to the next."""
        return self.between(n, n + 1)[0]

    def between(self, tail: int, head: int) -> list[Join]:
        return [join for join in self.joins if (join.tail, join.head) == (tail, head)]

    def from_right(self, tail: int, head: int) -> list[Join]:
        """Return the hops between two segments from the right to the left: the leftmost one runs lowest, as it
        would cross the others else."""
        return sorted(self.between(tail, head), key=self.leaves, reverse=True)

    def is_skip(self, join: Join) -> bool:
        return join.tail >= 0 and join.head > join.tail + 1

    # across

    def place_across(self) -> None:
        """Set the offset of each segment across: their upper ends stand above each other."""
        down, up = range(self.bottom), range(self.bottom + 1, self.last + 1)
        for n in down:
            self.left[n] = -(self.enters(self.chain(n - 1)) if n else self.leaves(self.chain(0)))
        for n in up:
            is_end = n == self.last
            self.left[n] = -(
                self.enters(self.chain(n - 1)) if is_end else self.leaves(self.chain(n))
            )
        skips = [
            self.labels[j.number].across
            for j in self.joins
            if j.number in self.labels and self.is_skip(j)
        ]
        gap = max(COLUMN_GAP, *(width + 2 * PADDING for width in skips), 0.0)
        self.move(down, -min(self.left[n] for n in down))
        self.move(up, self.right_of(down) + gap - min(self.left[n] for n in up))
        self.place_bottom(up)

    def place_bottom(self, up: range) -> None:
        """Put the bottom between the columns, and these apart if it is wide."""
        into, out = self.chain(self.bottom - 1), self.between(self.bottom, self.bottom + 1)
        start, width = self.leaves(into), self.frames[self.bottom].across
        room = max(self.labels[j.number].across if j.number in self.labels else 0.0 for j in out)
        room += 2 * PADDING
        end = min(map(self.enters, out))
        self.move(up, max(0.0, start + width + 2 * room - end))
        end = min(map(self.enters, out))
        self.left[self.bottom] = max(0.0, (start + end - width) / 2)

    def move(self, numbers: range, by: float) -> None:
        for n in numbers:
            self.left[n] += by

    def right_of(self, numbers: range) -> float:
        """Return the right end of segments, and of labels to the right of the edges between them."""
        ends = [self.left[n] + self.frames[n].across for n in numbers]
        for join in self.joins:
            if join.number in self.labels and join.tail in numbers and join.head == join.tail + 1:
                ends.append(self.beside(join) + 2 * LABEL_GAP + self.labels[join.number].across)
        return max(ends)

    def width(self) -> float:
        """Return the width of the frame, whose contents are moved away from its wall."""
        outs = [join for join in self.joins if join.head < 0]
        right = self.right_of(range(self.last + 1)) + (OUTSIDE + LANE * len(outs) if outs else 0.0)
        if self.caption is None:
            return right
        self.move(range(self.last + 1), PADDING)
        entering = max((self.enters(join) for join in self.joins if join.tail < 0), default=0.0)
        return max(right + 2 * PADDING, entering + PADDING + self.caption.width)

    def outside(self, join: Join) -> float:
        """Return the `u` at which an edge that leaves the frame runs down beside the right column."""
        outs = [other.number for other in self.joins if other.head < 0]
        return self.right_of(range(self.last + 1)) + OUTSIDE + LANE * outs.index(join.number)

    # along

    def place_along(self) -> float:
        """Set the offset of each segment along, row by row, and return the height of the frame."""
        v = self.head_room()
        for row in range(self.bottom):
            v = self.place_row(row, v)
        self.top[self.bottom] = v
        v += self.frames[self.bottom].along
        for join in self.from_right(self.bottom, self.bottom + 1):
            if self.bottom not in self.sides:
                v += BEFORE_LANES
                self.lanes[join.number] = v
                v += self.labels[join.number].along if join.number in self.labels else 0.0
        return v if self.caption is None else v + PADDING

    def head_room(self) -> float:
        """Return the room above the first row: for the title, and for edges that leave to the right."""
        v = 0.0 if self.caption is None else self.caption.height
        for join in self.joins:
            if join.head < 0:
                v += LANE
                self.lanes[join.number] = v
        return v + LANE if any(join.head < 0 for join in self.joins) else v

    def place_row(self, row: int, v: float) -> float:
        """Place two opposite segments so that the skip between them is level; return the start of the next row."""
        pair = (row, self.last - row)
        level = v + max(self.above(n) for n in pair)
        for n in pair:
            self.top[n] = level - self.above(n)
        v = max(self.top[n] + self.frames[n].along for n in pair) + BEFORE_LANES
        for join in self.from_right(*pair):
            v += self.labels[join.number].along if join.number in self.labels else 0.0
            self.lanes[join.number] = v
            v += LANE
        chain = (*self.between(row, row + 1), *self.between(self.last - row - 1, self.last - row))
        heights = [self.labels[j.number].along for j in chain if j.number in self.labels]
        return v + max(heights, default=0.0) + self.bend_room(row + 1)

    def bend_room(self, n: int) -> float:
        """Return the room before a segment, in which edges bend; those to the bottom go far sideways."""
        return BOTTOM_GAP if n == self.bottom else ROW_GAP

    def above(self, n: int) -> float:
        """Return the part of a segment above the level of its skip."""
        return (
            self.sides[n].middle if n in self.sides and n != self.bottom else self.frames[n].along
        )

    # ways

    def start(self, join: Join) -> float:
        """Return the `v` at which a hop leaves its segment: below on the way down, above on the way up."""
        n = join.tail
        return self.top[n] + (self.frames[n].along if n <= self.bottom else 0.0)

    def end(self, join: Join) -> float:
        """Return the `v` at which a hop enters its segment."""
        n = join.head
        return self.top[n] + (self.frames[n].along if n > self.bottom else 0.0)

    def way(self, join: Join) -> Way:
        if join.tail < 0:
            return (Stretch(self.enters(join), 0.0, self.end(join)),)
        if join.head < 0:
            u, beside, v = self.leaves(join), self.outside(join), self.lanes[join.number]
            return (
                Stretch(u, self.start(join), v),
                Run(v, u, beside),
                Stretch(beside, v, self.along),
            )
        u, end = self.leaves(join), self.enters(join)
        if join.number in self.lanes:
            v = self.lanes[join.number]
            return Stretch(u, self.start(join), v), Run(v, u, end), Stretch(end, v, self.end(join))
        if join.tail == self.bottom:
            side = self.sides[self.bottom]
            v = self.top[self.bottom] + side.middle
            return Run(v, self.left[self.bottom] + side.right, end), Stretch(end, v, self.end(join))
        v = (
            self.end(join) - self.bend_room(join.head)
            if join.tail < self.bottom
            else self.start(join)
        )
        for near in self.between(join.tail, join.head):
            if near.number in self.labels:  # all edges are straight beside a label
                half = self.labels[near.number].along / 2 + 1
                v = self.label(near).v + (half if join.tail < self.bottom else -half)
        return Stretch(u, self.start(join), v), Stretch(end, self.end(join), self.end(join))

    def label(self, join: Join) -> Spot:
        """Return the position of a label: beside an edge up or down, and above a level one."""
        size = self.labels[join.number]
        for part in self.way(join) if self.is_level(join) else ():
            if isinstance(part, Run):
                # edges that leave the segment farther right run down past this one
                start = max(
                    part.start, *(self.leaves(j) for j in self.joins if j.tail == join.tail)
                )
                middle = (start + part.end - size.across) / 2 - LABEL_GAP
                is_under = join.tail == self.bottom and self.bottom not in self.sides
                return Spot(middle, part.v + (1 if is_under else -1) * (size.along / 2 + 2))
        is_down = join.tail < self.bottom
        beyond = (
            self.end(join) - self.bend_room(join.head) if is_down else self.start(join) - LABEL_GAP
        )
        return Spot(self.beside(join), beyond - size.along / 2)

    def beside(self, join: Join) -> float:
        """Return the `u` of the last of the hops between the same segments, to the right of which is room."""
        return max(map(self.leaves, self.between(join.tail, join.head)))

    def is_level(self, join: Join) -> bool:
        """Return whether a part of a hop runs across."""
        return join.number in self.lanes or join.tail == self.bottom
