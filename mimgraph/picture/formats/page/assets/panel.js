// The panel with the details of one item.

export class Panel {
  constructor(element, model, details, { go, toggle, neighbours }) {
    Object.assign(this, { element, model, details, go, toggle, neighbours });
    this.body = element.querySelector(".body");
  }

  show(item) {
    const { before, after } = this.neighbours(item);
    const found = this.details()[item.id] ?? {};
    const detail = found.new ?? found.old ?? found; // a comparison has both sides
    const name = item.id.replace(/^output /, "");
    this.element.querySelector("h2").textContent = name;
    this.element.dataset.kind = item.kind;
    this.body.replaceChildren(
      ...about(item, detail),
      ...(item.items ? [this.fold(item)] : []),
      ...table("Options", options(detail)),
      ...table("Results", results(item, detail)),
      ...table(costTitle(detail), costs(detail)),
      ...this.links("From", before),
      ...this.links("To", after),
      ...listing("Spec", detail.spec),
      ...listing("Code", detail.code),
    );
    this.element.hidden = false;
    this.body.scrollTop = 0;
  }

  hide() {
    this.element.hidden = true;
  }

  fold(item) {
    const label = this.model.isOpen(item) ? "Fold" : "Unfold";
    return button(label, () => this.toggle(item));
  }

  links(title, items) {
    const rows = items.map((item) =>
      html(
        "li",
        {},
        button(item.id.replace(/^output /, ""), () => this.go(item)),
      ),
    );
    return rows.length ? [heading(title), html("ul", { className: "links" }, ...rows)] : [];
  }
}

function html(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const heading = (text) => html("h3", { textContent: text });
const button = (text, act) => html("button", { type: "button", textContent: text, onclick: act });

function about({ kind, subtitle, tooltip, optional, mark }, { op, notes = [], doc }) {
  const remarks = notes.length ? notes : [optional && "optional"];
  return [
    html("p", {
      className: "kind",
      textContent: [kind, ...remarks, mark].filter(Boolean).join(" · "),
    }),
    ...new Set([op === kind ? "" : subtitle || op, doc || tooltip].filter(Boolean)),
  ].map((part) => (typeof part === "string" ? html("p", {}, ...prose(part)) : part));
}

// Splits a text; parts between backticks become code.
function prose(text) {
  return text.split(/(`+)(\S|\S.*?\S)\1/).flatMap((part, i) => {
    const [isText, isTicks] = [i % 3 === 0, i % 3 === 1];
    return isTicks ? [] : isText ? part : html("code", { textContent: part });
  });
}

function table(title, rows) {
  if (!rows.length) return [];
  const body = rows.map(([name, value, remark]) => {
    const cell = html("td", { textContent: value });
    if (remark) cell.append(" ", html("small", { textContent: remark }));
    const head = html("th", { scope: "row", textContent: name });
    return html("tr", { className: remark ? "quiet" : "" }, head, cell);
  });
  return [heading(title), html("table", {}, html("tbody", {}, ...body))];
}

function options({ options: found = [] }) {
  return found.map(({ name, value, origin }) => [name, value, origin !== "given" && origin]);
}

function results({ shapes = [] }, { results: found }) {
  if (!found) return shapes.map((shape) => ["result", shape]);
  return found.map(({ port, shape, dtype }) => [port || "result", `${shape} ${dtype}`.trim()]);
}

const costTitle = ({ copies = 1 }) =>
  copies > 1 ? `Weights and compute of all ${copies} repeats` : "Weights and compute";

function costs({ params, frozen, buffers, macs, activations, uncounted = [] }) {
  const rows = [
    ["parameters", params],
    ["frozen parameters", frozen],
    ["buffers", buffers],
    ["MACs", macs],
    ["activations", activations && `${shown(activations)} bytes`],
    ["MACs not counted for", uncounted.join(", ")],
  ];
  return rows.filter(([, value]) => value).map(([name, value]) => [name, shown(value)]);
}

// Separates thousands by commas, in a formula too.
const shown = (value) => String(value).replace(/\d(?=(\d{3})+(?!\d))/g, "$&,");

// Lists excerpts with line numbers, each under the name of its file or method.
function listing(title, excerpts = []) {
  const blocks = excerpts.flatMap(({ place, first_line: first, text }) => {
    const lines = text.split("\n").map((line, i) => {
      const row = html("span", { className: "line", textContent: `${line}\n` });
      row.dataset.number = first + i;
      return row;
    });
    const label = `${title}: ${place} from line ${first}`;
    const code = html(
      "pre",
      { tabIndex: 0, role: "region", ariaLabel: label },
      html("code", {}, ...lines),
    );
    return [html("p", { className: "kind", textContent: place }), code];
  });
  return blocks.length ? [heading(title), ...blocks] : [];
}
