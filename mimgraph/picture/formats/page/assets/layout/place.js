// Places the nodes of a planned frame: adds up sizes across and along its edges. It does the same
// as layout/place.py, which says more about it. `u` runs across the edges and `v` along them.

const [GAP, SLIM_GAP] = [22, 11]; // between two ranks, and beside a rank of labels and doors
const [NODE_GAP, BEND_GAP] = [20, 11]; // between two items of a rank, and beside an edge
export const PADDING = 10; // between the wall of a frame and its items
const [RUN, MOST_RUN] = [12, 60]; // a gap grows by a twelfth of the way that its edges run sideways
const ENDS = 0.6; // part of a side on which edges end
const [END_GAP, RESULT_GAP] = [8, 16]; // between two ends, and between two results that leave

// Returns the frame of a plan. `extents` are the sizes of its nodes, `inner` has the frames of its
// open items by id. The picture itself has no caption and no wall. If the plan
// `isUpward`, edges run up.
export function place(plan, extents, inner, caption, isAcross) {
  const offset = offsets(plan, inner);
  const us = axes(plan, extents, offset);
  const bands = bandsOf(plan, extents, us, offset);
  const [vs, bandOf] = [[], []];
  plan.layers.forEach((layer, rank) => {
    const { start, end } = bands[rank];
    for (const i of layer) [vs[i], bandOf[i]] = [(start + end - extents[i].along) / 2, bands[rank]];
  });
  const ways = plan.ways.map((way, n) => {
    const found = wayOf(way, us, vs, extents, bandOf);
    const { tensor } = plan.hops[n];
    found[0].u += offset(way[0], tensor);
    found.at(-1).u += offset(way.at(-1), tensor);
    return found;
  });
  spreadEnds(plan, ways, extents, inner);
  const wall = wallOf(plan, us, extents, bands, caption, isAcross);
  const frame = moved(plan, extents, us, vs, ways, wall);
  return plan.isUpward ? flipped(frame, plan, extents) : frame;
}

// Returns the extent of a frame around its axis, which is the middle of its upper doors.
export function extentOf({ ins, across, along }) {
  const doors = ins.size ? [...ins.values()] : [across / 2];
  const axis = (least(doors) + most(doors)) / 2;
  return { left: axis, right: across - axis, along };
}

// Returns a function for the distance from a node's axis to the link of a tensor: at the door of an
// open item, else on the axis.
function offsets({ keys }, inner) {
  const doors = new Map();
  keys.forEach((key, i) => {
    const frame = inner.get(key);
    if (!frame) return;
    doors.set(i, { axis: extentOf(frame).left, of: new Map([...frame.ins, ...frame.outs]) });
  });
  return (i, tensor) => (doors.has(i) ? doors.get(i).of.get(tensor) - doors.get(i).axis : 0);
}

// Returns the axis of each node: the mean of the middle two of its four packed positions.
function axes(plan, extents, offset) {
  const packed = plan.columns.map((first, n) => {
    const shifts = shiftsOf(plan, first, offset, n > 1);
    if (n % 2 === 0) return pack(plan, extents, plan.layers, first, shifts);
    const mirrored = extents.map(({ left, right }) => ({ left: right, right: left }));
    const layers = plan.layers.map((layer) => [...layer].reverse());
    const turned = shifts.map((shift) => -shift);
    return pack(plan, mirrored, layers, first, turned).map((u) => -u);
  });
  const bounds = packed.map((us) => boundsOf(us, extents));
  const widths = bounds.map(([low, high]) => high - low);
  const [low, high] = bounds[widths.indexOf(least(widths))];
  const moves = bounds.map((bound, n) => (n % 2 ? high - bound[1] : low - bound[0]));
  return extents.map((_, i) => {
    const four = packed.map((us, n) => us[i] + moves[n]).sort((a, b) => a - b);
    return (four[1] + four[2]) / 2;
  });
}

function boundsOf(us, extents) {
  if (!us.length) return [0, 0];
  return [
    least(us.map((u, i) => u - extents[i].left)),
    most(us.map((u, i) => u + extents[i].right)),
  ];
}

// Returns how far each node stands from the first one of its column, so that edges are straight.
function shiftsOf({ layers, below }, first, offset, isUpward) {
  const shifts = first.map(() => 0);
  const before = new Map();
  for (const layer of isUpward ? [...layers].reverse() : layers)
    for (const i of layer) {
      const last = before.get(first[i]);
      if (last !== undefined) {
        const [upper, lower, sign] = isUpward ? [i, last, -1] : [last, i, 1];
        const [, tensor] = below[upper].find(([node]) => node === lower);
        shifts[i] = shifts[last] + sign * (offset(upper, tensor) - offset(lower, tensor));
      }
      before.set(first[i], i);
    }
  return shifts;
}

