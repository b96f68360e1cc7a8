"""Choose how deep the blocks of a picture are open: as deep as it can be read on one page or screen."""

from __future__ import annotations

from dataclasses import replace

from mimgraph.picture.diagram.captions import Size, box_size
from mimgraph.picture.diagram.model import boxes
from mimgraph.picture.errors import RenderError
from mimgraph.picture.layout.layout import layout
from mimgraph.picture.scene import Scene

# in points: twice an A4 page with margins of half a centimetre, upright or lying. On paper, names are then
# at least 5.5 points high and shapes 4.25; in a window of 1,400 pixels, 10 and 8 pixels
PAGES = (Size(1134, 1628), Size(1628, 1134))


def readable(scene: Scene) -> Scene:
    """Return the scene with blocks open as deep as it can be read; as it is if its depth is given.

    Depths are tried from shallow to deep, so that a picture that is too large is not laid out in full.
    """
    if scene.depth is not None:
        return scene
    found = replace(scene, depth=0)
    for depth in range(1, scene.levels + 1):
        deeper = replace(scene, depth=depth)
        if not fits(deeper):
            break
        found = deeper
    return found


def in_columns(scene: Scene) -> Scene:
    """Return a picture with all blocks closed in columns, if it is still too large to read; others as they are."""
    return scene if scene.wrap or scene.opened or fits(scene) else replace(scene, wrap=True)


def fits(scene: Scene) -> bool:
    """Return whether the picture can be read on one page or screen."""
    area = sum(width * height for width, height in map(box_size, boxes(scene.shown.items)))
    if all(area > width * height for width, height in PAGES):
        return False  # however it is laid out
    try:
        laid = layout(scene)
    except RenderError:
        return False
    return any(laid.width <= width and laid.height <= height for width, height in PAGES)
