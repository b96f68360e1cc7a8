// Places the segments of a U: down on the left, the bottom between, up on the right, so that skips
// run level. It does the same as layout/u_shape.py, which says more about it.
import { LABEL_GAP, joinsOf } from "./joins.js";
import { PADDING } from "./place.js";

const COLUMN_GAP = 60; // between the columns of a U
const [LANE, BEFORE_LANES] = [8, 6]; // between two level edges, and before the first one
const [ROW_GAP, BOTTOM_GAP] = [12, 24]; // before a row and the bottom, besides lanes and labels
const OUTSIDE = 14; // from the right column to the edges that run down beside it

// `segments` has the frames of the segments by id, in the order of the chain; `sides` the boxes at
// whose sides edges end, by the number of the segment; `labels` the sizes of labels by hop.
export function placeU(plan, segments, sides, caption, labels) {
  return new U(plan, segments, sides, caption, labels).frame();
}

class U {
  constructor(plan, segments, sides, caption, labels) {
    Object.assign(this, { sides, caption, labels });
    this.ids = [...segments.keys()];
    this.frames = [...segments.values()];
    this.last = this.frames.length - 1;
    this.bottom = Math.floor(this.frames.length / 2);
    this.joins = joinsOf(plan, this.ids);
    this.left = this.frames.map(() => 0);
    this.top = this.frames.map(() => 0);
    this.lanes = new Map(); // the `v` of level edges, by hop
    this.placeAcross();
    this.across = this.width();
    this.along = this.placeAlong();
  }

  frame() {
    const { across, along, joins } = this;
    const [into, out] = [
      joins.filter(({ tail }) => tail < 0),
      joins.filter(({ head }) => head < 0),
    ];
    const labelled = joins.filter(({ n }) => this.labels.has(n));
    return {
      across,
      along,
      side: "right",
      inside: new Map(this.ids.map((id, n) => [id, { u: this.left[n], v: this.top[n] }])),
      ins: new Map(into.map((join) => [join.tensor, this.enters(join)])),
      outs: new Map(out.map((join) => [join.tensor, this.outside(join)])),
      ways: joins.map((join) => this.way(join)),
      labels: new Map(labelled.map((join) => [join.n, this.label(join)])),
    };
  }

  leaves({ tail, tensor }) {
    return this.left[tail] + this.frames[tail].outs.get(tensor);
  }

  enters({ head, tensor }) {
    return this.left[head] + this.frames[head].ins.get(tensor);
  }

  between(tail, head) {
    return this.joins.filter((join) => join.tail === tail && join.head === head);
  }

  // Returns the hops between two segments from the right to the left: the leftmost one runs lowest, as it
  // would cross the others else.
  fromRight(tail, head) {
    return this.between(tail, head).sort((a, b) => this.leaves(b) - this.leaves(a));
  }

  chain(n) {
    return this.between(n, n + 1)[0];
  }

  size({ n }) {
    return this.labels.get(n) ?? { across: 0, along: 0 };
  }

  // Sets the offsets across: the upper ends of segments stand above each other.
  placeAcross() {
    const down = range(0, this.bottom);
    const up = range(this.bottom + 1, this.last + 1);
    for (const n of down)
      this.left[n] = -(n ? this.enters(this.chain(n - 1)) : this.leaves(this.chain(0)));
    for (const n of up)
      this.left[n] = -(n === this.last
        ? this.enters(this.chain(n - 1))
        : this.leaves(this.chain(n)));
    const skips = this.joins.filter(
      (j) => this.labels.has(j.n) && j.tail >= 0 && j.head > j.tail + 1,
    );
    const gap = Math.max(COLUMN_GAP, ...skips.map((join) => this.size(join).across + 2 * PADDING));
    this.move(down, -Math.min(...down.map((n) => this.left[n])));
    this.move(up, this.rightOf(down) + gap - Math.min(...up.map((n) => this.left[n])));
    this.placeBottom(up);
  }

  // Puts the bottom between the columns, and these apart if it is wide.
  placeBottom(up) {
    const out = this.between(this.bottom, this.bottom + 1);
    const start = this.leaves(this.chain(this.bottom - 1));
    const width = this.frames[this.bottom].across;
    const room = Math.max(...out.map((join) => this.size(join).across)) + 2 * PADDING;
    const end = () => Math.min(...out.map((join) => this.enters(join)));
    this.move(up, Math.max(0, start + width + 2 * room - end()));
    this.left[this.bottom] = Math.max(0, (start + end() - width) / 2);
  }

  move(numbers, by) {
    for (const n of numbers) this.left[n] += by;
  }

  // Returns the right end of segments, and of labels beside the edges between them.
  rightOf(numbers) {
    const ends = numbers.map((n) => this.left[n] + this.frames[n].across);
    for (const join of this.joins)
      if (this.labels.has(join.n) && numbers.includes(join.tail) && join.head === join.tail + 1)
        ends.push(this.beside(join) + 2 * LABEL_GAP + this.size(join).across);
    return Math.max(...ends);
  }

  // Returns the width of the frame, whose contents are moved away from its wall.
  width() {
    const all = range(0, this.last + 1);
    const outs = this.joins.filter(({ head }) => head < 0).length;
    const right = this.rightOf(all) + (outs ? OUTSIDE + LANE * outs : 0);
    if (!this.caption) return right;
    this.move(all, PADDING);
    const into = this.joins.filter(({ tail }) => tail < 0).map((join) => this.enters(join));
    return Math.max(right + 2 * PADDING, Math.max(0, ...into) + PADDING + this.caption.width);
  }

