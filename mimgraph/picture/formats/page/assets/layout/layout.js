// Places nested items. Each open block is laid out on its own, and edges pass its walls through
// doors, so that folding a block changes only the layout of the blocks around it.
import { frame } from "./frame.js";

export class Layout {
  constructor(model) {
    this.model = model;
    this.isAcross = model.direction === "LR";
    this.kept = new Map(); // cached frames, by all that they depend on
  }

  // Returns the place of every visible item and the course of every edge.
  run() {
    const edges = this.model.shownEdges();
    const ways = this.split(edges);
    this.frames = new Map();
    this.places = new Map();
    const { across, along } = this.frame(this.model.root);
    this.settle(this.model.root, 0, 0);
    const lines = edges.map((edge, i) => this.line(edge, ways[i]));
    const [width, height] = this.isAcross ? [along, across] : [across, along];
    return { places: this.places, lines, width, height };
  }

  point(u, v) {
    return this.isAcross ? [v, u] : [u, v];
  }

  // Splits each edge into hops, one in every block that it passes; a tensor's equal hops are shared.
  split(edges) {
    this.hops = new Map();
    return edges.map((edge) => {
      const { tail } = edge;
      let { tail: from, head: to } = edge;
      const [exits, entries] = [[], []];
      while (from.parent !== to.parent) {
        if (from.depth >= to.depth) {
          exits.push(this.hop(from.parent, { tail, from, to: null }));
          from = from.parent;
        } else {
          entries.unshift(this.hop(to.parent, { tail, from: null, to }));
          to = to.parent;
        }
      }
      const { mark, text } = edge;
      return [...exits, this.hop(from.parent, { tail, from, to, text, mark }), ...entries];
    });
  }

  hop(block, hop) {
    const key = JSON.stringify([hop.tail.id, hop.from?.id, hop.to?.id, hop.text?.runs, hop.mark]);
    if (!this.hops.has(block)) this.hops.set(block, new Map());
    const known = this.hops.get(block);
    if (!known.has(key)) known.set(key, { key, ...hop });
    return [block, known.get(key)];
  }

  size(item) {
    if (item.items && this.model.isOpen(item)) return this.frame(item);
    const { width, height } = item.box;
    return this.isAcross ? { across: height, along: width } : { across: width, along: height };
  }

  frame(block) {
    if (!this.frames.has(block)) this.frames.set(block, this.untwisted(block));
    return this.frames.get(block);
  }

  // Lays out a block so that the doors of its inner blocks are in the order in which edges arrive.
  untwisted(block, entering) {
    const first = this.laidOut(block, entering);
    let isChanged = false;
    for (const item of block.items) {
      const doors = this.frames.get(item)?.ins;
      if (!doors || doors.size < 2) continue;
      const coming = this.comingTo(item, first);
      const order = [...doors.keys()].sort((a, b) => doors.get(a) - doors.get(b));
      if (order.every((tail, i) => tail === coming[i])) continue;
      this.frames.set(item, this.untwisted(item, coming));
      isChanged = true;
    }
    return isChanged ? this.laidOut(block, entering) : first;
  }

  comingTo(item, { ways }) {
    const found = new Map();
    for (const { key, to, tail } of this.hops.get(item.parent).values())
      if (to === item) found.set(tail, ways.get(key).stretches.at(-2).x);
    return [...found.keys()].sort((a, b) => found.get(a) - found.get(b));
  }

  laidOut(block, entering) {
    const hops = [...(this.hops.get(block)?.values() ?? [])];
    const sizes = new Map(block.items.map((item) => [item, this.size(item)]));
    const key = JSON.stringify([
      block.id,
      Array.from(sizes.values(), ({ version, across }) => version ?? across),
      hops.map((hop) => hop.key),
      entering?.map((tail) => tail.id),
    ]);
    if (!this.kept.has(key)) {
      const made = frame(block, sizes, hops, this.isAcross, entering);
      this.kept.set(key, { ...made, version: `frame ${this.kept.size}` });
    }
    return this.kept.get(key);
  }

  settle(block, u, v) {
    for (const [item, inside] of this.frames.get(block).inside) {
      const { across, along, side } = this.size(item);
      const place = { u: u + inside.u, v: v + inside.v };
      const [x, y] = this.point(place.u, place.v);
      const [width, height] = this.isAcross ? [along, across] : [across, along];
      this.places.set(item, { ...place, x, y, width, height, side });
      if (this.frames.has(item)) this.settle(item, place.u, place.v);
    }
  }

  // Joins the hops of an edge: stretches in the direction of the edges, with curves between them.
  line(edge, hops) {
    let label;
    const stretches = hops.flatMap(([block, { key, tail, from, to, text }]) => {
      const { u, v } = block.parent ? this.places.get(block) : { u: 0, v: 0 };
      const way = this.frames.get(block).ways.get(key);
      const moved = way.stretches.map((s) => ({
        x: s.x + u,
        top: s.top + v,
        bottom: s.bottom + v,
      }));
      if (from && this.frames.has(from))
        moved[0].x = this.places.get(from).u + this.frames.get(from).outs.get(tail);
      if (to && this.frames.has(to))
        moved.at(-1).x = this.places.get(to).u + this.frames.get(to).ins.get(tail);
      if (way.label) label = { text, at: this.point(way.label.u + u, way.label.v + v) };
      return moved;
    });
    return { ...edge, stretches, label };
  }
}
