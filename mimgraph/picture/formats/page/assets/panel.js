// The panel with the details of one item; in a comparison with those of both sides.
import { about, costs, heading, html, listings, options, results, table } from "./details.js";

export class Panel {
  constructor(element, model, details, { go, toggle, neighbours }) {
    Object.assign(this, { element, model, details, go, toggle, neighbours });
    this.body = element.querySelector(".body");
  }

  show(item) {
    const { before, after } = this.neighbours(item);
    const found = this.details()[item.id] ?? {};
    const { old, new: now = old } = found.old || found.new ? found : { new: found };
    const name = item.id.replace(/^output /, "");
    this.element.querySelector("h2").textContent = name;
    this.element.dataset.kind = item.kind;
    this.body.replaceChildren(
      ...about(item, now),
      ...(item.items ? [this.fold(item)] : []),
      ...table("Options", options(now), old && options(old)),
      ...table("Results", results(now, item), old && results(old)),
      ...table(costTitle(now), costs(now), old && costs(old)),
      ...this.links("From", before),
      ...this.links("To", after),
      ...listings("Spec", now.spec, old?.spec),
      ...listings("Code", now.code, old?.code),
    );
    this.element.hidden = false;
    this.body.scrollTop = 0;
  }

  get isShown() {
    return !this.element.hidden;
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

const button = (text, act) => html("button", { type: "button", textContent: text, onclick: act });

const costTitle = ({ copies = 1 }) =>
  copies > 1 ? `Weights and compute of all ${copies} repeats` : "Weights and compute";
