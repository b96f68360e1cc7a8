// The page: its state, and what each event does to it.
import { Drawing } from "./draw.js";
import { neighbour } from "./keys.js";
import { Layout } from "./layout/layout.js";
import { legend } from "./legend.js";
import { live } from "./live.js";
import { Model } from "./model.js";
import { Panel } from "./panel.js";
import { Search } from "./search.js";
import { themeButton } from "./theme.js";
import { Trace } from "./trace.js";
import { View } from "./view.js";

const find = (id) => document.getElementById(id);
const read = (id) => JSON.parse(find(id).textContent);

class Page {
  constructor() {
    this.model = new Model(read("graph"));
    this.picture = find("picture");
    const drawing = this.picture.querySelector("svg");
    this.layout = new Layout(this.model);
    this.drawing = new Drawing(this.model, drawing);
    this.view = new View(this.picture, drawing);
    this.trace = new Trace(this.drawing, this.picture, this.model);
    let details;
    this.panel = new Panel(find("panel"), this.model, () => (details ??= read("details")), {
      go: (item) => this.select(item),
      toggle: (item) => this.toggle(item),
      neighbours: (item) => this.neighbours(item),
    });
    this.search = new Search(
      this.model,
      { field: find("search"), list: find("results"), status: (text) => this.announce(text) },
      (item) => this.select(item, { focus: true }),
    );
    this.listen();
    find("marks").open = !this.view.isSmall;
    if (this.view.isSmall) this.foldToRead();
    this.draw();
    this.view.open();
    this.setStop(this.model.root.items[0]);
    this.follow();
  }

  // Folds blocks until the picture can be read in a small window.
  foldToRead() {
    const { depth } = this.model;
    const canRead = () => this.view.canRead(this.layout.run(), this.layout.isAcross);
    let deepest = 0;
    for (let next = 1; next <= depth; next++) {
      this.model.start(next);
      if (!canRead()) break;
      deepest = next;
    }
    this.model.start(deepest);
  }

  // Lays out and draws all visible items; the item `held` stays where it is on the screen.
  draw(held) {
    const before = held && this.shown.places.get(held);
    const focused = document.activeElement?.dataset?.id;
    this.shown = this.layout.run();
    this.showLegend();
    this.view.setPicture(this.shown, this.first());
    this.drawing.show(this.shown);
    this.trace.index(this.shown.lines);
    if (before) this.view.hold(before, this.shown.places.get(held));
    if (focused !== undefined) this.focus(this.model.seen(this.model.items.get(focused)));
    if (this.stop) this.setStop(this.model.seen(this.stop));
    this.mark();
  }

  showLegend() {
    const rows = legend(this.model, this.shown.lines);
    find("marks").hidden = !rows.length;
    find("legend").replaceChildren(...rows);
  }

  // Returns the place of the first item; an empty picture has none.
  first() {
    const { places } = this.shown;
    return places.get(this.model.root.items[0]) ?? { x: 0, y: 0, width: 0, height: 0 };
  }

  fit() {
    if (this.view.fit()) return;
    this.announce("the picture is too long to fit: this is its beginning", { isSeen: true });
  }

  toggle(item) {
    this.model.toggle(item);
    this.draw(item);
    this.announce(`${item.id} ${this.model.isOpen(item) ? "unfolded" : "folded"}`);
    if (this.panel.isShown) this.panel.show(this.selected);
  }

  unfoldTo(change) {
    const depths = [...this.model.open].map((item) => item.depth);
    const depth = Math.max(0, ...depths) + change;
    this.model.unfoldTo(depth);
    this.draw();
    this.view.open();
    this.announce(`unfolded to depth ${Math.max(0, depth)}`);
  }

  // Selects an item by changing the address, so that back, forward and a copied link do the same.
  select(item, options = {}) {
    this.options = options;
    const address = item ? `#node=${encodeURIComponent(item.id)}` : "#";
    if (location.hash === address) this.follow();
    else location.hash = address;
  }

