// Lists what shapes and colours mean, for the kinds and marks of items that are shown.
import { SIGNS, badge } from "./draw.js";
import { CARD, outline } from "./outline.js";
import { svg } from "./svg.js";

export function legend(model, lines) {
  const items = [...model.shown()].map((item) => [item, model.isOpen(item)]);
  const occurs = (entry) =>
    items.some(([item, isOpen]) => isFor(entry, item, isOpen)) ||
    (entry.mark && lines.some(({ mark }) => mark === entry.mark));
  return model.legend.filter(occurs).map(row);
}

// Returns whether an entry is for an item: for its mark, its letter, its cards, its dashes or its kind.
function isFor(entry, item, isOpen) {
  const { box } = item;
  if (entry.mark) return (isOpen ? item.mark : box.mark) === entry.mark;
  if (entry.letter) return Boolean(item.tag);
  if (entry.cards) return !isOpen && box.cards === entry.cards;
  if (entry.kind === "repeat") return isOpen && item.kind === "repeat";
  return !isOpen && item.kind === entry.kind && (!entry.is_dashed || item.optional);
}

function row({ text, kind, mark, letter, cards = 0, is_dashed: isDashed }) {
  const classes = [kind, mark, isDashed && "optional"].filter(Boolean).join(" ");
  const [width, height] = [22 - CARD * cards, 14 - CARD * cards];
  const parts = outline(kind, width, height, cards);
  const shape = svg("g", { class: classes, transform: "translate(1 1)" }, parts);
  const sampled = [shape];
  if (letter) sampled.push(badge({ size: 8, width: 0, runs: [[letter, "bold"]] }, 23, 8, "tag-0"));
  const sample = svg(
    "svg",
    { width: letter ? 30 : 24, height: 16, class: "box", "aria-hidden": "true" },
    sampled,
  );
  const item = document.createElement("li");
  item.append(sample, `${SIGNS[mark] ?? ""} ${text}`.trim());
  return item;
}
