// The size of the caption in the wall of an open block.

export const CAPTION = 18; // its height
export const TITLE = 17; // from its left to its text, behind the chevron

export function captionWidth({ caption }) {
  return TITLE + (caption?.width ?? 0) + 8;
}
