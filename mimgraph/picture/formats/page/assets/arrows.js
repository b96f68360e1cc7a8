// Makes the path of an edge and its arrowhead from its route, as arrows.py does for a static
// picture.
import { ROUND, ROUNDER, SLANT } from "./outline.js";

const [HALF_WIDTH, LENGTH] = [2.4, 6]; // of an arrowhead
const NONE = 1e-6; // a distance that is due to rounding

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
