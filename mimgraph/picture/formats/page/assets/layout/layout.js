// Places all visible items, from the frames of open blocks, which are placed from the inside out.
// It does the same as layout/layout.py; Python has planned the frames for all ways to fold them.
import { placeColumns } from "./columns.js";
import { LABEL_GAP } from "./joins.js";
import { extentOf, place, withStraightDoors } from "./place.js";
import { level, loop, routeThrough } from "./routes.js";
import { placeU } from "./u_shape.js";

const ROOT = ""; // the id of the plan of the picture itself
const MARGIN = 10; // around the picture
const TITLE = { x: 7, y: 4 }; // of a title, from the corner of its block
const CHEVRON = 8; // room before a title for the chevron that folds the block
const [TITLE_ROOM, BARE_ROOM] = [18, 8]; // height of the strip for a title, and without one
const ABOVE = 3; // from a level edge to its label
const LEADING = 1.25; // height of a line over the size of its letters

export class Layout {
  constructor(model) {
    this.model = model;
    this.isAcross = model.direction === "LR";
    this.kept = new Map(); // by plan: the frame that was made last, and the inner frames it is for
  }

  // Returns the place of every visible item, the places of titles, and the course of every edge.
  run() {
    const scheme = this.model.scheme;
    this.list = scheme.plans;
    this.plans = new Map(scheme.plans.map((plan) => [plan.id, plan]));
    for (const name of ["frames", "corners", "places", "titles"]) this[name] = new Map();
    const { across, along } = this.frame(ROOT);
    this.settle(ROOT, MARGIN, MARGIN);
    const [width, height] = this.turned(across + 2 * MARGIN, along + 2 * MARGIN);
    return {
      places: this.places,
      titles: this.titles,
      lines: this.lines(scheme.edges),
      width: Math.ceil(width),
      height: Math.ceil(height),
    };
  }

  turned(one, other) {
    return this.isAcross ? [other, one] : [one, other];
  }

  // Returns the frame of a block or segment, or of the picture.
  frame(id) {
    const plan = this.plans.get(id);
    const inner = new Map();
    for (const key of itemsOf(plan)) if (this.hasFrame(key)) inner.set(key, this.frame(key));
    const known = this.kept.get(plan);
    const isSame = known?.inner.size === inner.size;
    if (!isSame || [...inner].some(([key, frame]) => known.inner.get(key) !== frame))
      this.kept.set(plan, { inner, frame: this.placed(plan, inner) });
    const { frame } = this.kept.get(plan);
    this.frames.set(id, frame);
    return frame;
  }

  hasFrame(key) {
    return this.plans.has(key) && (isSegment(key) || this.model.isOpen(this.model.items.get(key)));
  }

  placed(plan, inner) {
    const block = this.model.items.get(plan.id);
    const caption = block && captionOf(block);
    if (plan.sides) return placeU(plan, inner, this.sides(plan, inner), caption, this.labels(plan));
    if (plan.isCut) return placeColumns(plan, inner, caption, this.labels(plan), this.isAcross);
    const extents = plan.roles.map((role, i) =>
      this.extent(plan, role, plan.keys[i], inner, caption),
    );
    const frame = place(plan, extents, inner, caption, this.isAcross);
    return isSegment(plan.id) ? withStraightDoors(frame, plan) : frame;
  }

  // Returns the sizes of the labels between segments, by hop.
  labels({ hops }) {
    const sizes = new Map();
    hops.forEach(({ label }, n) => {
      if (!label) return;
      const [across, along] = this.turned(label.width, LEADING * label.size);
      sizes.set(n, { across, along });
    });
    return sizes;
  }

  // Returns the boxes at whose sides edges end, by the number of their segment.
  sides(plan, inner) {
    const segments = [...inner.values()];
    const found = Object.entries(plan.sides).map(([n, id]) => {
      const { u, v } = segments[n].inside.get(id);
      const { width, height } = this.model.items.get(id).box;
      return [Number(n), { left: u, right: u + width, middle: v + height / 2 }];
    });
    return new Map(found);
  }

  extent(plan, role, key, inner, caption) {
    if (role === "item" || role === "aside") {
      if (inner.has(key)) return extentOf(inner.get(key));
      const { width, height } = this.model.items.get(key).box;
      const [across, along] = this.turned(width, height);
      return { left: across / 2, right: across / 2, along };
    }
    if (role === "label") return this.labelExtent(plan.hops[key].label);
    const isBesideTitle = role === (plan.isUpward ? "out" : "in") && caption && !this.isAcross;
    return { left: 0, right: 0, along: isBesideTitle ? caption.height : 0 };
  }

