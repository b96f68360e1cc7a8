// Places the columns of a long frame beside each other; edges between them run in the gutters. It
// does the same as layout/wrap_shape.py, which says more about it.
import { LABEL_GAP, joinsOf } from "./joins.js";
import { PADDING } from "./place.js";

const [LANE, BEFORE_LANES] = [8, 8]; // between two edges, and from a column to the first one
const GUTTER = 26; // between two columns, besides lanes and labels

// `segments` has the frames of the columns by id, `labels` the sizes of labels by hop.
export function placeColumns(plan, segments, caption, labels, isAcross) {
  return new Columns(plan, segments, caption, labels, isAcross).frame();
}

class Columns {
  constructor(plan, segments, caption, labels, isAcross) {
    Object.assign(this, { caption, labels, isAcross, left: [] });
    this.ids = [...segments.keys()];
    this.frames = [...segments.values()];
    this.joins = joinsOf(plan, this.ids);
    this.gutters = new Map(); // the `u` of edges in a gutter, by hop
    this.above = new Map(); // the `v` of edges above the columns
    this.below = new Map();
    this.doors = new Map(); // the `u` at which a tensor enters the frame
    this.across = this.placeAcross();
    this.top = this.placeAbove();
    this.low = this.top + Math.max(...this.frames.map(({ along }) => along));
    this.along = this.placeBelow();
  }

  frame() {
    const { across, along, joins } = this;
    const [into, out] = [
      joins.filter(({ tail }) => tail < 0),
      joins.filter(({ head }) => head < 0),
    ];
    return {
      across,
      along,
      side: "right",
      inside: new Map(this.ids.map((id, n) => [id, { u: this.left[n], v: this.top }])),
      ins: new Map(into.map(({ tensor }) => [tensor, this.doors.get(tensor)])),
      outs: new Map(out.map((join) => [join.tensor, this.leaves(join)])),
      ways: joins.map((join) => this.way(join)),
      labels: new Map([...this.labels.keys()].map((n) => [n, this.label(n)])),
    };
  }

  leaves({ tail, tensor }) {
    return this.left[tail] + this.frames[tail].outs.get(tensor);
  }

  enters({ head, tensor }) {
    return this.left[head] + this.frames[head].ins.get(tensor);
  }

  // Returns the hops into a column from others, in the order in which they run in its gutter.
  turning(column) {
    const out = ({ tail, tensor }) => this.frames[tail].outs.get(tensor);
    return this.joins
      .filter(({ tail, head }) => head === column && tail >= 0)
      .sort((a, b) => b.tail - a.tail || out(b) - out(a));
  }

  placeAcross() {
    let u = this.caption ? (this.isAcross ? this.caption.height : PADDING) : 0;
    this.frames.forEach((frame, column) => {
      const turning = this.turning(column);
      const labelled = turning.filter(({ n }) => this.labels.has(n));
      if (column)
        u += Math.max(GUTTER, ...labelled.map(({ n }) => this.labels.get(n).across + GUTTER));
      turning.forEach(({ n }, lane) => this.gutters.set(n, u + lane * LANE));
      u += LANE * turning.length + (turning.length ? LANE : 0);
      this.left.push(u);
      u += frame.across;
    });
    if (!this.caption) return u;
    const into = this.joins.filter(({ tail }) => tail < 0).map((join) => this.enters(join));
    const room = this.isAcross ? 0 : Math.max(0, ...into) + PADDING + this.caption.width;
    return Math.max(u + PADDING, room);
  }

  // Places the edges above the columns, and returns the start of the columns.
  placeAbove() {
    let v = this.caption ? (this.isAcross ? PADDING : this.caption.height) : 0;
    const lanes = this.frames.map((_, column) => this.turning(column));
    for (const join of this.joins) {
      if (join.tail >= 0) continue;
      const enters = this.enters(join);
      if (!this.doors.has(join.tensor)) this.doors.set(join.tensor, enters);
      if (this.doors.get(join.tensor) !== enters) this.above.set(join.n, (v += LANE));
    }
    const most = Math.max(...lanes.map((column) => column.length));
    v += most ? BEFORE_LANES : 0;
    for (const column of lanes) column.forEach(({ n }, lane) => this.above.set(n, v + lane * LANE));
    return v + most * LANE;
  }

  // Places the edges below the columns, and returns the height of the frame.
  placeBelow() {
    const laneOf = new Map();
    this.frames.forEach((_, column) =>
      this.turning(column).forEach(({ n, tail }, lane) => {
        if (tail === column - 1) laneOf.set(n, lane);
      }),
    );
    const first = Math.max(-1, ...laneOf.values()) + 1;
    const isFar = ({ tail, head }) => tail >= 0 && head >= 0 && tail !== head - 1;
    const far = this.joins.filter(isFar);
    far.forEach(({ n }, i) => laneOf.set(n, first + i));
    let v = this.low + (laneOf.size ? BEFORE_LANES : 0);
    for (let lane = 0; lane < first + far.length; lane++) {
      const numbers = [...laneOf.keys()].filter((n) => laneOf.get(n) === lane);
      v += Math.max(...numbers.map((n) => this.labels.get(n)?.along ?? 0));
      for (const n of numbers) this.below.set(n, v);
      v += LANE;
    }
    return this.caption ? v + PADDING : v;
  }

  // Returns the parts of a hop: stretches along `v`, and runs along `u`.
  way(join) {
    const { n, tail, head, tensor } = join;
    if (head < 0) return [{ u: this.leaves(join), start: this.end(tail), end: this.along }];
    const enters = this.enters(join);
    if (tail < 0) {
      const door = this.doors.get(tensor);
      if (!this.above.has(n)) return [{ u: door, start: 0, end: this.top }];
      const v = this.above.get(n);
      return [
        { u: door, start: 0, end: v },
        { v, start: door, end: enters },
        { u: enters, start: v, end: this.top },
      ];
    }
    const [u, above, below] = [this.gutters, this.above, this.below].map((of) => of.get(n));
    const leaves = this.leaves(join);
    return [
      { u: leaves, start: this.end(tail), end: below },
      { v: below, start: leaves, end: u },
      { u, start: below, end: above },
      { v: above, start: u, end: enters },
      { u: enters, start: above, end: this.top },
    ];
  }

  end(column) {
    return this.top + this.frames[column].along;
  }

  // Returns the position of a label: in the gutter, above the edge that enters it.
  label(n) {
    const [{ across, along }, { head }] = [this.labels.get(n), this.joins[n]];
    const start = this.left[head - 1] + this.frames[head - 1].across + LABEL_GAP;
    const u = this.isAcross ? start + across : start - LABEL_GAP;
    return { u, v: this.below.get(n) - along / 2 - 2 };
  }
}
