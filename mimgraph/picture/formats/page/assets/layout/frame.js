// Lays out the items of one open block, relative to its corner. `u` runs across the edges, `v`
// along them: from top to bottom these are x and y.
import { CAPTION, captionWidth } from "./caption.js";
import { layered } from "./layered.js";

const PADDING = 14;
const LABEL_ROOM = 4;
const ARRIVALS = 0.6; // the part of a box's side over which several edges arrive
const ARRIVAL_GAP = 7;

// Returns the size of a block, and where its items, doors and edges lie. `sizes` are those of its
// items; `hops` are the edges within it, each from an item or door to another. A door is where the
// edges of a tensor pass through the wall. `entering` gives the order in which tensors enter.
export function frame(block, sizes, hops, isAcross, entering) {
  const graph = graphOf(block, sizes, hops, isAcross, entering);
  const { x, y, routes } = layered(graph.nodes, graph.edges);
  const ways = hops.map((_, i) => wayOf(graph.halves[i].map((edge) => routes[edge])));
  spreadArrivals(hops, ways, sizes);
  const caption = block.parent ? captionWidth(block) + PADDING : 0;
  const bounds = boundsOf(graph.nodes, x, y);
  const doors = (of) => new Map([...of].map(([tail, i]) => [tail, x[i]]));
  const [ins, outs] = [doors(graph.ins), doors(graph.outs)];
  const wall = block.parent ? wallOf(bounds, ins, outs, caption, isAcross) : bareWall(bounds);
  const moved = (of) => new Map([...of].map(([tail, u]) => [tail, u + wall.du]));
  const inside = block.items.map((item) => {
    const i = graph.places.get(item);
    return [item, { u: x[i] - graph.nodes[i].left + wall.du, v: y[i] + wall.dv }];
  });
  hops.forEach(({ from, to }, i) => {
    ways[i] = shifted(ways[i], wall.du, wall.dv);
    if (!from) ways[i].stretches[0].top = 0;
    if (!to) ways[i].stretches.at(-1).bottom = wall.along;
  });
  return {
    ...wall,
    ins: moved(ins),
    outs: moved(outs),
    inside: new Map(inside),
    ways: new Map(hops.map((hop, i) => [hop.key, ways[i]])),
  };
}

// Returns the graph to lay out: items, doors for tensors that enter and leave, and labels on edges.
function graphOf(block, sizes, hops, isAcross, entering) {
  const nodes = [];
  const add = (node) => nodes.push(node) - 1;
  const doors = (of, options) =>
    new Map(
      Array.from(new Set(of), (tail) => [tail, add({ left: 0, right: 0, height: 0, ...options })]),
    );
  const tails = entering ?? hops.filter((hop) => !hop.from).map((hop) => hop.tail);
  const ins = doors(tails, { first: true, slim: isAcross, fixed: Boolean(entering) });
  const places = new Map(block.items.map((item) => [item, add(nodeOf(item, sizes.get(item)))]));
  const leaving = hops.filter((hop) => !hop.to).map((hop) => hop.tail);
  const outs = doors(leaving, { last: true, slim: true });
  const [edges, pairs] = [[], new Map()];
  const link = (tail, head) => {
    const key = `${tail} ${head}`;
    if (!pairs.has(key)) pairs.set(key, edges.push([tail, head]) - 1);
    return pairs.get(key);
  };
  const halves = hops.map(({ tail, from, to, text }) => {
    const a = from ? places.get(from) : ins.get(tail);
    const b = to ? places.get(to) : outs.get(tail);
    if (!text) return [link(a, b)];
    const [width, height] = [Math.ceil(text.width) + 4, Math.ceil(1.25 * text.size)];
    const [across, along] = isAcross ? [height, width] : [width + LABEL_ROOM, height];
    const sides = isAcross ? { left: across, right: 0 } : { left: 0, right: across };
    const label = add({ ...sides, height: along, late: true, slim: true });
    return [link(a, label), link(label, b)];
  });
  return { nodes, edges, halves, places, ins, outs };
}

