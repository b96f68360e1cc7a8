// Lights the paths through items: all that they depend on, and all that depend on them.

export class Trace {
  constructor(drawing, picture, model) {
    Object.assign(this, { drawing, picture, model, kept: [], lit: [] });
  }

  // Indexes the edges of a layout by both ends; they end at boxes, never at open blocks.
  index(lines) {
    this.ahead = new Map();
    this.behind = new Map();
    for (const line of lines) {
      append(this.ahead, line.tail, line);
      append(this.behind, line.head, line);
    }
  }

  after(item) {
    return (this.ahead.get(item) ?? []).map((line) => line.head);
  }

  before(item) {
    return (this.behind.get(item) ?? []).map((line) => line.tail);
  }

  // Lights the paths through items, or through none, until the next call.
  light(items) {
    for (const element of this.lit) element.classList.remove("on");
    this.lit = items.length ? this.elements(items) : [];
    for (const element of this.lit) element.classList.add("on");
    this.picture.classList.toggle("tracing", items.length > 0);
  }

  // Sets the items whose paths stay lit whenever no others are.
  keep(items) {
    this.kept = items;
    this.rest();
  }

  rest() {
    this.light(this.kept);
  }

  // Returns the elements of the paths through items, and of the blocks around them.
  elements(items) {
    const found = new Set(items);
    const lines = new Set();
    this.walk(items, this.ahead, "head", found, lines);
    this.walk(items, this.behind, "tail", found, lines);
    for (const item of [...found])
      for (let outer = item.parent; outer?.parent; outer = outer.parent) found.add(outer);
    const groups = [...found].map((item) => this.drawing.groupOf(item));
    return [...groups, ...[...lines].flatMap((line) => this.drawing.paths.get(line))];
  }

  // Returns whether one item depends on another, as far as the graph says; edges may lead from one to
  // the other past different branches of an `each`.
  depends(item, other) {
    return !this.model.independent[outermost(item).id]?.includes(outermost(other).id);
  }

  // Collects the items that are reached through the `end` of edges, and these edges.
  walk(items, lists, end, found, lines) {
    const stack = [...items];
    const seen = new Set(items);
    const isReached = (item) =>
      end === "head" ? this.depends(item, items[0]) : this.depends(items[0], item);
    while (stack.length) {
      for (const line of lists.get(stack.pop()) ?? []) {
        if (!isReached(line[end])) continue;
        lines.add(line);
        if (seen.has(line[end])) continue;
        seen.add(line[end]);
        found.add(line[end]);
        stack.push(line[end]);
      }
    }
  }
}

// Returns the block around an item that no other block is around, or the item itself.
function outermost(item) {
  return item.depth > 1 ? outermost(item.parent) : item;
}

function append(lists, key, value) {
  if (lists.has(key)) lists.get(key).push(value);
  else lists.set(key, [value]);
}
