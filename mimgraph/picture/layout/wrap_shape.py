"""Place the segments of a long frame beside each other, as columns of text; edges between them run in the gutters.

An edge to a later column runs below the columns, up in the gutter before that column, and in from above.
"""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.picture.layout.joins import Join, Label, joins
from mimgraph.picture.layout.place import PADDING, Caption, Frame, Run, Spot, Stretch, Way
from mimgraph.picture.layout.plan import Plan

# lengths in points
# between two edges beside each other, and from a column to the first one
LANE, BEFORE_LANES = 8.0, 8.0
GUTTER = 26.0  # between two columns, besides lanes and labels
LABEL_GAP = 4.0


def place_columns(
    plan: Plan,
    segments: Mapping[str, Frame],
    caption: Caption | None,
    labels: Mapping[int, Label],
    is_across: bool,
) -> Frame:
    """Return a frame whose segments are columns, from left to right.

    `labels` has the sizes of labels, across and along, by the number of the hop.
    """
    return _Columns(plan, segments, caption, labels, is_across).frame()


class _Columns:
    """The columns of a frame, with the offset of each."""

    def __init__(
        self,
        plan: Plan,
        segments: Mapping[str, Frame],
        caption: Caption | None,
        labels: Mapping[int, Label],
        is_across: bool,
    ) -> None:
        self.ids, self.frames = list(segments), list(segments.values())
        self.caption, self.labels, self.is_across = caption, labels, is_across
        self.joins = joins(plan, self.ids)
        self.left: list[float] = []
        # the `u` of edges in a gutter, by the number of the hop
        self.gutters: dict[int, float] = {}
        self.above: dict[int, float] = {}  # the `v` of edges above the columns
        self.below: dict[int, float] = {}
        self.doors: dict[object, float] = {}  # the `u` at which a tensor enters the frame
        self.across = self.place_across()
        self.top = self.place_above()
        self.low = self.top + max(frame.along for frame in self.frames)
        self.along = self.place_below()

    def frame(self) -> Frame:
        outs = {join.hop.tensor: self.leaves(join) for join in self.joins if join.head < 0}
        return Frame(
            self.across,
            self.along,
            "right",
            {id_: Spot(u, self.top) for id_, u in zip(self.ids, self.left, strict=True)},
            {join.hop.tensor: self.doors[join.hop.tensor] for join in self.joins if join.tail < 0},
            outs,
            tuple(self.way(join) for join in self.joins),
            {n: self.label(n) for n in self.labels},
        )

    def leaves(self, join: Join) -> float:
        """Return the `u` at which a hop leaves its column."""
        return self.left[join.tail] + self.frames[join.tail].outs[join.hop.tensor]

    def enters(self, join: Join) -> float:
        """Return the `u` at which a hop enters its column."""
        return self.left[join.head] + self.frames[join.head].ins[join.hop.tensor]

    def turning(self, column: int) -> list[Join]:
        """Return the hops into a column from others, in the order in which they run in its gutter: the one from the
        right is next to the column before, so that they do not cross."""
        found = [join for join in self.joins if join.head == column and join.tail >= 0]
        return sorted(found, key=lambda j: (-j.tail, -self.frames[j.tail].outs[j.hop.tensor]))

    def place_across(self) -> float:
        """Set the offsets of columns and of edges in gutters, and return the width of the frame."""
        u = 0.0 if self.caption is None else self.caption.height if self.is_across else PADDING
        for column, frame in enumerate(self.frames):
            turning = self.turning(column)
            if column:
                u += max(
                    GUTTER,
                    *(
                        self.labels[j.number].across + GUTTER
                        for j in turning
                        if j.number in self.labels
                    ),
                    0.0,
                )
            for lane, join in enumerate(turning):
                self.gutters[join.number] = u + lane * LANE
            u += LANE * len(turning) + (LANE if turning else 0.0)
            self.left.append(u)
            u += frame.across
        if self.caption is None:
            return u
        entering = max((self.enters(join) for join in self.joins if join.tail < 0), default=0.0)
        room = 0.0 if self.is_across else entering + PADDING + self.caption.width
        return max(u + PADDING, room)

    def place_above(self) -> float:
        """Set the offsets of edges above the columns, and return the start of the columns."""
        v = 0.0 if self.caption is None else PADDING if self.is_across else self.caption.height
        lanes = [[j.number for j in self.turning(column)] for column in range(len(self.frames))]
        for join in self.joins:
            if join.tail < 0:
                door = self.doors.setdefault(join.hop.tensor, self.enters(join))
                if door != self.enters(join):
                    v += LANE
                    self.above[join.number] = v
        v += BEFORE_LANES if any(lanes) else 0.0
        for column in lanes:
            self.above |= {number: v + lane * LANE for lane, number in enumerate(column)}
        return v + max(map(len, lanes)) * LANE

    def place_below(self) -> float:
        """Set the offsets of edges below the columns, and return the height of the frame."""
        lane_of: dict[int, int] = {}
        for column in range(len(self.frames)):
            lane_of |= {
                j.number: lane
                for lane, j in enumerate(self.turning(column))
                if j.tail == column - 1
            }
        far = [j for j in self.joins if min(j.tail, j.head) >= 0 and j.tail != j.head - 1]
        first = (
            max(lane_of.values(), default=-1) + 1
        )  # an edge below whole columns has a lane of its own
        lane_of |= {join.number: first + n for n, join in enumerate(far)}
        v = self.low + (BEFORE_LANES if lane_of else 0.0)
        for lane in range(first + len(far)):
            numbers = [number for number, other in lane_of.items() if other == lane]
            v += max(self.labels[n].along if n in self.labels else 0.0 for n in numbers)
            self.below |= dict.fromkeys(numbers, v)
            v += LANE
        return v if self.caption is None else v + PADDING

    def way(self, join: Join) -> Way:
        if join.head < 0:
            return (Stretch(self.leaves(join), self.end(join.tail), self.along),)
        enters = self.enters(join)
        if join.tail < 0:
            door = self.doors[join.hop.tensor]
            if join.number not in self.above:
                return (Stretch(door, 0.0, self.top),)
            v = self.above[join.number]
            return Stretch(door, 0.0, v), Run(v, door, enters), Stretch(enters, v, self.top)
        u, above, below = (each[join.number] for each in (self.gutters, self.above, self.below))
        leaves = self.leaves(join)
        return (
            Stretch(leaves, self.end(join.tail), below),
            Run(below, leaves, u),
            Stretch(u, below, above),
            Run(above, u, enters),
            Stretch(enters, above, self.top),
        )

    def end(self, column: int) -> float:
        """Return the `v` of the end of a column."""
        return self.top + self.frames[column].along

    def label(self, number: int) -> Spot:
        """Return the position of a label: in the gutter, above the edge that enters it."""
        size, join = self.labels[number], self.joins[number]
        start = self.left[join.head - 1] + self.frames[join.head - 1].across + LABEL_GAP
        u = start + size.across if self.is_across else start - LABEL_GAP
        return Spot(u, self.below[number] - size.along / 2 - 2.0)
