// Names the hops between the segments of a frame that is cut.

export const LABEL_GAP = 4; // from an edge to its label

// Returns the hops by their number `n`, between segments by theirs; -1 stands for the frame's wall.
export function joinsOf({ hops }, ids) {
  const number = (id) => (id ? ids.indexOf(id) : -1);
  return hops.map(({ tail, head, tensor }, n) => {
    return { n, tensor, tail: number(tail), head: number(head) };
  });
}
