// Measures the text of an item, and so its box.

export const FONTS = {
  title: '600 12px Helvetica, Arial, "Liberation Sans", sans-serif',
  text: '12px Helvetica, Arial, "Liberation Sans", sans-serif',
  shape: '10.5px ui-monospace, Menlo, Consolas, "Liberation Mono", monospace',
  label: '10px Helvetica, Arial, "Liberation Sans", sans-serif',
};
export const LINES = { title: 16, text: 15, shape: 14 };
export const CHEVRON = 16; // width before the title of a block that can be folded
export const STACK = 4; // offset of a sheet behind a closed block
// extra width and height for the shape of a kind
const SLACK = { merge: [16, 0], tensor: [0, 8], output: [4, 4], chain: [8, 0] };
const [ACROSS, DOWN] = [24, 14];
const MARKS = { added: "+ ", removed: "− ", changed: "~ " };
const WIDEST = 34; // characters in a line of a subtitle

export class Measure {
  constructor() {
    this.context = document.createElement("canvas").getContext("2d");
    this.widths = new Map();
    this.boxes = new Map();
  }

  width(text, font) {
    const key = `${font} ${text}`;
    if (!this.widths.has(key)) {
      this.context.font = FONTS[font];
      this.widths.set(key, this.context.measureText(text).width);
    }
    return this.widths.get(key);
  }

  // Returns the lines of a box and its size.
  box(item) {
    if (!this.boxes.has(item)) {
      const lines = linesOf(item);
      const widths = lines.map(({ text, font }, i) => {
        return this.width(text, font) + (i === 0 && item.items ? CHEVRON : 0);
      });
      const [across, down] = SLACK[item.kind] ?? [0, 0];
      const behind = STACK * sheets(item);
      const height = lines.reduce((sum, { font }) => sum + LINES[font], 0);
      this.boxes.set(item, {
        lines,
        width: Math.ceil(Math.max(40, ...widths) + ACROSS + across + behind),
        height: height + DOWN + down + behind,
      });
    }
    return this.boxes.get(item);
  }

  caption(item) {
    const name = this.width(marked(item, item.title ?? ""), "title");
    return CHEVRON + 14 + name + 7 + this.width(captionOf(item), "label");
  }

  label(text) {
    return { width: Math.ceil(this.width(text, "label")) + 4, height: 12 };
  }
}

// Returns the text beside the name of an open block; a bare `seq` needs none.
export function captionOf({ kind, subtitle = "" }) {
  return kind === "seq" && subtitle === "seq" ? "" : subtitle;
}

// Returns the number of sheets drawn behind a closed block: two if it is repeated, else one.
export function sheets({ items, kind, subtitle = "" }) {
  if (!items || kind === "chain") return 0;
  return kind === "repeat" || /× \d/.test(subtitle) ? 2 : 1;
}

// Returns a text with the sign of the item's mark, in the picture of a comparison.
export function marked({ mark }, text) {
  return (MARKS[mark] ?? "") + text;
}

function linesOf(item) {
  const { title, subtitle, shapes = [] } = item;
  const lines = title ? [{ text: title, font: "title" }] : [];
  for (const text of wrapped(subtitle ?? "")) lines.push({ text, font: "text" });
  for (const text of shapes) lines.push({ text, font: "shape" });
  if (!lines.length) lines.push({ text: " ", font: "text" });
  lines[0].text = marked(item, lines[0].text);
  return lines;
}

function wrapped(text) {
  const lines = [];
  for (const word of text.split(" ").filter(Boolean)) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length && longer.length <= WIDEST) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
