// What a page around this one can do, such as a preview: put a newer picture in place of this one.

const find = (id) => document.getElementById(id);

export function live(page) {
  const { model, view } = page;
  return {
    // Returns which blocks are open, where the picture is, and which item is selected.
    state() {
      const ids = (items) => items.map((item) => item.id);
      const { x, y, scale } = view;
      return {
        open: ids(model.clusters.filter((item) => model.isOpen(item))),
        closed: ids(model.clusters.filter((item) => !model.isOpen(item))),
        view: { x, y, scale },
        middle: middle(page),
        selected: page.selected?.id,
        theme: find("theme").dataset.theme,
        search: find("search").value,
        focused: document.activeElement.dataset.id,
        control: document.activeElement.id,
      };
    },

    // Takes the state of an older picture: blocks that are new stay as they are, and the item that was in
    // the middle stays where it was.
    restore({ open, closed, view: place, middle: before, selected, theme, search }) {
      page.setTheme(theme);
      find("search").value = search;
      for (const id of open) if (model.items.get(id)?.items) model.open.add(model.items.get(id));
      for (const id of closed) model.open.delete(model.items.get(id));
      const chosen = model.items.get(selected);
      if (chosen) history.replaceState(null, "", `#node=${encodeURIComponent(selected)}`);
      page.draw();
      if (chosen) page.follow();
      Object.assign(view, place);
      const item = model.items.get(before?.id);
      const now = item && page.shown.places.get(model.seen(item));
      if (now) view.hold(before.place, now);
      else view.apply();
      if (!isInSight(view)) view.open(); // another model, perhaps
    },

    // Puts the focus where it was in an older picture.
    focus({ focused, control }) {
      const item = model.items.get(focused);
      if (!item) return find(control)?.focus({ preventScroll: true });
      page.setStop(model.seen(item));
      page.drawing.groupOf(model.seen(item)).focus({ preventScroll: true });
    },

    // Selects an item; it is moved into sight.
    choose(id) {
      const item = model.items.get(id);
      if (item) page.select(item, { stay: true });
    },

    // Calls `act` with the id of each item that the reader clicks or enters.
    onChoose(act) {
      const chosen = (event) => page.itemOf(event.target);
      page.picture.addEventListener("click", (event) => {
        const item = chosen(event);
        if (item && !view.dragged && !event.target.closest(".handle")) act(item.id);
      });
      page.picture.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && chosen(event)) act(chosen(event).id);
      });
    },
  };
}

// Returns whether a part of the picture is inside the window.
function isInSight({ x, y, scale, size, width, height }) {
  const [right, bottom] = [x + size.width * scale, y + size.height * scale];
  return right > 0 && bottom > 0 && x < width && y < height;
}

// Returns the item nearest to the middle of the window, and its place.
function middle({ shown, model, view }) {
  const [x, y] = [view.width / 2, view.height / 2];
  let [found, least] = [null, Infinity];
  for (const item of model.shown()) {
    if (item.items && model.isOpen(item)) continue;
    const place = shown.places.get(item);
    const dx = view.x + (place.x + place.width / 2) * view.scale - x;
    const dy = view.y + (place.y + place.height / 2) * view.scale - y;
    const distance = Math.hypot(dx, dy);
    if (distance < least) [found, least] = [{ id: item.id, place }, distance];
  }
  return found;
}
