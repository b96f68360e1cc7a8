// Pans and zooms the picture: by wheel, drag, pinch and buttons. The drawing is moved as a whole by
// the style's transform; a transform inside the SVG would lay out all its text for each frame.

const [LEAST, MOST, STEP] = [0.02, 4, 1.25];
const MARGIN = 24;
const SLIVER = 40; // pixels; a whole picture that is narrower shows nothing
const FAR = 0.32; // scale below which no text can be read
const FULL = 4 / 3; // pixels in a point, in which all is measured
const [READABLE, EASY] = [0.62, 1]; // least and greatest scale at which a part of a picture is opened
const WHOLE = 0.9; // least scale at which a large window is opened with the whole picture
const SMALL = { width: 700, height: 600 }; // less is the window of a phone or a notebook
const SCREENS = 2; // length of a picture that is opened in a small window
const DRAG = 4; // pixels that the pointer may move in a click

export class View {
  constructor(picture, drawing) {
    Object.assign(this, { picture, drawing, x: 0, y: 0, scale: 1, size: { width: 1, height: 1 } });
    this.pointers = new Map();
    this.aside = { x: 0, y: 0 }; // how far the picture has been moved for the panel
    picture.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    picture.addEventListener("pointerdown", (event) => this.down(event));
    picture.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel", "pointerleave"])
      picture.addEventListener(end, (event) => this.up(event));
  }

  get width() {
    return this.picture.clientWidth;
  }

  get height() {
    return this.picture.clientHeight;
  }

  apply() {
    this.drawing.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
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

  zoomIn() {
    this.zoom(STEP);
  }

  zoomOut() {
    this.zoom(1 / STEP);
  }

  get fits() {
    const { width, height } = this.size;
    return [(this.width - 2 * MARGIN) / width, (this.height - 2 * MARGIN) / height];
  }

  get isSmall() {
    return this.width < SMALL.width || this.height < SMALL.height;
  }

  // Returns whether a picture can be read in a small window, from side to side and a little
  // scrolled.
  canRead({ width, height }, isAcross) {
    const [across, along] = [this.width / width, this.height / height];
    const [whole, rest] = isAcross ? [along, across] : [across, along];
    return whole >= READABLE && rest * SCREENS >= READABLE;
  }

  // Sets the size of the picture, and the place of its first item.
  setPicture(size, first) {
    Object.assign(this, { size, first });
    this.drawing.setAttribute("width", size.width);
    this.drawing.setAttribute("height", size.height);
    this.drawing.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  }

  // Fits the whole picture into the window and returns true; instead of a thin sliver it shows the
  // beginning.
  fit() {
    const { width, height } = this.size;
    const scale = Math.min(...this.fits, FULL);
    const isSliver = scale < READABLE && Math.min(width, height) * scale < SLIVER;
    if (isSliver) this.showBeginning();
    else {
      this.scale = scale;
      this.x = (this.width - width * scale) / 2;
      this.y = (this.height - height * scale) / 2;
      this.apply();
    }
    return !isSliver;
  }

  // Shows the whole picture if it can be read, else its beginning.
  open() {
    if (Math.min(...this.fits) >= (this.isSmall ? READABLE : WHOLE)) this.fit();
    else this.showBeginning();
  }

  showBeginning() {
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

  // Moves a place to the middle, at a readable scale.
  center({ x, y, width, height }) {
    this.scale = Math.max(this.scale, 0.9);
    this.x = this.width / 2 - (x + width / 2) * this.scale;
    const tall = height * this.scale > this.height;
    this.y = tall ? MARGIN * 3 - y * this.scale : this.height / 2 - (y + height / 2) * this.scale;
    this.apply();
  }

  // Moves a place to the middle only if part of it is outside the window.
  show({ x, y, width, height }) {
    const [left, top] = [this.x + x * this.scale, this.y + y * this.scale];
    const [right, bottom] = [left + width * this.scale, top + height * this.scale];
    const outside =
      left < MARGIN || top < MARGIN || right > this.width - MARGIN || bottom > this.height - MARGIN;
    if (outside) this.center({ x, y, width, height });
  }

  // Moves the picture out of the way of a panel, as far as there is room at its other side; `before` is
  // the size of the window without the panel.
  makeRoom(before) {
    const shift = (start, length, room, old) =>
      room < old ? Math.max(0, Math.min(start + length + MARGIN - room, start - MARGIN)) : 0;
    const { width, height } = this.size;
    this.aside = {
      x: shift(this.x, width * this.scale, this.width, before.width),
      y: shift(this.y, height * this.scale, this.height, before.height),
    };
    this.x -= this.aside.x;
    this.y -= this.aside.y;
    this.apply();
  }

  // Moves the picture back when the panel is closed.
  fillRoom() {
    this.x += this.aside.x;
    this.y += this.aside.y;
    this.aside = { x: 0, y: 0 };
    this.apply();
  }

  // Keeps a place where it was on the screen after the layout has moved it.
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
    this.pressed = this.within(event);
    if (this.pointers.size === 1) this.dragged = false;
  }

  move(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const before = spread([...this.pointers.values()]);
    const [x, y] = this.within(event);
    if (!this.dragged && Math.hypot(x - this.pressed[0], y - this.pressed[1]) < DRAG) return;
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
}

// Returns the middle of one or two pointers, and their distance.
function spread(points) {
  const [[x0, y0], [x1, y1]] = [points[0], points[1] ?? points[0]];
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, size: Math.hypot(x0 - x1, y0 - y1) };
}