// Returns positions with columns as far left as possible, then each close to its right neighbour.
function pack({ roles }, extents, layers, first, shifts) {
  const [rights, lefts] = [first.map(() => []), first.map(() => [])];
  for (const layer of layers)
    for (let at = 1; at < layer.length; at++) {
      const [a, b] = [layer[at - 1], layer[at]];
      const gap = roles[a] === "bend" || roles[b] === "bend" ? BEND_GAP : NODE_GAP;
      const distance = extents[a].right + shifts[a] + gap + extents[b].left - shifts[b];
      rights[first[a]].push([first[b], distance]);
      lefts[first[b]].push([first[a], distance]);
    }
  const order = fromLeft(first, rights, lefts);
  const us = first.map(() => 0);
  for (const i of order) if (lefts[i].length) us[i] = most(lefts[i].map(([j, d]) => us[j] + d));
  for (const i of order.reverse())
    if (rights[i].length) us[i] = Math.max(us[i], least(rights[i].map(([j, d]) => us[j] - d)));
  return first.map((i, n) => us[i] + shifts[n]);
}

// Returns the columns in topological order, from left to right.
function fromLeft(first, rights, lefts) {
  const waiting = lefts.map((list) => list.length);
  const order = [...new Set(first)].sort((a, b) => a - b).filter((i) => !waiting[i]);
  for (const i of order) for (const [j] of rights[i]) if (!--waiting[j]) order.push(j);
  return order;
}

// Returns the start and end of each rank; a gap is wider if edges in it run far sideways.
function bandsOf({ layers, roles, below }, extents, us, offset) {
  const isSlim = layers.map((layer) => layer.every((i) => !isItem(roles[i])));
  let v = 0;
  return layers.map((layer, rank) => {
    const band = {
      start: v,
      end:
        v +
        most(
          layer.map((i) => extents[i].along),
          0,
        ),
    };
    let run = 0;
    for (const i of layer)
      for (const [j, tensor] of below[i])
        run = Math.max(run, Math.abs(us[i] + offset(i, tensor) - us[j] - offset(j, tensor)));
    const gap = isSlim[rank] || isSlim[rank + 1] ? SLIM_GAP : GAP;
    v = band.end + gap + Math.min(MOST_RUN, run / RUN);
    return band;
  });
}

const isItem = (role) => role === "item" || role === "aside";

// Returns the stretches of a hop: beside the boxes at its ends, and through the ranks between.
function wayOf(way, us, vs, extents, bands) {
  const [tail, head] = [way[0], way.at(-1)];
  const isDown = bands[tail].start <= bands[head].start;
  const ends = { tail: vs[tail] + extents[tail].along, head: vs[head] + extents[head].along };
  const middle = way.slice(1, -1).map((i) => {
    const { start, end } = bands[i];
    return isDown ? { u: us[i], start, end } : { u: us[i], start: end, end: start };
  });
  if (isDown)
    return [
      { u: us[tail], start: ends.tail, end: bands[tail].end },
      ...middle,
      { u: us[head], start: bands[head].start, end: vs[head] },
    ];
  return [
    { u: us[tail], start: vs[tail], end: bands[tail].start },
    ...middle,
    { u: us[head], start: bands[head].end, end: ends.head },
  ];
}

// Lets several edges end at one box side by side; edges of one tensor leave together.
function spreadEnds(plan, ways, extents, inner) {
  const [arriving, leaving] = [new Map(), new Map()];
  const add = (ends, node, group, n) => {
    if (!ends.has(node)) ends.set(node, new Map());
    const groups = ends.get(node);
    groups.set(group, [...(groups.get(group) ?? []), n]);
  };
  plan.hops.forEach(({ tail, head, tensor }, n) => {
    if (head && !inner.has(head)) add(arriving, plan.ways[n].at(-1), n, n);
    if (tail && !inner.has(tail)) add(leaving, plan.ways[n][0], tensor, n);
  });
  for (const [ends, here, there, gap] of [
    [arriving, -1, -2, END_GAP],
    [leaving, 0, 1, RESULT_GAP],
  ])
    for (const [node, groups] of ends)
      if (groups.size > 1) spreadSide(ways, extents[node], [...groups.values()], here, there, gap);
}

