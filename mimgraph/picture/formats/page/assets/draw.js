// Draws a layout as SVG: nested groups, a tree to screen readers, and the edges over them.
import { pathsOf } from "./arrows.js";
import { CAP, CARD, outline } from "./outline.js";
import { svg, text } from "./svg.js";

export const SIGNS = { added: "+", removed: "−", changed: "~", faulty: "!" };
const CHEVRON = { before: 5, top: 9, left: 4.5 }; // its middle: before a title, and in a closed block
const REACH = 13; // from a chevron to the sides of what one clicks or touches to fold a block
const LEADING = 1.25; // height of a line over the size of its letters
const TAGS = 4; // the number of colours of badges
const [DOWN, AWAY] = [30, 10]; // from the corner of a box to a badge, and from that to an edge's end

export class Drawing {
  constructor(model, root) {
    Object.assign(this, { model, isAcross: model.direction === "LR" });
    this.tree = svg("g", { role: "presentation" });
    this.edges = svg("g", { class: "edges", "aria-hidden": "true" });
    root.append(this.tree, this.edges);
    this.groups = new Map(); // by item: the element that was drawn last, and whether it was open
    this.paths = new Map();
  }

  // Shows a layout; closed boxes that are already drawn are only moved.
  show({ places, titles, lines }) {
    Object.assign(this, { places, titles, ends: endsOf(lines) });
    this.tree.replaceChildren(...this.model.root.items.map((item) => this.group(item)));
    const tails = lines.map((line) => line.tail);
    this.shared = new Set(repeated(tails));
    const drawn = new Map();
    this.paths = new Map(lines.map((line) => [line, this.line(line, drawn)]));
    this.edges.replaceChildren(...drawn.values());
  }

  groupOf(item) {
    return this.groups.get(item)?.element;
  }

  group(item) {
    const isOpen = this.model.isOpen(item);
    const place = this.places.get(item);
    const known = this.groups.get(item);
    const hasBadge = item.tag || item.box.mark; // which depends on the edges around it
    const fits = known && !known.isOpen && !isOpen && !hasBadge;
    const element = fits
      ? known.element
      : isOpen
        ? this.opened(item, place)
        : this.closed(item, place);
    if (known && !fits) carryOver(known.element, element);
    if (!isOpen) element.setAttribute("transform", `translate(${place.x} ${place.y})`);
    this.groups.set(item, { element, isOpen });
    return element;
  }

  opened(item, { x, y, width, height }) {
    const title = this.titles.get(item);
    const [middle, low] = [title.x - CHEVRON.before, y + CHEVRON.top];
    const caption = text(item.caption, { x: title.x + 2, y: title.y + item.caption.size });
    const wall = svg("rect", { class: "wall", x, y, width, height, rx: 6 });
    const inner = item.items.map((each) => this.group(each));
    const parts = [wall, caption, handle(middle, low, true), svg("g", { role: "group" }, inner)];
    parts.push(...badges(item, item.mark, { x, y, width, height }, [], this.isAcross));
    const nested = `cluster nested-${Math.min(item.depth - 1, 2)}`;
    const group = this.item(item, nested, item.mark, parts);
    group.setAttribute("aria-expanded", "true");
    return group;
  }

  closed(item, { x, y }) {
    const { lines, width, height, cards = 0, mark } = item.box;
    const behind = CARD * cards;
    const front = { width: width - behind, height: height - behind };
    const parts = outline(item.kind, front.width, front.height, cards);
    let top = behind + (front.height - Math.ceil(heightOf(lines))) / 2;
    if (item.kind === "tensor") top += CAP;
    if (item.items) {
      const x = CHEVRON.left + (item.kind === "chain" ? CARD : 0);
      parts.push(handle(x, top + 7, false, { y: behind, height: front.height }));
    }
    for (const line of lines) {
      const place = { x: front.width / 2, y: top + line.size, "text-anchor": "middle" };
      parts.push(" ", text(line, place)); // the space parts the lines in the text of the box
      top += LEADING * line.size;
    }
    const ends = (this.ends.get(item) ?? []).map((end) => [end[0] - x, end[1] - y]);
    parts.push(...badges(item, mark, { x: 0, y: 0, width, height }, ends, this.isAcross));
    const group = this.item(item, item.items ? "box closed" : "box", mark, parts);
    if (item.items) group.setAttribute("aria-expanded", "false");
    return group;
  }

  item(item, classes, mark, children) {
    const flags = [item.optional && "optional", mark].filter(Boolean);
    const group = svg("g", {
      class: [classes, item.kind, ...flags].join(" "),
      role: "treeitem",
      tabindex: -1,
      "data-id": item.id,
      "aria-level": item.depth,
      "aria-label": ariaLabel(item),
    });
    if (item.tooltip) group.append(svg("title", {}, [item.tooltip]));
    group.append(...children);
    return group;
  }

