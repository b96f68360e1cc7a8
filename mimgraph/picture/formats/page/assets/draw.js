// Draws a layout as SVG: nested groups, a tree to screen readers, and the edges over them.
import { CHEVRON, LINES, STACK, captionOf, marked, sheets } from "./measure.js";

const SVG = "http://www.w3.org/2000/svg";
const BAR = 5; // pixels from the side of a chain to its inner line
const TAGS = 4; // the number of colours of badges

export function svg(tag, attributes = {}, children = []) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export class Drawing {
  constructor(model, measure, world) {
    Object.assign(this, { model, measure, isAcross: model.direction === "LR" });
    this.tree = svg("g", { role: "presentation" });
    this.edges = svg("g", { class: "edges", "aria-hidden": "true" });
    world.append(this.tree, this.edges);
    this.groups = new Map(); // by item: the element that was drawn last, and whether it was open
    this.paths = new Map();
  }

  // Shows a layout; closed boxes that are already drawn are only moved.
  show({ places, lines }) {
    this.places = places;
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
    const fits = known && !known.isOpen && !isOpen;
    const element = fits ? known.element : isOpen ? this.opened(item, place) : this.closed(item);
    if (known && !fits) carryOver(known.element, element);
    if (!isOpen) element.setAttribute("transform", `translate(${place.x} ${place.y})`);
    this.groups.set(item, { element, isOpen });
    return element;
  }

  opened(item, { x, y, width, height, side }) {
    const at = side === "right" ? x + width - this.measure.caption(item) : x;
    const bar = svg("g", { class: "caption", transform: `translate(${at} ${y})` }, [
      svg("rect", { width: this.measure.caption(item), height: 25, rx: 5 }),
      chevron(12, 13, true),
      this.words(item),
    ]);
    const wall = svg("rect", { class: "wall", x, y, width, height, rx: 7 });
    const inner = item.items.map((each) => this.group(each));
    const parts = [wall, bar, svg("g", { role: "group" }, inner)];
    if (item.tag) parts.push(badge(item.tag, x + width, y));
    const group = this.item(item, `cluster nested-${Math.min(item.depth - 1, 2)}`, parts);
    group.setAttribute("aria-expanded", "true");
    return group;
  }

  words(item) {
    const name = svg("tspan", { class: "title" }, [marked(item, item.title ?? "")]);
    const label = svg("tspan", { class: "label", dx: item.title ? 7 : 0 }, runs(captionOf(item)));
    return svg("text", { x: 12 + CHEVRON / 2 + 4, y: 17 }, [name, label]);
  }

  closed(item) {
    const { lines, width, height } = this.measure.box(item);
    const behind = STACK * sheets(item);
    const parts = outline(item, width - behind, height - behind);
    const text = lines.reduce((sum, { font }) => sum + LINES[font], 0);
    const middle = (width - behind) / 2;
    let y = behind + (height - behind - text) / 2 + (item.kind === "tensor" ? 3 : 0);
    lines.forEach(({ text, font }, i) => {
      y += LINES[font];
      const isTop = i === 0 && item.items;
      const x = middle + (isTop ? CHEVRON / 2 : 0);
      const place = { x, y: y - 4, "text-anchor": "middle" };
      parts.push(" ", svg("text", { class: font, ...place }, runs(text)));
      if (!isTop) return;
      const left = x - this.measure.width(text, font) / 2 - CHEVRON / 2;
      parts.push(handle(chevron(left, y - 8, false), width - behind, behind));
    });
    if (item.tag) parts.push(badge(item.tag, width - behind, behind));
    const group = this.item(item, item.items ? "box closed" : "box", parts);
    if (item.items) group.setAttribute("aria-expanded", "false");
    return group;
  }

  item(item, classes, children) {
    const flags = [item.optional && "optional", item.mark].filter(Boolean);
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

  // Returns the pieces of an edge; pieces that edges of one tensor have in common are drawn once.
  line(line, drawn) {
    const isOptional = line.tail.optional || line.head.optional;
    const classes = ["edge", isOptional && "optional", line.mark].filter(Boolean).join(" ");
    const ways = this.shared.has(line.tail) ? this.pieces(line) : [this.pieces(line).join("")];
    const pieces = ways.map((d, i) => {
      const key = `${classes} ${d}`;
      if (!drawn.has(key)) drawn.set(key, svg("path", { class: classes, d }));
      if (i === ways.length - 1) drawn.get(key).setAttribute("marker-end", "url(#arrow)");
      return drawn.get(key);
    });
    if (!line.label) return pieces;
    const [x, y] = line.label.at;
    const place = this.isAcross
      ? { x, y: y - 4, "text-anchor": "middle" }
      : { x: x + 5, y: y + 3.5 };
    const label = svg("text", { class: "edge label", ...place }, [line.label.text]);
    drawn.set(label, label);
    return [...pieces, label];
  }

  pieces({ stretches }) {
    const made = [];
    const draw = (from, way, to) => from !== to && made.push(`M${from}${way}${to}`);
    stretches.forEach(({ x, top, bottom }, i) => {
      const [start, end] = [this.at(x, top), this.at(x, bottom)];
      if (i > 0) {
        const { x: u, bottom: low } = stretches[i - 1];
        const half = (low + top) / 2;
        const curve = `C${this.at(u, half)} ${this.at(x, half)} `;
        draw(this.at(u, low), u === x ? "L" : curve, start);
      }
      draw(start, "L", end);
    });
    return made;
  }

  at(u, v) {
    const [x, y] = this.isAcross ? [v, u] : [u, v];
    return `${round(x)} ${round(y)}`;
  }
}

const round = (value) => Math.round(value * 10) / 10;

// Returns what a screen reader says about an item.
function ariaLabel({ title, subtitle, shapes = [], kind, id, optional, mark }) {
  const name = title || id.replace(/^output /, "");
  const words = [name, subtitle, ...shapes, kind, optional && "optional", mark];
  return [...new Set(words.filter(Boolean))].join(", ");
}

// Returns the shapes of a box; kinds differ in shape, so that they need no colour.
export function outline(item, width, height) {
  const rect = (extra) => svg("rect", { class: "shape", width, height, ...extra });
  const isClosed = item.items !== undefined;
  if (isClosed) {
    const count = sheets(item);
    const behind = Array.from({ length: count }, (_, i) =>
      rect({ class: "shape sheet", x: STACK * (count - i), y: STACK * i, rx: 4 }),
    );
    const front = rect({ y: STACK * count, rx: 4 });
    if (item.kind !== "chain") return [...behind, front];
    const bars = `M${BAR} 0V${height}M${width - BAR} 0V${height}`;
    return [front, svg("path", { class: "shape lid", d: bars })];
  }
  switch (item.kind) {
    case "input":
      return [rect({ rx: 9 })];
    case "output": {
      const inner = { x: 3, y: 3, width: width - 6, height: height - 6, rx: 6 };
      return [rect({ rx: 9 }), svg("rect", { class: "shape", ...inner })];
    }
    case "merge": {
      const [side, half] = [Math.min(12, height / 3), height / 2];
      const right = width - side;
      const points = `${side},0 ${right},0 ${width},${half} ${right},${height} ${side},${height} 0,${half}`;
      return [svg("polygon", { class: "shape", points })];
    }
    case "tensor": {
      const [r, low] = [width / 2, height - 5];
      const body = `M0 5V${low}A${r} 5 0 0 0 ${width} ${low}V5A${r} 5 0 0 0 0 5Z`;
      const lid = `M0 5A${r} 5 0 0 0 ${width} 5`;
      return [
        svg("path", { class: "shape", d: body }),
        svg("path", { class: "shape lid", d: lid }),
      ];
    }
    default:
      return [rect({ rx: 2 })];
  }
}

function chevron(x, y, isOpen) {
  const d = isOpen ? "M-4-2L0 2L4-2" : "M-2-4L2 0L-2 4";
  return svg("path", { class: "chevron", d, transform: `translate(${x} ${y})` });
}

// Returns the strip of a closed block that opens it when it is clicked.
function handle(mark, width, y) {
  return svg("g", { class: "caption" }, [svg("rect", { width, y, height: 24, rx: 4 }), mark]);
}

// Returns the badge with the letter of a shared module.
function badge(letter, x, y) {
  const width = Math.max(14, 6 + 6 * letter.length);
  const number = (letter.charCodeAt(0) - "A".charCodeAt(0)) % TAGS;
  return svg("g", { class: `tag tag-${number}`, "aria-hidden": "true" }, [
    svg("rect", { x: x - width / 2, y: y - 7, width, height: 14, rx: 7 }),
    svg("text", { x, y: y + 3.2, "text-anchor": "middle" }, [letter]),
  ]);
}

// Splits a text so that each `× 3` can be bold.
function runs(text) {
  return text
    .split(/(× \d+)/)
    .map((part, i) => (i % 2 ? svg("tspan", { class: "times" }, [part]) : part));
}

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
