// Highlights the paths through an item: all items that it depends on, and all that depend on it.

export class Trace {
  constructor(drawing, picture) {
    Object.assign(this, { drawing, picture, lit: [] });
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

  highlight(items) {
    this.clear();
    const found = new Set(items);
    const lines = new Set();
    this.walk(items, this.ahead, "head", found, lines);
    this.walk(items, this.behind, "tail", found, lines);
    for (const item of [...found])
      for (let outer = item.parent; outer?.parent; outer = outer.parent) found.add(outer);
    const groups = [...found].map((item) => this.drawing.groupOf(item));
    this.lit = [...groups, ...[...lines].flatMap((line) => this.drawing.paths.get(line))];
    for (const element of this.lit) element.classList.add("on");
    this.picture.classList.add("tracing");
  }

  // Collects the items that are reached through the `end` of edges, and these edges.
  walk(items, lists, end, found, lines) {
    const stack = [...items];
    const seen = new Set(items);
    while (stack.length) {
      for (const line of lists.get(stack.pop()) ?? []) {
        lines.add(line);
        if (seen.has(line[end])) continue;
        seen.add(line[end]);
        found.add(line[end]);
        stack.push(line[end]);
      }
    }
  }

  clear() {
    for (const element of this.lit) element.classList.remove("on");
    this.lit = [];
    this.picture.classList.remove("tracing");
  }
}

function append(lists, key, value) {
  if (lists.has(key)) lists.get(key).push(value);
  else lists.set(key, [value]);
}
