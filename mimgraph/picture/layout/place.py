"""Place the nodes of a planned frame: add up sizes across and along its edges.

`u` runs across the edges and `v` along them: from top to bottom these are x and y. The page does the same in
`formats/page/assets/layout/place.js` when blocks are folded; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

from mimgraph.picture.layout.hops import Tensor
from mimgraph.picture.layout.plan import Plan
from mimgraph.picture.layout.topological import topological

# lengths in points
GAP, SLIM_GAP = 22.0, 11.0  # between two ranks, and beside a rank that has only labels and doors
NODE_GAP, BEND_GAP = 20.0, 11.0  # between two items of a rank, and beside an edge
PADDING = 10.0  # between the wall of a frame and its items
# a gap grows by a twelfth of the way that its edges run sideways, up to a limit
RUN, MOST_RUN = 12.0, 60.0
ENDS = 0.6  # part of a side on which edges end
END_GAP, RESULT_GAP = 8.0, 16.0  # between the ends of two edges, and between two results that leave


class Extent(NamedTuple):
    """The size of a node: from its axis to the left and the right, and along the edges."""

    left: float
    right: float
    along: float


class Caption(NamedTuple):
    """The room for the title of a frame: its width in the direction of the text, and its height."""

    width: float
    height: float


class Stretch(NamedTuple):
    """A straight part of an edge along `v`; stretches are joined by curves."""

    u: float
    start: float
    end: float


class Run(NamedTuple):
    """A straight part of an edge across, along `u`. A way that begins or ends with one meets the side of a box."""

    v: float
    start: float
    end: float


Way: TypeAlias = tuple[Stretch | Run, ...]


class Spot(NamedTuple):
    """A position in a frame."""

    u: float
    v: float


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame with its size, and the places in it relative to its corner.

    `inside` has the corner of each item, `ins` and `outs` the `u` of each door, `ways` the stretches of each hop and
    `labels` the positions of their labels on them. `side` is the end of the wall at which the title stands.
    """

    across: float
    along: float
    side: Literal["left", "right"]
    inside: dict[str, Spot]
    ins: dict[Tensor, float]
    outs: dict[Tensor, float]
    ways: tuple[Way, ...]
    labels: dict[int, Spot]

    def extent(self) -> Extent:
        """Return the extent around the axis of the frame, which is the middle of its upper doors."""
        doors = self.ins.values() or (self.across / 2,)
        axis = (min(doors) + max(doors)) / 2
        return Extent(axis, self.across - axis, self.along)


def place(
    plan: Plan,
    extents: Sequence[Extent],
    inner: Mapping[str, Frame],
    caption: Caption | None,
    is_across: bool,
    is_upward: bool = False,
) -> Frame:
    """Return the frame of a plan.

    `extents` are those of its nodes, `inner` the frames of its open items. The diagram itself has no caption and no
    wall. `is_across` says that edges run from left to right, `is_upward` that they run from the bottom to the top.
    """
    doors = _Doors(plan, inner)
    us = _axes(plan, extents, doors)
    bands = _bands(plan, extents, us, doors)
    vs = [0.0] * len(extents)
    band_of = [Stretch(0.0, 0.0, 0.0)] * len(extents)
    for layer, band in zip(plan.layers, bands, strict=True):
        for i in layer:
            vs[i] = (band.start + band.end - extents[i].along) / 2
            band_of[i] = band
    ways = [_way(way, us, vs, extents, band_of) for way in plan.ways]
    _meet_doors(plan, ways, doors)
    _spread_ends(plan, ways, extents, inner)
    wall = _wall(plan, us, extents, bands, caption, is_across, is_upward)
    frame = _moved(plan, extents, us, vs, ways, wall)
    return _flipped(frame, plan, extents) if is_upward else frame


