// Makes the routes of edges through their straight parts, as layout/routes.py does.
import { PADDING } from "./place.js";

const CORNER = 8; // the radius of a corner
const NONE = 1e-6; // a distance that is due to rounding

// Returns a route through the parts of an edge: steps, each a list of one point for a line or of
// three for a curve; the first one is the start. Between ranks it is curved, and where it runs
// across, its corners are rounded.
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
  return [
    [[right, low]],
    [
      [beside, low],
      [beside, high],
      [right, high],
    ],
  ];
}