// Returns the node of an item; the axis of an open block is the middle of its doors.
function nodeOf({ kind }, { across, along, ins }) {
  const doors = ins?.size ? [...ins.values()] : [across / 2];
  const axis = (Math.min(...doors) + Math.max(...doors)) / 2;
  return { left: axis, right: across - axis, height: along, aside: kind === "tensor" };
}

// Returns the course of an edge, and where its label is; a label splits it into two halves.
function wayOf([upper, lower]) {
  if (!lower) return { stretches: upper.map((stretch) => ({ ...stretch })) };
  const [above, below] = [upper.at(-1), lower[0]];
  const label = { u: above.x, v: (above.bottom + below.top) / 2 };
  const through = { x: above.x, top: above.top, bottom: below.bottom };
  const stretches = [...upper.slice(0, -1), through, ...lower.slice(1)];
  return { stretches: stretches.map((stretch) => ({ ...stretch })), label };
}

function shifted({ stretches, label }, du, dv) {
  return {
    stretches: stretches.map((s) => ({ x: s.x + du, top: s.top + dv, bottom: s.bottom + dv })),
    label: label && { u: label.u + du, v: label.v + dv },
  };
}

// Lets several edges to one box arrive side by side, each as close as possible to its source.
function spreadArrivals(hops, ways, sizes) {
  const arriving = new Map();
  hops.forEach(({ to }, i) => {
    if (to && !sizes.get(to).ins)
      arriving.set(to, [...(arriving.get(to) ?? []), ways[i].stretches]);
  });
  for (const [item, found] of arriving) {
    if (found.length < 2) continue;
    const span = sizes.get(item).across * ARRIVALS;
    const low = found[0].at(-1).x - span / 2;
    const step = Math.min(ARRIVAL_GAP, span / (found.length - 1));
    found.sort((a, b) => a.at(-2).x - b.at(-2).x);
    let least = low;
    found.forEach((stretches, i) => {
      const most = low + span - (found.length - 1 - i) * step;
      const u = Math.min(Math.max(stretches.at(-2).x, least), most);
      stretches.at(-1).x = u;
      least = u + step;
    });
  }
}

function boundsOf(nodes, x, y) {
  let [low, high, end] = [Infinity, -Infinity, 0];
  nodes.forEach((node, i) => {
    low = Math.min(low, x[i] - node.left);
    high = Math.max(high, x[i] + node.right);
    end = Math.max(end, y[i] + node.height);
  });
  return nodes.length ? { low, high, end } : { low: 0, high: 0, end: 0 };
}

function bareWall({ low, high, end }) {
  return { across: high - low, along: end, du: -low, dv: 0 };
}

// Returns the size of the walls, with the caption on the `side` with more space beside the edges.
function wallOf({ low, high, end }, ins, outs, caption, isAcross) {
  const before = ins.size ? 0 : isAcross ? PADDING : CAPTION + PADDING / 2;
  const along = before + end + (outs.size ? 0 : PADDING);
  if (isAcross) {
    const left = CAPTION + PADDING / 2;
    const across = left + high - low + PADDING;
    return { across, along: Math.max(along, caption), du: left - low, dv: before, side: "left" };
  }
  const us = [...ins.values()];
  const needs = (room) => (us.length ? Math.max(0, caption - room) : 0);
  const needsLeft = needs(Math.min(...us) - low + PADDING);
  const needsRight = needs(high - Math.max(...us) + PADDING);
  const side = needsLeft <= needsRight ? "left" : "right";
  const left = PADDING + (side === "left" ? needsLeft : 0);
  const right = PADDING + (side === "right" ? needsRight : 0);
  const across = Math.max(left + high - low + right, caption);
  return { across, along, du: left - low, dv: before, side };
}