class _Doors:
    """Tells how far from the axis of a node its links end: at the doors of an open item, else on the axis."""

    def __init__(self, plan: Plan, inner: Mapping[str, Frame]) -> None:
        self.tensors = plan.tensors
        self.of_node: dict[int, dict[Tensor, float]] = {}
        for i, node in enumerate(plan.nodes):
            if node.key in inner:
                frame = inner[node.key]
                axis = frame.extent().left
                doors = frame.ins | frame.outs  # a tensor enters a frame, or leaves it
                self.of_node[i] = {tensor: u - axis for tensor, u in doors.items()}

    def offset(self, node: int, lane: int) -> float:
        """Return the distance from the axis of a node to where the link of a tensor ends."""
        return self.of_node[node][self.tensors[lane]] if node in self.of_node else 0.0


def _axes(plan: Plan, extents: Sequence[Extent], doors: _Doors) -> list[float]:
    """Return the `u` of each node: the mean of the middle two of its four packed positions."""
    packed = []
    for number, first in enumerate(plan.columns):
        shifts = _shifts(plan, first, doors, is_upward=number > 1)
        if number % 2:  # aligned from the right: packed to the right, as in a mirror
            mirrored = [Extent(right, left, along) for left, right, along in extents]
            layers = [layer[::-1] for layer in plan.layers]
            found = _packed(plan, mirrored, layers, first, [-shift for shift in shifts])
            packed.append([-u for u in found])
        else:
            packed.append(_packed(plan, extents, plan.layers, first, shifts))
    bounds = [
        (
            min((u - e.left for u, e in zip(us, extents, strict=True)), default=0.0),
            max((u + e.right for u, e in zip(us, extents, strict=True)), default=0.0),
        )
        for us in packed
    ]
    low, high = min(bounds, key=lambda bound: bound[1] - bound[0])
    moves = [high - b[1] if number % 2 else low - b[0] for number, b in enumerate(bounds)]
    axes = []
    for four in zip(*packed, strict=True):
        ordered = sorted(u + move for u, move in zip(four, moves, strict=True))
        axes.append((ordered[1] + ordered[2]) / 2)
    return axes


def _shifts(plan: Plan, first: Sequence[int], doors: _Doors, is_upward: bool) -> list[float]:
    """Return how far each node stands from the first one of its column, so that edges between doors are straight."""
    shifts = [0.0] * len(first)
    before: dict[int, int] = {}  # the node of a column that was seen last
    for layer in reversed(plan.layers) if is_upward else plan.layers:
        for i in layer:
            if (last := before.get(first[i])) is not None:
                upper, lower, sign = (i, last, -1.0) if is_upward else (last, i, 1.0)
                lane = next(lane for node, lane in plan.below[upper] if node == lower)
                offset = doors.offset(upper, lane) - doors.offset(lower, lane)
                shifts[i] = shifts[last] + sign * offset
            before[first[i]] = i
    return shifts


def _packed(
    plan: Plan,
    extents: Sequence[Extent],
    layers: Sequence[Sequence[int]],
    first: Sequence[int],
    shifts: Sequence[float],
) -> list[float]:
    """Return the `u` of each node with columns as far left as possible, then each close to its right neighbour."""
    rights: dict[int, list[tuple[int, float]]] = {}
    lefts: dict[int, list[tuple[int, float]]] = {}
    for layer in layers:
        for a, b in pairwise(layer):
            is_edge = plan.nodes[a].role == "bend" or plan.nodes[b].role == "bend"
            gap = BEND_GAP if is_edge else NODE_GAP
            distance = extents[a].right + shifts[a] + gap + extents[b].left - shifts[b]
            rights.setdefault(first[a], []).append((first[b], distance))
            lefts.setdefault(first[b], []).append((first[a], distance))
    # from left to right
    order = topological(sorted(set(first)), lambda i: [j for j, _ in rights.get(i, ())])
    us = [0.0] * len(first)
    for i in order:
        us[i] = max((us[j] + distance for j, distance in lefts.get(i, ())), default=0.0)
    for i in reversed(order):
        if i in rights:
            us[i] = max(us[i], min(us[j] - distance for j, distance in rights[i]))
    return [us[i] + shift for i, shift in zip(first, shifts, strict=True)]