  // Returns the elements of an edge; pieces that edges of one tensor have in common are drawn once.
  line(line, drawn) {
    const isOptional = line.tail.optional || line.head.optional;
    const classes = [isOptional && "optional", line.mark].filter(Boolean);
    const draw = (kind, d) => {
      const names = [kind, ...classes].join(" ");
      const key = `${names} ${d}`;
      if (!drawn.has(key)) drawn.set(key, svg("path", { class: names, d }));
      return drawn.get(key);
    };
    const { pieces, arrow } = pathsOf(line.route, line.head.kind, this.places.get(line.head));
    const whole = [pieces[0][0], ...pieces.map(([, way]) => way)].join("");
    const ways = this.shared.has(line.tail) ? pieces.map((piece) => piece.join("")) : [whole];
    const labels = line.labels.map(({ x, y, text: words }) => {
      const place = { x, y: y + words.size / 3, "text-anchor": "middle" };
      const label = text(words, { class: "label", ...place });
      drawn.set(label, label);
      return label;
    });
    return [...ways.map((d) => draw("edge", d)), draw("arrow", arrow), ...labels];
  }
}

// Returns what a screen reader says about an item.
function ariaLabel({ title, subtitle, shapes = [], kind, id, optional, mark, faults = [] }) {
  const name = title || id.replace(/^output /, "");
  const words = [name, subtitle, ...shapes, kind, optional && "optional", mark, faults.join(" ")];
  return [...new Set(words.filter(Boolean))].join(", ");
}

function chevron(x, y, isOpen) {
  const d = isOpen ? "M-3-1.5L0 1.5L3-1.5" : "M-1.5-3L1.5 0L-1.5 3";
  return svg("path", { class: "chevron", d, transform: `translate(${x} ${y})` });
}

// Returns a chevron with the area around it that folds or opens its block when it is clicked.
function handle(x, y, isOpen, side = {}) {
  const [left, top, size] = [x - REACH, y - REACH, 2 * REACH];
  const area = svg("rect", { x: left, y: top, width: size, height: size, rx: 4, ...side });
  return svg("g", { class: "handle" }, [area, chevron(x, y, isOpen)]);
}

// Returns the sign of a mark to the left and the letter of a shared module to the right of a box, away
// from the `ends` of edges.
function badges({ tag }, mark, place, ends, isAcross) {
  const { x, y, width } = place;
  const found = [];
  if (SIGNS[mark]) {
    const at = free(place, x + Math.min(DOWN, width / 4), x, ends, isAcross);
    found.push(badge({ size: 11, width: 0, runs: [[SIGNS[mark], "bold"]] }, ...at, "sign"));
  }
  if (tag) {
    const number = (tag.runs[0][0].charCodeAt(0) - "A".charCodeAt(0)) % TAGS;
    const at = free(place, x + Math.max(width - DOWN, 0.75 * width), x + width, ends, isAcross);
    found.push(badge(tag, ...at, `tag-${number}`));
  }
  return found;
}

// Returns a position at a side of a box, or on its top or bottom, where no edge ends.
function free({ y, height }, aside, side, ends, isAcross) {
  const level = [side, y + Math.min(DOWN, height / 2)];
  const others = [
    [aside, y],
    [aside, y + height],
  ];
  const wanted = isAcross ? [...others, level] : [level, ...others];
  const isFree = (at) => ends.every((end) => Math.hypot(at[0] - end[0], at[1] - end[1]) >= AWAY);
  return wanted.find(isFree) ?? wanted[0];
}

export function badge(line, x, y, classes) {
  const radius = Math.max(6, line.width / 2 + 2.5);
  return svg("g", { class: `tag ${classes}`, "aria-hidden": "true" }, [
    svg("rect", { x: x - radius, y: y - 6, width: 2 * radius, height: 12, rx: 6 }),
    text(line, { x, y: y + 0.36 * line.size, "text-anchor": "middle" }),
  ]);
}

// Returns where edges end, by the items that they leave and enter.
function endsOf(lines) {
  const found = new Map();
  const add = (item, end) => {
    if (!found.has(item)) found.set(item, []);
    found.get(item).push(end);
  };
  for (const { tail, head, route } of lines) {
    add(tail, route[0][0]);
    add(head, route.at(-1).at(-1));
  }
  return found;
}

const heightOf = (lines) => lines.reduce((sum, { size }) => sum + LEADING * size, 0);

// Copies selection, highlight and tab stop to the element that replaces another.
function carryOver(old, element) {
  for (const name of ["selected", "on"])
    element.classList.toggle(name, old.classList.contains(name));
  element.setAttribute("tabindex", old.getAttribute("tabindex"));
}

function repeated(values) {
  const seen = new Set();
  return values.filter((value) => seen.size === seen.add(value).size);
}
