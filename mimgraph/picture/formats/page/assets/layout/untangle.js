// Orders the nodes of each rank so that few edges cross, by sweeps that sort by the neighbours' mean.

export function untangle(graph) {
  const layers = plantedLayers(graph);
  const position = new Float64Array(graph.nodes.length);
  place(layers, position);
  let best = layers.map((layer) => [...layer]);
  let least = crossings(graph, best, position);
  const sweeps = graph.nodes.length > 5000 ? 6 : 16;
  for (let sweep = 0; sweep < sweeps && least > 0; sweep++) {
    const down = sweep % 2 === 0;
    const lists = down ? graph.above : graph.below;
    for (const layer of down ? layers : [...layers].reverse())
      if (!graph.nodes[layer[0]].fixed) sort(layer, lists, position, sweep % 4 > 1);
    const count = crossings(graph, layers, position);
    if (count < least) {
      least = count;
      best = layers.map((layer) => [...layer]);
    }
  }
  return best;
}

// Returns ranks in the order of a walk from each root, which is enough to untangle a tree.
function plantedLayers({ nodes, ranks, above, below }) {
  const count = ranks.reduce((most, r) => Math.max(most, r + 1), 0);
  const layers = Array.from({ length: count }, () => []);
  const seen = new Uint8Array(nodes.length);
  for (let root = 0; root < nodes.length; root++) {
    if (above[root].length) continue;
    const stack = [root];
    while (stack.length) {
      const i = stack.pop();
      if (seen[i]) continue;
      seen[i] = 1;
      layers[ranks[i]].push(i);
      stack.push(...[...below[i]].reverse());
    }
  }
  seen.forEach((known, i) => known || layers[ranks[i]].push(i));
  return layers;
}

function place(layers, position) {
  for (const layer of layers) layer.forEach((i, at) => (position[i] = at));
}

// Sorts one rank; nodes without neighbours in the fixed rank keep their place.
function sort(layer, lists, position, swapEqual) {
  const moved = layer.filter((i) => lists[i].length);
  const middle = new Map(
    moved.map((i) => [i, lists[i].reduce((sum, j) => sum + position[j], 0) / lists[i].length]),
  );
  const tie = swapEqual ? -1 : 1;
  moved.sort((a, b) => middle.get(a) - middle.get(b) || tie * (position[a] - position[b]));
  let next = 0;
  layer.forEach((i, at) => {
    if (lists[i].length) layer[at] = moved[next++];
  });
  layer.forEach((i, at) => (position[i] = at));
}

function crossings({ below }, layers, position) {
  place(layers, position);
  let count = 0;
  for (let r = 0; r + 1 < layers.length; r++) {
    const ends = layers[r].flatMap((i) => below[i].map((j) => position[j]).sort((a, b) => a - b));
    count += inversions(ends, layers[r + 1].length);
  }
  return count;
}

// Counts pairs that are out of order, by a tree of counts (Barth, Jünger and Mutzel, 2002).
function inversions(ends, width) {
  let first = 1;
  while (first < width) first *= 2;
  const tree = new Int32Array(2 * first);
  let count = 0;
  for (const end of ends) {
    for (let i = first + end; i > 0; i >>= 1) {
      if (i % 2 === 0) count += tree[i + 1];
      tree[i]++;
    }
  }
  return count;
}