// Moves the ends of groups of ways at one side of a box, in the order of where they go.
function spreadSide(ways, { left, right }, groups, here, there, gap) {
  const beyond = (group) => group.reduce((sum, n) => sum + ways[n].at(there).u, 0) / group.length;
  const span = ENDS * 2 * Math.min(left, right);
  const step = Math.min(gap, span / (groups.length - 1));
  const low = ways[groups[0][0]].at(here).u - span / 2;
  const sorted = groups.map((group) => [beyond(group), group]).sort((a, b) => a[0] - b[0]);
  let next = low;
  sorted.forEach(([aim, group], at) => {
    const u = Math.min(Math.max(aim, next), low + span - (groups.length - 1 - at) * step);
    for (const n of group) ways[n].at(here).u = u;
    next = u + step;
  });
}

// Returns the size of the wall, what its contents are moved by, and the side of the title: beside
// the edges that enter, where the frame has to grow less.
function wallOf({ roles, isUpward }, us, extents, bands, caption, isAcross) {
  const [low, high] = boundsOf(us, extents);
  const end = bands.at(-1)?.end ?? 0;
  if (!caption) return { across: high - low, along: end, du: -low, dv: 0, side: "left" };
  const [first, last] = isUpward ? ["out", "in"] : ["in", "out"]; // from the top
  const ins = us.filter((_, i) => roles[i] === first);
  const after = roles.includes(last) ? 0 : PADDING;
  if (isAcross) {
    const [before, left] = [ins.length ? 0 : PADDING, caption.height];
    const along = Math.max(before + end + after, caption.width);
    const across = left + high - low + PADDING;
    return { across, along, du: left - low, dv: before, side: "left" };
  }
  const before = ins.length ? 0 : caption.height;
  const grows = (room) => (ins.length ? Math.max(0, caption.width - (room + PADDING)) : 0);
  const [left, right] = [grows(least(ins) - low), grows(high - most(ins))];
  const side = left <= right ? "left" : "right";
  const extra = side === "left" ? left : right;
  const across = Math.max(high - low + 2 * PADDING + extra, caption.width);
  const du = PADDING + (side === "left" ? left : 0) - low;
  return { across, along: before + end + after, du, dv: isUpward ? after : before, side };
}

// Returns the frame with everything moved to its place inside the wall; ways reach it at doors.
function moved({ roles, keys, hops }, extents, us, vs, ways, wall) {
  const { across, along, du, dv, side } = wall;
  const frame = { across, along, side, inside: new Map(), ins: new Map(), outs: new Map() };
  frame.labels = new Map();
  roles.forEach((role, i) => {
    const [u, v] = [us[i] + du, vs[i] + dv];
    if (isItem(role)) frame.inside.set(keys[i], { u: u - extents[i].left, v });
    else if (role === "in") frame.ins.set(keys[i], u);
    else if (role === "out") frame.outs.set(keys[i], u);
    else if (role === "label") frame.labels.set(keys[i], { u, v: v + extents[i].along / 2 });
  });
  frame.ways = ways.map((way, n) => {
    const found = way.map(({ u, start, end }) => ({ u: u + du, start: start + dv, end: end + dv }));
    if (!hops[n].tail) found[0].start = 0;
    if (!hops[n].head) found.at(-1).end = along;
    return found;
  });
  return frame;
}

// Returns a frame with everything upside down.
function flipped(frame, { roles, keys }, extents) {
  const { along } = frame;
  roles.forEach((role, i) => {
    if (!isItem(role)) return;
    const spot = frame.inside.get(keys[i]);
    spot.v = along - spot.v - extents[i].along;
  });
  for (const way of frame.ways)
    for (const part of way) [part.start, part.end] = [along - part.start, along - part.end];
  for (const spot of frame.labels.values()) spot.v = along - spot.v;
  return frame;
}

// Returns the frame of a segment with doors straight beside their items: it has no wall that one
// sees.
export function withStraightDoors(frame, { hops }) {
  const count = (end) => {
    const found = new Map();
    for (const hop of hops) if (!hop[end]) found.set(hop.tensor, (found.get(hop.tensor) ?? 0) + 1);
    return found;
  };
  const [entering, leaving] = [count("tail"), count("head")];
  hops.forEach(({ tail, head, tensor }, n) => {
    const way = frame.ways[n];
    if (way.length !== 2 || (tail && head)) return;
    const [isIn, isOut] = [!tail && entering.get(tensor) === 1, leaving.get(tensor) === 1];
    if (!isIn && !(head === "" && isOut)) return;
    const [doors, end] = isIn ? [frame.ins, way[1]] : [frame.outs, way[0]];
    const u = "v" in end ? end.end : end.u;
    doors.set(tensor, u);
    frame.ways[n] = way.filter((part) => "u" in part).map((part) => ({ ...part, u }));
  });
  return frame;
}

const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values, start = -Infinity) => values.reduce((a, b) => Math.max(a, b), start);