  // Shows the item that the address names. With `stay` the picture moves only if it must: an item
  // that was clicked should stay under the pointer.
  follow() {
    const { focus = false, stay = false } = this.options ?? {};
    this.options = null;
    const id = new URLSearchParams(location.hash.slice(1)).get("node");
    this.selected = this.model.items.get(id);
    if (this.selected) this.visit(this.selected, stay);
    else this.hidePanel();
    if (this.selected && focus) this.focus(this.selected);
    if (id !== null && !this.selected)
      this.announce(`there is no node ${id} in this graph`, { isSeen: true });
    this.mark();
  }

  visit(item, stay) {
    if (this.model.seen(item) !== item) {
      this.model.reveal(item);
      this.draw();
    }
    this.showPanel(item);
    const place = this.shown.places.get(item);
    if (stay) this.view.show(place);
    else this.view.center(place);
    this.setStop(item);
  }

  showPanel(item) {
    const { width, height } = this.view;
    const isNew = !this.panel.isShown;
    this.panel.show(item);
    if (isNew) this.view.makeRoom({ width, height });
  }

  hidePanel() {
    if (!this.panel.isShown) return;
    this.panel.hide();
    this.view.fillRoom();
  }

  // Keeps the selected item visible when the window changes.
  keepInSight() {
    if (!this.selected) return;
    this.view.show(this.shown.places.get(this.model.seen(this.selected)));
  }

  // Marks the selected item, and lights the paths through it.
  mark() {
    this.picture.querySelector(".selected")?.classList.remove("selected");
    const item = this.selected && this.model.seen(this.selected);
    if (item) this.drawing.groupOf(item).classList.add("selected");
    this.trace.keep(item ? this.through(item) : []);
  }

  // Returns the items before and after an item, as its block names them: an item inside another
  // block counts as that block. For an open block, these are the ends of edges through its walls.
  neighbours(item) {
    const within = new Set([item, ...(item.items ? this.model.shown(item) : [])]);
    const beside = (other) => this.model.beside(other, item);
    const outside = (items) => [
      ...new Set(items.filter((other) => !within.has(other)).map(beside)),
    ];
    const of = (list) => outside([...within].flatMap((each) => list(each)));
    return {
      before: of((each) => this.trace.before(each)),
      after: of((each) => this.trace.after(each)),
    };
  }

  // Sets the one item that the tab key reaches.
  setStop(item) {
    if (!item) return;
    if (this.stop) this.drawing.groupOf(this.stop)?.setAttribute("tabindex", -1);
    this.stop = item;
    this.drawing.groupOf(item)?.setAttribute("tabindex", 0);
  }

  focus(item) {
    this.setStop(item);
    this.view.show(this.shown.places.get(item));
    this.drawing.groupOf(item).focus({ preventScroll: true });
  }

  // Sets the description of an item for screen readers: what it reads and feeds.
  describe(item) {
    const { before, after } = this.neighbours(item);
    const names = (items) => items.map((other) => other.id.replace(/^output /, "")).join(", ");
    const parts = [before.length && `from ${names(before)}`, after.length && `to ${names(after)}`];
    this.drawing.groupOf(item).setAttribute("aria-description", parts.filter(Boolean).join("; "));
  }

