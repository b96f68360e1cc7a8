// Makes the headings, tables and listings of one item's details. Where a function takes an old side
// too, the item is in both graphs of a comparison, and what differs is shown as old and new.

export function html(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export const heading = (text) => html("h3", { textContent: text });

export function about({ kind, subtitle, tooltip, optional, mark }, { op, notes = [], doc }) {
  const remarks = notes.length ? notes : [optional && "optional"];
  const more =
    mark === "faulty" ? html("pre", { className: "fault", textContent: tooltip }) : doc || tooltip;
  return [
    html("p", {
      className: "kind",
      textContent: [kind, ...remarks, mark].filter(Boolean).join(" · "),
    }),
    ...new Set([op === kind ? "" : subtitle || op, more].filter(Boolean)),
  ].map((part) => (typeof part === "string" ? html("p", {}, ...prose(part)) : part));
}

// Splits a text; parts between backticks become code.
function prose(text) {
  return text.split(/(`+)(\S|\S.*?\S)\1/).flatMap((part, i) => {
    const [isText, isTicks] = [i % 3 === 0, i % 3 === 1];
    return isTicks ? [] : isText ? part : html("code", { textContent: part });
  });
}

// Returns a table of rows, each a name, a value and perhaps a remark.
export function table(title, rows, old = rows) {
  const before = new Map(old.map(([name, value]) => [name, value]));
  const now = new Set(rows.map(([name]) => name));
  const made = rows.map(([name, value, remark]) => row(name, value, before.get(name), remark));
  for (const [name, value] of old) if (!now.has(name)) made.push(row(name, undefined, value));
  if (!made.length) return [];
  return [heading(title), html("table", {}, html("tbody", {}, ...made))];
}

function row(name, value, before, remark) {
  const cell = html("td", {}, ...(value === before ? [value] : change(before, value)));
  if (remark) cell.append(" ", html("small", { textContent: remark }));
  const head = html("th", { scope: "row", textContent: name });
  return html("tr", { className: remark ? "quiet" : "" }, head, cell);
}

function change(before, value) {
  const parts = [];
  if (before !== undefined) parts.push(html("del", { textContent: before }), " ");
  if (value !== undefined) parts.push(html("ins", { textContent: value }));
  return parts;
}

export function options({ options: found = [] }) {
  return found.map(({ name, value, origin }) => [name, value, origin !== "given" && origin]);
}

// Returns the results; a part of the picture without details still has its `shapes`.
export function results({ results: found }, { shapes = [] } = {}) {
  if (!found) return shapes.map((shape) => ["result", shape]);
  return found.map(({ port, shape, dtype }) => [port || "result", `${shape} ${dtype}`.trim()]);
}

export const costs = ({ cost = {} }) => Object.entries(cost);

// Lists excerpts; of a comparison the old and the new ones, if they differ.
export function listings(title, excerpts = [], old = excerpts) {
  const text = (all) => all.map((one) => one.text).join("\n");
  if (text(excerpts) === text(old)) return listing(title, excerpts);
  return [...listing(`${title} before`, old), ...listing(`${title} now`, excerpts)];
}

// Lists excerpts with line numbers, each under the name of its file or method.
function listing(title, excerpts) {
  const blocks = excerpts.flatMap(({ place, first_line: first, text }) => {
    const lines = text.split("\n").map((line, i) => numbered(line, first + i));
    const label = `${title}: ${place} from line ${first}`;
    const code = html("pre", { role: "region", ariaLabel: label }, html("code", {}, ...lines));
    return [html("p", { className: "kind", textContent: place }), code];
  });
  return blocks.length ? [heading(title), ...blocks] : [];
}

// Returns a line of code; where it wraps, it goes on two letters right of its first one.
function numbered(line, number) {
  const found = html("span", { className: "line", textContent: `${line}\n` });
  found.dataset.number = number;
  found.style.setProperty("--hang", `${line.search(/\S|$/) + 2}ch`);
  return found;
}