  // Returns the size of a label: to the right of its edge, or above it.
  labelExtent({ size, width }) {
    const height = LEADING * size;
    if (this.isAcross)
      return { left: height + LABEL_GAP / 2, right: 0, along: width + 2 * LABEL_GAP };
    return { left: 0, right: width + 2 * LABEL_GAP, along: height };
  }

  settle(id, u, v) {
    const frame = this.frames.get(id);
    this.corners.set(id, { u, v });
    for (const [key, inside] of frame.inside) {
      const [left, top] = [u + inside.u, v + inside.v];
      const inner = this.frames.get(key);
      if (inner) this.settle(key, left, top);
      if (isSegment(key)) continue;
      const item = this.model.items.get(key);
      const [x, y] = this.turned(left, top);
      const [width, height] = inner
        ? this.turned(inner.across, inner.along)
        : [item.box.width, item.box.height];
      this.places.set(item, { x, y, width, height });
      if (inner) this.titles.set(item, titleOf(item, { x, y, width, height }, inner.side));
    }
  }

  // Returns a line for each edge between visible items. Lines that would lie on each other are one,
  // and equal ones at a folded block, which have no mark if they differ in it: the change is
  // inside.
  lines(edges) {
    const [found, labelled, seen] = [new Map(), new Set(), new Map()];
    const shown = (id) => {
      if (!seen.has(id)) seen.set(id, this.model.seen(this.model.items.get(id)));
      return seen.get(id);
    };
    for (const { tail: from, head: to, mark = "", hops, label } of edges) {
      const [tail, head] = [shown(from), shown(to)];
      if (tail === head && from !== to) continue;
      const isSeen = tail.id === from && head.id === to;
      const way = hops.filter(([frame]) => this.isShown(frame));
      const words = way.flatMap((hop) => this.labelOf(hop)?.runs ?? []);
      const key = JSON.stringify([tail.id, head.id, isSeen ? [way, mark] : words]);
      const known = found.get(key);
      if (!known) found.set(key, { mark, ...this.line(tail, head, way, label, labelled) });
      else if (known.mark !== mark) known.mark = "";
    }
    return [...found.values()];
  }

  isShown(frame) {
    return this.frames.has(this.list[frame].id);
  }

  labelOf([frame, hop]) {
    return this.list[frame].hops[hop].label;
  }

  // Joins the hops of an edge. Only the first line of a hop has its label.
  line(tail, head, hops, label, labelled) {
    const line = { tail, head, labels: [] };
    let parts = [];
    for (const hop of hops) {
      const { id } = this.list[hop[0]];
      const [frame, { u, v }] = [this.frames.get(id), this.corners.get(id)];
      const way = frame.ways[hop[1]].map((part) => movedBy(part, u, v));
      parts = "v" in way[0] ? way : [...parts, ...way]; // leaves its box at the side
      const at = frame.labels.get(hop[1]);
      if (!at || labelled.has(String(hop))) continue;
      labelled.add(String(hop));
      line.labels.push(this.label(at.u + u, at.v + v, this.labelOf(hop)));
    }
    const ends = [this.places.get(tail), this.places.get(head)];
    if (parts.length) line.route = routeThrough(parts, (u, v) => this.turned(u, v));
    else if (tail === head) line.route = loop(ends[0]);
    else {
      line.route = level(...ends);
      if (label) line.labels.push(aboveLevel(line.route, label));
    }
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

// A segment is a part of a frame that is laid out as a block without a wall.
const isSegment = (id) => id.includes("\0");

function itemsOf({ roles, keys }) {
  return keys.filter((_, i) => roles[i] === "item" || roles[i] === "aside");
}

function movedBy({ start, end, ...at }, u, v) {
  return "v" in at
    ? { v: at.v + v, start: start + u, end: end + u }
    : { u: at.u + u, start: start + v, end: end + v };
}

// Returns a label with its centre above the middle of a level route.
function aboveLevel([[[left, y]], [[right]]], text) {
  return { x: (left + right) / 2, y: y - text.size / 2 - ABOVE, text };
}

function captionOf({ caption }) {
  const { width, runs } = caption;
  return { width: width + 4 + 2 * TITLE.x + CHEVRON, height: runs.length ? TITLE_ROOM : BARE_ROOM };
}

function titleOf({ caption }, wall, side) {
  const width = caption.width + 4;
  const x = side === "left" ? wall.x + TITLE.x + CHEVRON : wall.x + wall.width - TITLE.x - width;
  return { x, y: wall.y + TITLE.y, width, height: LEADING * caption.size + 1 };
}