def _bands(
    plan: Plan, extents: Sequence[Extent], us: Sequence[float], doors: _Doors
) -> list[Stretch]:
    """Return the start and end of each rank; a gap is wider if edges in it run far sideways."""
    found = []
    v = 0.0
    slim = [
        all(plan.nodes[i].role not in ("item", "aside") for i in layer) for layer in plan.layers
    ]
    for rank, layer in enumerate(plan.layers):
        end = v + max((extents[i].along for i in layer), default=0.0)
        found.append(Stretch(0.0, v, end))
        run = max(
            (
                abs(us[i] + doors.offset(i, lane) - us[j] - doors.offset(j, lane))
                for i in layer
                for j, lane in plan.below[i]
            ),
            default=0.0,
        )
        v = end + (SLIM_GAP if any(slim[rank : rank + 2]) else GAP) + min(MOST_RUN, run / RUN)
    return found


def _way(
    way: Sequence[int],
    us: Sequence[float],
    vs: Sequence[float],
    extents: Sequence[Extent],
    bands: Sequence[Stretch],
) -> list[Stretch]:
    """Return the stretches of a hop: in the ranks of its ends beside their boxes, and through the ranks between."""
    tail, *passed, head = way
    is_down = bands[tail].start <= bands[head].start
    end, start = vs[tail] + extents[tail].along, vs[head]
    if is_down:
        first = Stretch(us[tail], end, bands[tail].end)
        last = Stretch(us[head], bands[head].start, start)
    else:  # an edge of a cycle runs up
        first = Stretch(us[tail], vs[tail], bands[tail].start)
        last = Stretch(us[head], bands[head].end, vs[head] + extents[head].along)
    middle = [Stretch(us[i], bands[i].start, bands[i].end) for i in passed]
    if not is_down:
        middle = [Stretch(u, high, low) for u, low, high in middle]
    return [first, *middle, last]


def _meet_doors(plan: Plan, ways: list[list[Stretch]], doors: _Doors) -> None:
    """Move the ends of ways at open items to their doors."""
    lanes = {tensor: lane for lane, tensor in enumerate(plan.tensors)}
    for hop, nodes, way in zip(plan.hops, plan.ways, ways, strict=True):
        lane = lanes[hop.tensor]
        way[0] = way[0]._replace(u=way[0].u + doors.offset(nodes[0], lane))
        way[-1] = way[-1]._replace(u=way[-1].u + doors.offset(nodes[-1], lane))


def _spread_ends(
    plan: Plan, ways: list[list[Stretch]], extents: Sequence[Extent], inner: Mapping[str, Frame]
) -> None:
    """Let several edges end at one box side by side, each as close as possible to its other end; edges of one
    tensor leave together."""
    arriving: dict[int, dict[object, list[int]]] = {}
    leaving: dict[int, dict[object, list[int]]] = {}
    for number, (hop, way) in enumerate(zip(plan.hops, plan.ways, strict=True)):
        if hop.head and hop.head not in inner:
            arriving.setdefault(way[-1], {})[number] = [number]
        if hop.tail and hop.tail not in inner:
            leaving.setdefault(way[0], {}).setdefault(hop.tensor, []).append(number)
    for ends, here, there, gap in ((arriving, -1, -2, END_GAP), (leaving, 0, 1, RESULT_GAP)):
        for node, groups in ends.items():
            if len(groups) > 1:
                _spread_side(ways, extents[node], list(groups.values()), here, there, gap)


def _spread_side(
    ways: list[list[Stretch]],
    extent: Extent,
    groups: list[list[int]],
    here: int,
    there: int,
    gap: float,
) -> None:
    """Move the ends of groups of ways at one side of a box, in the order of where they go."""

    def beyond(group: Sequence[int]) -> float:
        return sum(ways[number][there].u for number in group) / len(group)

    span = ENDS * 2 * min(extent.left, extent.right)
    step = min(gap, span / (len(groups) - 1))
    low = ways[groups[0][0]][here].u - span / 2
    least = low
    for at, group in enumerate(sorted(groups, key=beyond)):
        most = low + span - (len(groups) - 1 - at) * step
        u = min(max(beyond(group), least), most)
        for number in group:
            ways[number][here] = ways[number][here]._replace(u=u)
        least = u + step


