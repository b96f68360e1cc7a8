// Makes the outline of each kind of box, as wide and high as in a static picture; kinds differ in
// shape, so that they need no colour.
import { svg } from "./svg.js";

export const CARD = 4; // offset between the stacked cards of a closed block
export const CAP = 5; // half the height of a cylinder's lid
const RING = 3; // gap between the two outlines of an output
export const SLANT = 9; // width of a hexagon's slanted sides
export const ROUND = 3; // radius of a corner
export const ROUNDER = 12; // that of an input or output

// `cards` is the number of cards behind the front, which is `width` by `height` and below them.
export function outline(kind, width, height, cards = 0) {
  const rect = (extra) => svg("rect", { class: "shape", y: CARD * cards, width, height, ...extra });
  const path = (d, extra = "") => svg("path", { class: `shape ${extra}`, d });
  const [inner, low] = [width - 2 * RING, height - 2 * RING];
  const behind = Array.from({ length: cards }, (_, i) =>
    rect({ class: "shape sheet", x: CARD * (cards - i), y: CARD * i, rx: ROUND }),
  );
  const round = Math.min(ROUNDER, 0.4 * height);
  switch (kind) {
    case "input":
      return [rect({ rx: round })];
    case "output":
      return [
        rect({ class: "shape lid", rx: round }),
        rect({ x: RING, y: RING, width: inner, height: low, rx: round - RING }),
      ];
    case "merge":
      return [path(hexagon(width, height))];
    case "tensor":
      return cylinder(width, height).map((d, i) => path(d, i ? "lid" : ""));
    case "chain":
      return [rect({ rx: ROUND }), path(`M${CARD} 0V${height}M${width - CARD} 0V${height}`, "lid")];
    default:
      return [...behind, rect({ rx: ROUND })];
  }
}

function hexagon(width, height) {
  const [right, half] = [width - SLANT, height / 2];
  return `M0 ${half}L${SLANT} 0H${right}L${width} ${half}L${right} ${height}H${SLANT}Z`;
}

// Returns the body and the front edge of the lid.
function cylinder(width, height) {
  const [r, low] = [width / 2, height - CAP];
  const arc = (x, y, sweep) => `A${r} ${CAP} 0 0 ${sweep} ${x} ${y}`;
  return [
    `M0 ${CAP}V${low}${arc(width, low, 0)}V${CAP}${arc(0, CAP, 0)}Z`,
    `M0 ${CAP}${arc(width, CAP, 0)}`,
  ];
}