  // Announces a text to screen readers; with `isSeen` it is also shown for four seconds.
  announce(text, { isSeen = false } = {}) {
    const status = find("status");
    status.textContent = text;
    status.classList.toggle("seen", isSeen);
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => status.classList.remove("seen"), 4000);
  }

  itemOf(target) {
    const group = target.closest?.("[data-id]");
    return group && this.model.items.get(group.dataset.id);
  }

  // Returns the items through which the paths of an item run: of an open block those inside.
  through(item) {
    const isOpen = item.items && this.model.isOpen(item);
    return isOpen ? [...this.model.shown(item)] : [item];
  }

  listen() {
    this.picture.addEventListener("click", (event) => this.click(event));
    this.picture.addEventListener("pointerover", (event) => {
      const item = this.itemOf(event.target);
      if (item && !(item.items && this.model.isOpen(item))) this.trace.light([item]);
      else this.trace.rest();
    });
    this.picture.addEventListener("pointerleave", () => this.trace.rest());
    // a focus listener on the picture itself would make it a stop of the tab key
    addEventListener("focusin", (event) => {
      const item = this.itemOf(event.target);
      if (!item) return;
      this.describe(item);
      if (event.target.matches(":focus-visible")) this.trace.light(this.through(item));
    });
    addEventListener("focusout", () => this.trace.rest());
    this.picture.addEventListener("keydown", (event) => this.pictureKey(event));
    addEventListener("keydown", (event) => this.pageKey(event));
    addEventListener("hashchange", () => this.follow());
    addEventListener("resize", () => this.keepInSight());
    const buttons = {
      closer: () => this.view.zoomIn(),
      farther: () => this.view.zoomOut(),
      fit: () => this.fit(),
      more: () => this.unfoldTo(1),
      less: () => this.unfoldTo(-1),
      close: () => this.closePanel(),
      link: () => this.copyLink(),
      keys: () => find("help").showModal(),
    };
    for (const [id, act] of Object.entries(buttons)) find(id).addEventListener("click", act);
    this.setTheme = themeButton(find("theme"), this.model.theme);
  }

  click(event) {
    if (this.view.dragged) return;
    // the second click of two may miss the item, as the first one can move the picture
    const isSecond = event.detail === 2;
    const item = isSecond ? this.clicked : this.itemOf(event.target);
    this.clicked = item;
    if (item?.items && (isSecond || event.target.closest(".handle"))) {
      this.toggle(item);
      this.setStop(item);
    } else this.select(item, { focus: Boolean(item), stay: true });
  }

  pictureKey(event) {
    const item = this.itemOf(document.activeElement);
    if (!item || event.altKey || event.ctrlKey || event.metaKey) return;
    const { items } = this.model.root;
    const block = item.items ? item : item.parent;
    const ends = { Home: items[0], End: items.at(-1) };
    const to = event.key.startsWith("Arrow") ? this.beside(item, event.key) : ends[event.key];
    if (to) this.focus(to);
    else if (event.key === "Enter") this.enter(item);
    else if (event.key === " " || event.key === "f") block.parent && this.toggle(block);
    else if (event.key === "Backspace") item.parent.parent && this.focus(item.parent);
    else if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
  }

  // Shows the details of an item; of a block whose details are shown already, opens or folds it.
  enter(item) {
    if (item.items && item === this.selected && this.panel.isShown) this.toggle(item);
    else this.select(item, { focus: true });
  }

  beside(item, arrow) {
    return neighbour(item, arrow, {
      trace: this.trace,
      places: this.shown.places,
      isOpen: (other) => this.model.isOpen(other),
      isAcross: this.layout.isAcross,
    });
  }

  pageKey(event) {
    const isTyping = event.target.matches?.("input");
    if (isTyping || event.altKey || event.ctrlKey || event.metaKey || find("help").open) return;
    const acts = {
      "/": () => find("search").select(),
      "+": () => this.view.zoomIn(),
      "=": () => this.view.zoomIn(),
      "-": () => this.view.zoomOut(),
      0: () => this.fit(),
      "?": () => find("help").showModal(),
      Escape: () => this.deselect(),
    };
    if (!Object.hasOwn(acts, event.key)) return;
    acts[event.key]();
    event.preventDefault();
  }

  // Closes the panel; the paths stay lit, now with more room.
  closePanel() {
    this.hidePanel();
    this.focus(this.model.seen(this.selected));
  }

  deselect() {
    this.search.clear();
    if (!this.selected) return;
    const item = this.model.seen(this.selected);
    this.select(null);
    this.focus(item);
    this.trace.keep([]);
  }

  async copyLink() {
    try {
      await navigator.clipboard.writeText(location.href);
      this.announce("link copied", { isSeen: true });
    } catch {
      // some browsers let no local page write to the clipboard
      this.announce(`copy this link: ${location.href}`, { isSeen: true });
    }
  }
}

globalThis.mimgraph = live(new Page());