  // Returns the `u` at which an edge that leaves the frame runs down beside the right column.
  outside({ n }) {
    const outs = this.joins.filter(({ head }) => head < 0).map((join) => join.n);
    return this.rightOf(range(0, this.last + 1)) + OUTSIDE + LANE * outs.indexOf(n);
  }

  // Sets the offsets along, row by row, and returns the height of the frame.
  placeAlong() {
    let v = this.headRoom();
    for (const row of range(0, this.bottom)) v = this.placeRow(row, v);
    this.top[this.bottom] = v;
    v += this.frames[this.bottom].along;
    if (!this.sides.has(this.bottom))
      for (const join of this.fromRight(this.bottom, this.bottom + 1)) {
        v += BEFORE_LANES;
        this.lanes.set(join.n, v);
        v += this.size(join).along;
      }
    return this.caption ? v + PADDING : v;
  }

  // Returns the room above the first row: for the title, and for edges that leave to the right.
  headRoom() {
    let v = this.caption?.height ?? 0;
    const outs = this.joins.filter(({ head }) => head < 0);
    for (const { n } of outs) this.lanes.set(n, (v += LANE));
    return outs.length ? v + LANE : v;
  }

  // Places two opposite segments so that the skip between them is level.
  placeRow(row, start) {
    const pair = [row, this.last - row];
    const level = start + Math.max(...pair.map((n) => this.above(n)));
    for (const n of pair) this.top[n] = level - this.above(n);
    let v = Math.max(...pair.map((n) => this.top[n] + this.frames[n].along)) + BEFORE_LANES;
    for (const join of this.fromRight(...pair)) {
      v += this.size(join).along;
      this.lanes.set(join.n, v);
      v += LANE;
    }
    const chain = [...this.between(row, row + 1), ...this.between(pair[1] - 1, pair[1])];
    return v + Math.max(...chain.map((join) => this.size(join).along)) + this.bendRoom(row + 1);
  }

  // Returns the room before a segment, in which edges bend; those to the bottom go far sideways.
  bendRoom(n) {
    return n === this.bottom ? BOTTOM_GAP : ROW_GAP;
  }

  // Returns the part of a segment above the level of its skip.
  above(n) {
    const isBeside = this.sides.has(n) && n !== this.bottom;
    return isBeside ? this.sides.get(n).middle : this.frames[n].along;
  }

  start({ tail }) {
    return this.top[tail] + (tail <= this.bottom ? this.frames[tail].along : 0);
  }

  end({ head }) {
    return this.top[head] + (head > this.bottom ? this.frames[head].along : 0);
  }

  // Returns the parts of a hop: stretches along `v`, and runs along `u`.
  way(join) {
    const { n, tail, head } = join;
    if (tail < 0) return [{ u: this.enters(join), start: 0, end: this.end(join) }];
    const u = this.leaves(join);
    if (head < 0) {
      const [beside, v] = [this.outside(join), this.lanes.get(n)];
      return across(u, this.start(join), v, beside, this.along);
    }
    const end = this.enters(join);
    if (this.lanes.has(n))
      return across(u, this.start(join), this.lanes.get(n), end, this.end(join));
    if (tail === this.bottom) {
      const side = this.sides.get(this.bottom);
      const v = this.top[this.bottom] + side.middle;
      const run = { v, start: this.left[this.bottom] + side.right, end };
      return [run, { u: end, start: v, end: this.end(join) }];
    }
    const isDown = tail < this.bottom;
    let v = isDown ? this.end(join) - this.bendRoom(head) : this.start(join);
    const labelled = this.between(tail, head).filter((near) => this.labels.has(near.n));
    for (const near of labelled) {
      const half = this.size(near).along / 2 + 1; // all edges are straight beside a label
      v = this.label(near).v + (isDown ? half : -half);
    }
    return [
      { u, start: this.start(join), end: v },
      { u: end, start: this.end(join), end: this.end(join) },
    ];
  }

  // Returns the position of a label: beside an edge up or down, and above a level one.
  label(join) {
    const { across: width, along: height } = this.size(join);
    const isLevel = this.lanes.has(join.n) || join.tail === this.bottom;
    const run = isLevel && this.way(join).find((part) => "v" in part);
    if (run) {
      const isUnder = join.tail === this.bottom && !this.sides.has(this.bottom);
      const beside = this.joins.filter(({ tail }) => tail === join.tail);
      const start = Math.max(run.start, ...beside.map((other) => this.leaves(other)));
      const u = (start + run.end - width) / 2 - LABEL_GAP;
      return { u, v: run.v + (isUnder ? 1 : -1) * (height / 2 + 2) };
    }
    const isDown = join.tail < this.bottom;
    const beyond = isDown ? this.end(join) - this.bendRoom(join.head) : this.start(join) - LABEL_GAP;
    return { u: this.beside(join), v: beyond - height / 2 };
  }

  // Returns the `u` of the last of the hops between the same segments, to the right of which is room.
  beside({ tail, head }) {
    return Math.max(...this.between(tail, head).map((join) => this.leaves(join)));
  }
}

function across(u, start, v, to, end) {
  return [
    { u, start, end: v },
    { v, start: u, end: to },
    { u: to, start: v, end },
  ];
}

const range = (start, end) => Array.from({ length: end - start }, (_, i) => start + i);
