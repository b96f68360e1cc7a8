// Pan and zoom: by wheel, drag, pinch and buttons.

const [LEAST, MOST, STEP] = [0.02, 4, 1.25];
const MARGIN = 24;
const LEGEND = 20; // more at the foot
const SLIVER = 40; // pixels, narrower than which a whole picture shows nothing
const FAR = 0.28; // no text can be read below
const [READABLE, EASY] = [0.35, 0.8]; // between which a picture begins
const DRAG = 4; // pixels that a click may slip

export class View {
  constructor(picture, world) {
    Object.assign(this, { picture, world, x: 0, y: 0, scale: 1, size: { width: 1, height: 1 } });
    this.pointers = new Map();
    picture.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    picture.addEventListener("pointerdown", (event) => this.down(event));
    picture.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel", "pointerleave"])
      picture.addEventListener(end, (event) => this.up(event));
    addEventListener("beforeprint", () => this.whole());
    addEventListener("afterprint", () => this.picture.removeAttribute("viewBox"));
  }

  get width() {
    return this.picture.clientWidth;
  }

  get height() {
    return this.picture.clientHeight;
  }

  apply() {
    this.world.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`);
    this.picture.classList.toggle("far", this.scale < FAR);
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const least = Math.min(LEAST, ...this.fits);
    const scale = Math.min(MOST, Math.max(least, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.apply();
  }

  closer() {
    this.zoom(STEP);
  }

  farther() {
    this.zoom(1 / STEP);
  }

  get fits() {
    const { width, height } = this.size;
    return [(this.width - 2 * MARGIN) / width, (this.height - 2 * MARGIN - LEGEND) / height];
  }

  // What there is to see, and the place where it begins.
  see(size, first) {
    Object.assign(this, { size, first });
  }

  // All of it in the middle, if there is anything to see then; says whether there is.
  fit() {
    const { width, height } = this.size;
    const scale = Math.min(...this.fits, 1);
    const isSliver = scale < READABLE && Math.min(width, height) * scale < SLIVER;
    if (isSliver) this.start();
    else {
      this.scale = scale;
      this.x = (this.width - width * scale) / 2;
      this.y = (this.height - LEGEND - height * scale) / 2;
      this.apply();
    }
    return !isSliver;
  }

  // All of it where it can still be read, else its beginning.
  begin() {
    if (Math.min(...this.fits) > (READABLE + EASY) / 2) this.fit();
    else this.start();
  }

  start() {
    const { first } = this;
    this.scale = Math.max(READABLE, Math.min(EASY, Math.max(...this.fits)));
    const start = (room, size, at) => {
      const free = room - size * this.scale;
      if (free > 2 * MARGIN) return free / 2;
      return Math.min(MARGIN, Math.max(free - MARGIN, room / 2 - at * this.scale));
    };
    this.x = start(this.width, this.size.width, first.x + first.width / 2);
    this.y = start(this.height, this.size.height, first.y + first.height / 2);
    this.apply();
  }

  // Bring a place to the middle, readable; or only into sight.
  center({ x, y, width, height }) {
    this.scale = Math.max(this.scale, 0.7);
    this.x = this.width / 2 - (x + width / 2) * this.scale;
    const tall = height * this.scale > this.height;
    this.y = tall ? MARGIN * 3 - y * this.scale : this.height / 2 - (y + height / 2) * this.scale;
    this.apply();
  }

  show({ x, y, width, height }) {
    const [left, top] = [this.x + x * this.scale, this.y + y * this.scale];
    const [right, bottom] = [left + width * this.scale, top + height * this.scale];
    const outside =
      left < MARGIN || top < MARGIN || right > this.width - MARGIN || bottom > this.height - MARGIN;
    if (outside) this.center({ x, y, width, height });
  }

  // Keep a place where it was on the screen, though the layout has moved it.
  hold(before, after) {
    this.x += (before.x - after.x) * this.scale;
    this.y += (before.y - after.y) * this.scale;
    this.apply();
  }

  wheel(event) {
    event.preventDefault();
    const [x, y] = this.within(event);
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.x -= event.deltaX || event.deltaY;
      this.apply();
      return;
    }
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    this.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), x, y);
  }

  within({ clientX, clientY }) {
    const { left, top } = this.picture.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  down(event) {
    if (event.button !== 0) return;
    this.pointers.set(event.pointerId, this.within(event));
    this.start = this.within(event);
    if (this.pointers.size === 1) this.dragged = false;
  }

  move(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const before = spread([...this.pointers.values()]);
    const [x, y] = this.within(event);
    if (!this.dragged && Math.hypot(x - this.start[0], y - this.start[1]) < DRAG) return;
    if (!this.dragged) this.picture.setPointerCapture(event.pointerId);
    this.dragged = true;
    this.picture.classList.add("dragging");
    this.pointers.set(event.pointerId, [x, y]);
    const after = spread([...this.pointers.values()]);
    this.x += after.x - before.x;
    this.y += after.y - before.y;
    this.zoom(before.size ? after.size / before.size : 1, after.x, after.y);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.picture.classList.remove("dragging");
  }

  // On paper the whole picture fills the page.
  whole() {
    const { width, height } = this.size;
    this.picture.setAttribute(
      "viewBox",
      `${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`,
    );
  }
}

// The middle of one or two pointers, and how far apart they are.
function spread(points) {
  const [[x0, y0], [x1, y1]] = [points[0], points[1] ?? points[0]];
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, size: Math.hypot(x0 - x1, y0 - y1) };
}
