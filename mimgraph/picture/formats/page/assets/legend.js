// Lists what shapes and colours mean, for the kinds of items in this graph.
import { SIGNS } from "./draw.js";
import { outline } from "./outline.js";
import { svg } from "./svg.js";

const NAMES = {
  input: "input",
  layer: "layer",
  merge: "merge",
  tensor: "tensor of the model",
  output: "output",
};

export function legend(model) {
  const items = [...model.items.values()];
  const kinds = new Set(items.map((item) => item.kind));
  const marks = new Set(items.map((item) => item.mark));
  return [
    ...Object.entries(NAMES).filter(([kind]) => kinds.has(kind)),
    ...[...Object.entries(SIGNS), ["follows", ""], ["unknown", ""]]
      .filter(([mark]) => marks.has(mark))
      .map(([mark, sign]) => [mark, `${sign} ${mark}`.trim()]),
  ].map(([kind, text]) => entry(kind, text));
}

function entry(kind, text) {
  const shape = svg("g", { transform: "translate(1 1)" }, outline(kind, 22, 14));
  const sample = svg(
    "svg",
    { width: 24, height: 16, class: `box ${kind}`, "aria-hidden": "true" },
    [shape],
  );
  const row = document.createElement("li");
  row.append(sample, text);
  return row;
}
