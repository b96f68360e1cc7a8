// Finds the item that an arrow key leads to: along the edges, or across them to the item beside.

const NEAR = 40; // pixels that an item beside may be off the row, in addition to its distance

// `places` has every visible item; `isOpen` tells open blocks, which are only walls, from boxes.
export function neighbour(item, arrow, { trace, places, isOpen, isAcross }) {
  const [back, ahead, left] = isAcross
    ? ["ArrowLeft", "ArrowRight", "ArrowUp"]
    : ["ArrowUp", "ArrowDown", "ArrowLeft"];
  const at = middle(places.get(item), isAcross);
  const nearest = (items) => {
    const far = (other) => {
      const { u, v } = middle(places.get(other), isAcross);
      return Math.hypot(u - at.u, v - at.v);
    };
    return items.reduce((best, other) => (best && far(best) <= far(other) ? best : other), null);
  };
  if (isOpen(item))
    return arrow === ahead || arrow === back ? item.items.at(arrow === ahead ? 0 : -1) : null;
  if (arrow === ahead) return nearest(trace.after(item));
  if (arrow === back) return nearest(trace.before(item));
  const sign = arrow === left ? -1 : 1;
  return nearest(
    [...places.keys()].filter((other) => {
      const { u, v } = middle(places.get(other), isAcross);
      const across = sign * (u - at.u);
      return across > 1 && Math.abs(v - at.v) <= NEAR + across && !isOpen(other);
    }),
  );
}

function middle({ x, y, width, height }, isAcross) {
  const [u, v] = [x + width / 2, y + height / 2];
  return isAcross ? { u: v, v: u } : { u, v };
}
