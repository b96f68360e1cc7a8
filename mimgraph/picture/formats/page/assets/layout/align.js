// Computes the axis of each node in ordered ranks, so that long edges are straight and nodes stand
// between their neighbours (Brandes and Köpf, 2002: the middle of four alignments).

const NODE_GAP = 26;
const BEND_GAP = 12;

export function align(graph, layers) {
  const clashes = findClashes(graph, layers);
  const layouts = [];
  for (const down of [true, false])
    for (const leftwards of [true, false]) {
      const found = oneWay(graph, layers, clashes, down, leftwards);
      layouts.push(leftwards ? found : found.map((x) => -x));
    }
  return middle(graph, layouts);
}

// Computes one alignment, to the upper or lower neighbours and packed to the left; mirrored ranks
// give the one packed to the right.
function oneWay(graph, layers, clashes, down, leftwards) {
  const rows = layers.map((layer) => (leftwards ? layer : [...layer].reverse()));
  const position = new Int32Array(graph.nodes.length);
  for (const row of rows) row.forEach((i, at) => (position[i] = at));
  const root = columnsOf(graph, down ? rows : [...rows].reverse(), position, clashes, down);
  return pack(graph, rows, root, leftwards);
}

// Finds the segments that cross a segment between two bends; only the latter is kept straight.
function findClashes({ nodes, above }, layers) {
  const clashes = new Set();
  const position = new Int32Array(nodes.length);
  for (const layer of layers) layer.forEach((i, at) => (position[i] = at));
  const inner = (i) => (nodes[i].bend ? above[i].find((j) => nodes[j].bend) : undefined);
  for (let r = 1; r < layers.length; r++) {
    let from = 0;
    let scanned = 0;
    layers[r].forEach((i, at) => {
      const other = inner(i);
      const isLast = at === layers[r].length - 1;
      if (other === undefined && !isLast) return;
      const to = other === undefined ? layers[r - 1].length : position[other];
      for (; scanned <= at; scanned++) {
        const low = layers[r][scanned];
        for (const high of above[low]) {
          const straight = nodes[high].bend && nodes[low].bend;
          if ((position[high] < from || position[high] > to) && !straight)
            clashes.add(`${high} ${low}`);
        }
      }
      from = to;
    });
  }
  return clashes;
}

// Groups nodes into columns; returns the first node of each node's column.
function columnsOf({ nodes, above, below }, rows, position, clashes, down) {
  const root = nodes.map((_, i) => i);
  const next = nodes.map((_, i) => i);
  const lists = down ? above : below;
  for (const row of rows) {
    let reached = -1;
    for (const i of row) {
      const weighty = lists[i].filter((j) => !nodes[j].aside);
      const near = [...(weighty.length ? weighty : lists[i])].sort(
        (a, b) => position[a] - position[b],
      );
      const half = (near.length - 1) / 2;
      for (let k = Math.floor(half); near.length && k <= Math.ceil(half); k++) {
        const j = near[k];
        const clash = clashes.size && clashes.has(down ? `${j} ${i}` : `${i} ${j}`);
        if (next[i] !== i || reached >= position[j] || clash) continue;
        next[j] = i;
        root[i] = root[j];
        next[i] = root[i];
        reached = position[j];
      }
    }
  }
  return root;
}

// Moves columns as far left as possible, then each as close to its right neighbour as possible.
function pack({ nodes }, rows, root, leftwards) {
  const rights = nodes.map(() => []);
  const lefts = nodes.map(() => []);
  for (const row of rows)
    for (let at = 1; at < row.length; at++) {
      const [a, b] = [row[at - 1], row[at]];
      const distance = leastDistance(nodes[a], nodes[b], leftwards);
      rights[root[a]].push([root[b], distance]);
      lefts[root[b]].push([root[a], distance]);
    }
  const order = sortedColumns(rights, lefts);
  const x = new Float64Array(nodes.length);
  for (const i of order) for (const [j, d] of lefts[i]) x[i] = Math.max(x[i], x[j] + d);
  for (const i of order.reverse()) {
    const room = rights[i].reduce((least, [j, d]) => Math.min(least, x[j] - d), Infinity);
    if (room < Infinity) x[i] = Math.max(x[i], room);
  }
  return Array.from(root, (i) => x[i]);
}

// Sorts columns topologically, from left to right.
function sortedColumns(rights, lefts) {
  const open = lefts.map((list) => list.length);
  const order = [];
  open.forEach((count, i) => count || order.push(i));
  for (let next = 0; next < order.length; next++)
    for (const [j] of rights[order[next]]) if (--open[j] === 0) order.push(j);
  return order;
}

function leastDistance(a, b, leftwards) {
  const room = leftwards ? a.right + b.left : a.left + b.right;
  return room + (a.bend || b.bend ? BEND_GAP : NODE_GAP);
}

// Returns the mean of the two middle positions of each node, after the layouts have been shifted to
// the narrowest.
function middle({ nodes }, layouts) {
  const bounds = layouts.map((xs) => {
    let [low, high] = [Infinity, -Infinity];
    xs.forEach((x, i) => {
      low = Math.min(low, x - nodes[i].left);
      high = Math.max(high, x + nodes[i].right);
    });
    return { low, high };
  });
  const widths = bounds.map(({ low, high }) => high - low);
  const narrow = bounds[widths.indexOf(Math.min(...widths))];
  const shifts = bounds.map(({ low, high }, k) =>
    k % 2 === 0 ? narrow.low - low : narrow.high - high,
  );
  return nodes.map((_, i) => {
    const xs = layouts.map((layout, k) => layout[i] + shifts[k]).sort((a, b) => a - b);
    return (xs[1] + xs[2]) / 2;
  });
}
