// Lists what shapes and colours mean, for the kinds and marks of items in this graph.
import { SIGNS, badge } from "./draw.js";
import { outline } from "./outline.js";
import { svg } from "./svg.js";

export function legend(model) {
  return model.legend.map(entry);
}

function entry({ text, kind, mark, letter, is_dashed: isDashed }) {
  const classes = [kind, mark, isDashed && "optional"].filter(Boolean).join(" ");
  const shape = svg("g", { class: classes, transform: "translate(1 1)" }, outline(kind, 22, 14));
  const parts = [shape];
  if (letter) parts.push(badge({ size: 8, width: 0, runs: [[letter, "bold"]] }, 23, 8, "tag-0"));
  const sample = svg(
    "svg",
    { width: letter ? 30 : 24, height: 16, class: "box", "aria-hidden": "true" },
    parts,
  );
  const row = document.createElement("li");
  row.append(sample, `${SIGNS[mark] ?? ""} ${text}`.trim());
  return row;
}
