// Places all visible items, from the frames of open blocks, which are placed from the inside out. It
// does the same as layout/layout.py; Python has planned the frames for all ways to fold them.
import { routeThrough, loop } from "./route.js";
import { extentOf, place } from "./place.js";

const MARGIN = 10; // around the picture
const TITLE = { x: 7, y: 4 }; // of a title, from the corner of its block
const [TITLE_ROOM, BARE_ROOM] = [18, 8]; // height of the strip for a title, and without one
const LABEL_GAP = 4; // from an edge to its label
const LEADING = 1.25; // height of a line over the size of its letters

export class Layout {
  constructor(model) {
    this.model = model;
    this.isAcross = model.direction === "LR";
    this.plans = new Map(model.plans.map((plan) => [plan.id, plan]));
    this.kept = new Map(); // by block: the frame that was made last, and the inner frames it is for
  }

  // Returns the place of every visible item, the places of titles, and the course of every edge.
  run() {
    this.frames = new Map();
    this.places = new Map();
    this.titles = new Map();
    const { across, along } = this.frame(this.model.root);
    this.settle(this.model.root, MARGIN, MARGIN);
    const [width, height] = this.turned(across + 2 * MARGIN, along + 2 * MARGIN);
    return {
      places: this.places,
      titles: this.titles,
      lines: this.lines(),
      width: Math.ceil(width),
      height: Math.ceil(height),
    };
  }

  turned(one, other) {
    return this.isAcross ? [other, one] : [one, other];
  }

  frame(block) {
    const inner = new Map();
    for (const item of block.items)
      if (this.model.isOpen(item)) inner.set(item.id, this.frame(item));
    const known = this.kept.get(block);
    const isSame = known?.inner.size === inner.size;
    if (!isSame || [...inner].some(([id, frame]) => known.inner.get(id) !== frame))
      this.kept.set(block, { inner, frame: this.placed(block, inner) });
    const { frame } = this.kept.get(block);
    this.frames.set(block.id, frame);
    return frame;
  }

  placed(block, inner) {
    const plan = this.plans.get(block.id);
    const caption = block.parent && captionOf(block);
    const extents = plan.roles.map((role, i) =>
      this.extent(plan, role, plan.keys[i], inner, caption),
    );
    return place(plan, extents, inner, caption, this.isAcross);
  }

  extent(plan, role, key, inner, caption) {
    if (role === "item" || role === "aside") {
      if (inner.has(key)) return extentOf(inner.get(key));
      const { width, height } = this.model.items.get(key).box;
      const [across, along] = this.turned(width, height);
      return { left: across / 2, right: across / 2, along };
    }
    if (role === "label") return this.labelExtent(plan.hops[key].label);
    const isBesideTitle = role === "in" && caption && !this.isAcross;
    return { left: 0, right: 0, along: isBesideTitle ? caption.height : 0 };
  }

  // Returns the size of a label: to the right of its edge, or above it.
  labelExtent({ size, width }) {
    const height = LEADING * size;
    if (this.isAcross)
      return { left: height + LABEL_GAP / 2, right: 0, along: width + 2 * LABEL_GAP };
    return { left: 0, right: width + 2 * LABEL_GAP, along: height };
  }

  settle(block, u, v) {
    const frame = this.frames.get(block.id);
    frame.corner = { u, v };
    for (const item of block.items) {
      const inside = frame.inside.get(item.id);
      const [x, y] = this.turned(u + inside.u, v + inside.v);
      const inner = this.frames.get(item.id);
      const [width, height] = inner
        ? this.turned(inner.across, inner.along)
        : [item.box.width, item.box.height];
      this.places.set(item, { x, y, width, height });
      if (!inner) continue;
      this.titles.set(item, titleOf(item, this.places.get(item), inner.side));
      this.settle(item, u + inside.u, v + inside.v);
    }
  }

  // Returns a line for each edge between visible items. Lines that would lie on each other are one, and
  // equal ones at a folded block, which have no mark if they differ in it: the change is inside.
  lines() {
    const [found, labelled, seen] = [new Map(), new Set(), new Map()];
    const shown = (id) => {
      if (!seen.has(id)) seen.set(id, this.model.seen(this.model.items.get(id)));
      return seen.get(id);
    };
    for (const { tail: from, head: to, mark = "", hops = [] } of this.model.edges) {
      const [tail, head] = [shown(from), shown(to)];
      if (tail === head && from !== to) continue;
      const isSeen = tail.id === from && head.id === to;
      const way = hops.filter(([frame]) => this.isShown(frame));
      const words = way.flatMap((hop) => this.labelOf(hop)?.runs ?? []);
      const key = JSON.stringify([tail.id, head.id, isSeen ? [way, mark] : words]);
      const known = found.get(key);
      if (!known) found.set(key, { mark, ...this.line(tail, head, way, labelled) });
      else if (known.mark !== mark) known.mark = "";
    }
    return [...found.values()];
  }

  isShown(frame) {
    return this.frames.has(this.model.plans[frame].id);
  }

  labelOf([frame, hop]) {
    return this.model.plans[frame].hops[hop].label;
  }

  // Joins the hops of an edge. Only the first line of a hop has its label.
  line(tail, head, hops, labelled) {
    const line = { tail, head, labels: [] };
    const stretches = hops.flatMap((hop) => {
      const frame = this.frames.get(this.model.plans[hop[0]].id);
      const { u, v } = frame.corner;
      const at = frame.labels.get(hop[1]);
      if (at && !labelled.has(String(hop))) {
        labelled.add(String(hop));
        line.labels.push(this.label(at.u + u, at.v + v, this.labelOf(hop)));
      }
      return frame.ways[hop[1]].map((s) => ({ u: s.u + u, start: s.start + v, end: s.end + v }));
    });
    const point = (u, v) => this.turned(u, v);
    line.route = hops.length ? routeThrough(stretches, point) : loop(this.places.get(tail));
    return line;
  }

  // Returns a label with its centre.
  label(u, v, text) {
    const height = LEADING * text.size;
    const [x, y] = this.isAcross
      ? this.turned(u - height / 2, v)
      : [u + LABEL_GAP + text.width / 2, v];
    return { x, y, text };
  }
}

function captionOf({ caption }) {
  const { width, runs } = caption;
  return { width: width + 4 + 2 * TITLE.x, height: runs.length ? TITLE_ROOM : BARE_ROOM };
}

function titleOf({ caption }, wall, side) {
  const width = caption.width + 4;
  const x = side === "left" ? wall.x + TITLE.x : wall.x + wall.width - TITLE.x - width;
  return { x, y: wall.y + TITLE.y, width, height: LEADING * caption.size + 1 };
}
