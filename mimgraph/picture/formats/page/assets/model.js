// The state of the page: the items, and which of them are open.

export class Model {
  constructor({ items, ...rest }) {
    Object.assign(this, rest);
    this.items = new Map();
    this.root = { id: "", kind: "root", items, depth: 0, parent: null };
    this.adopt(this.root);
    this.open = new Set([this.root]);
    this.start(this.depth);
  }

  // Opens all blocks down to a depth, but for those that are closed at first.
  start(depth) {
    this.unfoldTo(depth);
    for (const id of this.closed) this.open.delete(this.items.get(id));
  }

  adopt(parent) {
    for (const item of parent.items) {
      item.parent = parent;
      item.depth = parent.depth + 1;
      this.items.set(item.id, item);
      if (item.items) this.adopt(item);
    }
  }

  // The edges and plans of the picture, which Python has made for each depth.
  get scheme() {
    const depth = Math.max(0, ...[...this.open].map((item) => item.depth));
    return this.schemes[Math.min(depth, this.schemes.length - 1)];
  }

  get clusters() {
    return [...this.items.values()].filter((item) => item.items);
  }

  unfoldTo(depth) {
    this.open = new Set([this.root, ...this.clusters.filter((item) => item.depth <= depth)]);
  }

  isOpen(item) {
    return this.open.has(item);
  }

  toggle(item) {
    if (!this.open.delete(item)) this.open.add(item);
  }

  // Opens all blocks around an item.
  reveal(item) {
    for (let outer = item.parent; outer; outer = outer.parent) this.open.add(outer);
  }

  // Returns the item itself, or the outermost closed block that hides it.
  seen(item) {
    let shown = item;
    for (let outer = item.parent; outer; outer = outer.parent)
      if (!this.open.has(outer)) shown = outer;
    return shown;
  }

  // Returns the outermost block around an item that is not also around another item, or the item
  // itself if there is none. A chain does not count, as it is not a module.
  beside(item, other) {
    const around = new Set();
    for (let outer = other; outer; outer = outer.parent) around.add(outer);
    let found = item;
    for (let outer = item; !around.has(outer); outer = outer.parent)
      if (outer.kind !== "chain") found = outer;
    return found;
  }

  *shown(of = this.root) {
    for (const item of of.items) {
      yield item;
      if (item.items && this.open.has(item)) yield* this.shown(item);
    }
  }
}
