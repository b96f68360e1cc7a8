// The search field, with a list of the items that match by name, op or shape.

const MOST = 60; // results in the list

export class Search {
  constructor(model, { field, list, status }, go) {
    Object.assign(this, { model, field, list, status, go, found: [], at: 0 });
    this.texts = Array.from(model.items.values(), (item) => [item, textsOf(item)]);
    field.addEventListener("input", () => this.look());
    field.addEventListener("focus", () => this.look());
    field.addEventListener("blur", () => this.close());
    field.addEventListener("keydown", (event) => this.key(event));
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const row = event.target.closest("[role=option]");
      if (row) this.choose(this.found[Number(row.dataset.at)]);
    });
  }

  look() {
    const words = this.field.value.toLowerCase().match(/\([^)]*\)?|\S+/g); // a shape is one word
    if (!words) return this.close();
    const scored = this.texts.flatMap(([item, texts]) => {
      const score = words.reduce((sum, word) => sum + scoreOf(word, texts), 0);
      return Number.isFinite(score) ? [{ item, score }] : [];
    });
    this.found = scored.sort((a, b) => a.score - b.score).map(({ item }) => item);
    this.at = 0;
    this.list.replaceChildren(...this.found.slice(0, MOST).map((item, at) => this.row(item, at)));
    const more = this.found.length - MOST;
    this.list.dataset.note = !this.found.length
      ? "no results"
      : more > 0
        ? `and ${more} more`
        : "";
    this.list.hidden = false;
    this.field.setAttribute("aria-expanded", "true");
    this.status(this.found.length === 1 ? "1 result" : `${this.found.length} results`);
    this.mark();
  }

  row(item, at) {
    const row = document.createElement("li");
    Object.assign(row, { role: "option", id: `result-${at}` });
    row.dataset.at = at;
    row.className = item.kind;
    const [name, rest] = [document.createElement("b"), document.createElement("span")];
    name.textContent = item.id.replace(/^output /, "");
    rest.textContent = [item.subtitle, ...(item.shapes ?? [])].filter(Boolean).join("  ");
    row.append(name, rest);
    return row;
  }

  mark() {
    for (const row of this.list.children)
      row.setAttribute("aria-selected", Number(row.dataset.at) === this.at);
    const row = this.list.children[this.at];
    row?.scrollIntoView({ block: "nearest" });
    if (row) this.field.setAttribute("aria-activedescendant", row.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const last = Math.min(this.found.length, MOST) - 1;
    if (event.key === "ArrowDown") this.at = Math.min(this.at + 1, last);
    else if (event.key === "ArrowUp") this.at = Math.max(this.at - 1, 0);
    else if (event.key === "Enter") return this.choose(this.found[this.at]);
    else if (event.key === "Escape") {
      this.clear();
      return this.field.blur();
    } else return;
    event.preventDefault();
    this.mark();
  }

  clear() {
    this.field.value = "";
    this.close();
  }

  choose(item) {
    if (!item) return;
    this.close();
    this.go(item);
  }

  close() {
    this.list.hidden = true;
    this.found = [];
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }
}

function textsOf({ id, title, subtitle, shapes = [], kind }) {
  return [title ?? "", id, subtitle ?? "", shapes.join(" "), kind].map((text) =>
    text.toLowerCase(),
  );
}

// Returns the rank of an item for a word, best first: its name, the start of its name, the start of
// its op; then the first text that contains the word.
function scoreOf(word, texts) {
  const [title, id, subtitle] = texts;
  if (title === word || id === word) return 0;
  if (title.startsWith(word) || id.startsWith(word)) return 1;
  if (subtitle.startsWith(word)) return 2;
  const place = texts.findIndex((text) => text.includes(word));
  return place < 0 ? Infinity : 3 + place;
}
