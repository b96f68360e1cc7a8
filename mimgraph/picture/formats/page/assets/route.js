// Makes the paths of edges, as layout/layout.py and arrows.py do for a static picture.
import { ROUND, ROUNDER, SLANT } from "./outline.js";
import { PADDING } from "./place.js";

const [HALF_WIDTH, LENGTH] = [2.4, 6]; // of an arrowhead
const CORNER = 8; // the radius of a corner
const NONE = 1e-6; // a distance that is due to rounding

// Returns a route through the parts of an edge: steps, each a list of one point for a line or of three
// for a curve; the first one is the start. Between ranks it is curved, and where it runs across, its
// corners are rounded.
export function routeThrough(parts, point) {
  const lines = joined(parts);
  const steps = [[point(...lines[0].start)]];
  const add = (...step) => {
    const last = steps.at(-1).at(-1);
    if (!isSame(point(...step.at(-1)), last)) steps.push(step.map((spot) => point(...spot)));
  };
  lines.slice(1).forEach((after, i) => {
    const line = lines[i];
    if (isSame(line.end, after.start)) {
      const radius = Math.min(CORNER, lengthOf(line) / 2, lengthOf(after) / 2);
      add(before(line.start, line.end, radius));
      add(line.end, line.end, before(after.end, after.start, radius));
    } else {
      add(line.end);
      const half = (line.end[1] + after.start[1]) / 2;
      add([line.end[0], half], [after.start[0], half], after.start);
    }
  });
  add(lines.at(-1).end);
  return steps;
}

// Returns parts as lines from a start to an end, those on one axis as one.
function joined(parts) {
  const lines = [];
  for (const part of parts) {
    const [start, end] = endsOf(part);
    const line = lines.at(-1);
    const us = line && [line.start[0], line.end[0], start[0], end[0]];
    const isStraight = us && Math.max(...us) - Math.min(...us) < NONE;
    if (isStraight) line.end = [line.start[0], end[1]];
    else lines.push({ start, end });
  }
  return lines;
}

function endsOf(part) {
  return "v" in part
    ? [
        [part.start, part.v],
        [part.end, part.v],
      ]
    : [
        [part.u, part.start],
        [part.u, part.end],
      ];
}

const isSame = (one, other) =>
  Math.abs(one[0] - other[0]) < NONE && Math.abs(one[1] - other[1]) < NONE;
const lengthOf = ({ start, end }) => Math.abs(end[0] - start[0]) + Math.abs(end[1] - start[1]);

// Returns the position at a distance before the end of a line.
function before(start, end, distance) {
  const part = distance / (lengthOf({ start, end }) || Infinity);
  return [end[0] - part * (end[0] - start[0]), end[1] - part * (end[1] - start[1])];
}

// Returns a straight route from the right side of one box to the left side of another.
export function level(tail, head) {
  const y = tail.y + tail.height / 2;
  return [[[tail.x + tail.width, y]], [[head.x, y]]];
}

// Returns the route of an edge from a box to itself, beside the box.
export function loop({ x, y, width, height }) {
  const [right, middle, quarter] = [x + width, y + height / 2, height / 4];
  const [low, high] = [middle + quarter, middle - quarter];
  const beside = right + PADDING;
  return [[[right, low]], [[beside, low], [beside, high], [right, high]]];
}

// Returns the parts of a route as texts of paths: lines and curves, each with its start, and the
// arrowhead, whose tip is on the outline of the head.
export function pathsOf(route, kind, place) {
  const [dx, dy] = direction(route);
  const steps = reaching(route, kind, place, dx, dy);
  const [x, y] = steps.at(-1).at(-1);
  const back = ([px, py]) => [px - dx * LENGTH, py - dy * LENGTH];
  const last = steps.at(-1);
  const isCurve = last.length > 1;
  steps[steps.length - 1] = isCurve ? [last[0], ...last.slice(1).map(back)] : [back(last[0])];
  const [ex, ey] = back([x, y]);
  const corners = [
    [ex - dy * HALF_WIDTH, ey + dx * HALF_WIDTH],
    [ex + dy * HALF_WIDTH, ey - dx * HALF_WIDTH],
    [x, y],
  ];
  const pieces = steps.slice(1).map((step, i) => {
    const way = step.length > 1 ? "C" : "L";
    return [`M${text(steps[i].at(-1))}`, `${way}${step.map(text).join(" ")}`];
  });
  return { pieces, arrow: `M${corners.map(text).join("L")}Z` };
}

const text = (point) => point.map((value) => Math.round(value * 10) / 10).join(" ");

// Returns the direction in which a route ends, as a step of length one.
function direction(route) {
  const points = route.flat();
  const [x, y] = points.at(-1);
  const before = points.findLast((p) => p[0] !== x || p[1] !== y) ?? [x, y - 1];
  const [dx, dy] = [x - before[0], y - before[1]];
  const length = Math.hypot(dx, dy);
  return [dx / length, dy / length];
}

// Returns the steps extended from the rectangle around a box to its outline.
function reaching(route, kind, place, dx, dy) {
  const [x, y] = route.at(-1).at(-1);
  for (let step = 0; step < 2 * ROUNDER; step++) {
    const at = [x + step * dx, y + step * dy];
    if (covers(kind, place, at)) return step ? [...route, [at]] : [...route];
  }
  return [...route];
}

// Returns whether a point lies inside the outline of a box of a kind.
function covers(kind, { x, y, width, height }, [px, py]) {
  const [across, along] = [width / 2, height / 2];
  const [dx, dy] = [Math.abs(px - x - across) - NONE, Math.abs(py - y - along) - NONE];
  if (kind === "merge") return dy <= along && dx + (SLANT * dy) / along <= across;
  const radius = kind === "input" || kind === "output" ? ROUNDER : ROUND;
  const over = [Math.max(dx - across + radius, 0), Math.max(dy - along + radius, 0)];
  return Math.hypot(...over) <= radius;
}