class _Wall(NamedTuple):
    """The size of a frame, what its contents are moved by, and the end at which the title stands."""

    across: float
    along: float
    du: float
    dv: float
    side: Literal["left", "right"]


def _wall(
    plan: Plan,
    us: Sequence[float],
    extents: Sequence[Extent],
    bands: Sequence[Stretch],
    caption: Caption | None,
    is_across: bool,
    is_upward: bool,
) -> _Wall:
    """Return the wall around the nodes of a frame."""
    low = min((u - e.left for u, e in zip(us, extents, strict=True)), default=0.0)
    high = max((u + e.right for u, e in zip(us, extents, strict=True)), default=0.0)
    end = bands[-1].end if bands else 0.0
    if caption is None:
        return _Wall(high - low, end, -low, 0.0, "left")
    doors: dict[str, list[float]] = {"in": [], "out": []}
    for u, node in zip(us, plan.nodes, strict=True):
        if node.role in doors:
            doors[node.role].append(u)
    if is_upward:  # what is first is at the bottom, and the title at the top
        doors["in"], doors["out"] = doors["out"], doors["in"]
    ins, after = doors["in"], 0.0 if doors["out"] else PADDING
    if is_across:
        before, left = 0.0 if ins else PADDING, caption.height
        along = max(before + end + after, caption.width)
        return _Wall(left + high - low + PADDING, along, left - low, before, "left")
    before = 0.0 if ins else caption.height
    # the title stands beside the edges that enter, where the frame has to grow less
    left = max(0.0, caption.width - (min(ins) - low + PADDING)) if ins else 0.0
    right = max(0.0, caption.width - (high - max(ins) + PADDING)) if ins else 0.0
    side: Literal["left", "right"] = "left" if left <= right else "right"
    left, right = (left, 0.0) if side == "left" else (0.0, right)
    across = max(high - low + 2 * PADDING + left + right, caption.width)
    first = after if is_upward else before
    return _Wall(across, before + end + after, PADDING + left - low, first, side)


def _moved(
    plan: Plan,
    extents: Sequence[Extent],
    us: Sequence[float],
    vs: Sequence[float],
    ways: Iterable[Sequence[Stretch]],
    wall: _Wall,
) -> Frame:
    """Return the frame with everything moved to its place inside the wall; ways reach the wall at doors."""
    inside: dict[str, Spot] = {}
    doors: dict[str, dict[Tensor, float]] = {"in": {}, "out": {}}
    labels: dict[int, Spot] = {}
    for node, u, v, extent in zip(plan.nodes, us, vs, extents, strict=True):
        match node.role:
            case "item" | "aside":
                inside[node.key] = Spot(u - extent.left + wall.du, v + wall.dv)
            case "in" | "out":
                doors[node.role][plan.tensors[int(node.key)]] = u + wall.du
            case "label":
                labels[int(node.key)] = Spot(u + wall.du, v + extent.along / 2 + wall.dv)
    moved = []
    for hop, way in zip(plan.hops, ways, strict=True):
        found = [Stretch(u + wall.du, s + wall.dv, e + wall.dv) for u, s, e in way]
        if not hop.tail:
            found[0] = found[0]._replace(start=0.0)
        if not hop.head:
            found[-1] = found[-1]._replace(end=wall.along)
        moved.append(tuple(found))
    return Frame(
        wall.across, wall.along, wall.side, inside, doors["in"], doors["out"], tuple(moved), labels
    )


def _flipped(frame: Frame, plan: Plan, extents: Sequence[Extent]) -> Frame:
    """Return a frame with everything upside down, so that its edges run up."""
    nodes = zip(plan.nodes, extents, strict=True)
    along = {n.key: extent.along for n, extent in nodes if n.role in ("item", "aside")}
    end = frame.along
    inside = {id_: Spot(u, end - v - along[id_]) for id_, (u, v) in frame.inside.items()}
    ways = tuple(
        tuple(part._replace(start=end - part.start, end=end - part.end) for part in way)
        for way in frame.ways
    )
    labels = {number: Spot(u, end - v) for number, (u, v) in frame.labels.items()}
    return replace(frame, inside=inside, ways=ways, labels=labels)
