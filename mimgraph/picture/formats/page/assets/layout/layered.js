// Places the nodes of a graph in ranks, edges running down: Sugiyama's method without recursion.
import { align } from "./align.js";
import { untangle } from "./untangle.js";

const MOST_BENDS = 40_000; // with more, the longest edges are drawn straight
const GAP = 30; // pixels between two ranks
const SLIM_GAP = 13; // pixels beside a rank that has only labels and doors

// A node has a width to the `left` and `right` of its axis and a `height`. It may be `first` (above
// all others), `last`, `late` (as low as possible), `slim` (close to the next rank), `fixed` in its
// order, or `aside` (moves no other node). An edge is a pair of positions in `nodes`. Returns the
// axis `x` and the top `y` of each node, and the vertical stretches of each edge from the top down.
export function layered(nodes, edges) {
  const ranks = rank(nodes, edges);
  const graph = withBends(nodes, edges, ranks);
  const layers = untangle(graph);
  const x = align(graph, layers);
  const bands = stack(graph, layers, x);
  const y = nodes.map((node, i) => {
    const { top, bottom } = bands[ranks[i]];
    return (top + bottom - node.height) / 2;
  });
  const routes = edges.map(([tail, head], i) => {
    const stretches = graph.ways[i].map((bend) => ({ x: x[bend], ...bands[graph.ranks[bend]] }));
    const { bottom } = bands[ranks[tail]];
    const { top } = bands[ranks[head]];
    return [
      { x: x[tail], top: y[tail] + nodes[tail].height, bottom },
      ...stretches,
      { x: x[head], top, bottom: y[head] },
    ];
  });
  return { x: x.slice(0, nodes.length), y, routes };
}

function rank(nodes, edges) {
  const above = neighbours(nodes.length, edges, 1);
  const below = neighbours(nodes.length, edges, 0);
  const order = sorted(above, below);
  const least = nodes.some((node) => node.first) ? 1 : 0;
  const ranks = nodes.map((node) => (node.first ? 0 : least));
  for (const i of order) for (const j of below[i]) ranks[j] = Math.max(ranks[j], ranks[i] + 1);
  const end =
    nodes.reduce((most, node, i) => (node.last ? most : Math.max(most, ranks[i])), -1) + 1;
  nodes.forEach((node, i) => {
    if (node.last) ranks[i] = Math.max(end, ranks[i]);
  });
  for (const i of order.reverse()) {
    const { first, last, late } = nodes[i];
    const pulled = late || below[i].length > above[i].length;
    if (pulled && !first && !last && below[i].length)
      ranks[i] = below[i].reduce((low, j) => Math.min(low, ranks[j]), Infinity) - 1;
  }
  return ranks;
}

// Sorts the nodes topologically; nodes on a cycle are left out.
function sorted(above, below) {
  const open = above.map((list) => list.length);
  const order = [];
  open.forEach((count, i) => count || order.push(i));
  for (let next = 0; next < order.length; next++)
    for (const j of below[order[next]]) if (--open[j] === 0) order.push(j);
  return order;
}

function neighbours(count, edges, end) {
  const lists = Array.from({ length: count }, () => []);
  for (const edge of edges) lists[edge[end]].push(edge[1 - end]);
  return lists;
}

// Returns the graph with a bend wherever an edge passes a rank; the edges of one tail share bends.
function withBends(nodes, edges, nodeRanks) {
  const ranks = [...nodeRanks];
  const longest = nodes.map(() => 0);
  const span = ([tail, head]) => ranks[head] - ranks[tail];
  for (const edge of edges) longest[edge[0]] = Math.max(longest[edge[0]], span(edge));
  let limit = longest.reduce((most, length) => Math.max(most, length), 1);
  const bends = () =>
    longest.reduce((sum, most) => sum + Math.max(0, Math.min(most, limit) - 1), 0);
  while (bends() > MOST_BENDS) limit = Math.ceil(limit / 2);
  const trunks = nodes.map(() => []);
  const links = [];
  const ways = edges.map((edge) => {
    const [tail, head] = edge;
    if (span(edge) > limit || span(edge) < 1) return [];
    const trunk = trunks[tail];
    while (trunk.length < span(edge) - 1) {
      links.push([trunk.at(-1) ?? tail, ranks.length]);
      trunk.push(ranks.length);
      ranks.push(ranks[tail] + trunk.length);
    }
    const way = trunk.slice(0, span(edge) - 1);
    links.push([way.at(-1) ?? tail, head]);
    return way;
  });
  const bend = { left: 0, right: 0, height: 0, bend: true };
  const all = [...nodes, ...Array(ranks.length - nodes.length).fill(bend)];
  const above = neighbours(all.length, links, 1);
  const below = neighbours(all.length, links, 0);
  return { nodes: all, ranks, above, below, ways };
}

// Returns the top and bottom of each rank; a gap is wider if edges in it run far sideways.
function stack({ nodes, below }, layers, x) {
  let y = 0;
  return layers.map((layer, r) => {
    const height = layer.reduce((most, i) => Math.max(most, nodes[i].height), 0);
    const band = { top: y, bottom: y + height };
    let run = 0;
    for (const i of layer) for (const j of below[i]) run = Math.max(run, Math.abs(x[i] - x[j]));
    const small = [layer, layers[r + 1] ?? []].some((l) =>
      l.every((i) => nodes[i].bend || nodes[i].slim),
    );
    y += height + (small ? SLIM_GAP : GAP) + Math.min(60, run / 12);
    return band;
  });
}
