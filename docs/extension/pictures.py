"""Draw a graph in both themes for a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import mimgraph as mg
from extension.page import Page
from mimgraph.picture.errors import RenderError
from mimgraph.picture.formats.svg import render
from mimgraph.picture.layout.layout import layout
from mimgraph.picture.readable_depth import in_columns, readable
from mimgraph.picture.scene import Scene

ENDINGS = {"light": ".svg", "dark": ".dark.svg"}
# points; the column of a page has 525, so that text is shrunk to two thirds
WIDEST, HIGHEST = 780, 1300


def drawn(graph: mg.Graph, path: str, **options: Any) -> Iterator[Page]:
    """Yield the picture of a graph in the light and the dark theme, for `extension.markdown.picture`."""
    yield from _themes(in_columns(readable(graph.scene(**options))), path)


def fitting(graph: mg.Graph, path: str) -> Iterator[Page]:
    """Yield the picture with blocks open as deep as the column of a page can show, collapsed if it is deeper then."""
    found = None
    whole = [graph.scene(depth="all", collapse=collapse) for collapse in (False, True)]
    for depth in range(whole[0].levels + 1):
        fits = next(filter(_fits, (replace(scene, depth=depth) for scene in whole)), None)
        if fits is None:
            break
        found = fits
    yield from drawn(graph, path) if found is None else _themes(found, path)


def thumbnail(graph: mg.Graph, path: str) -> Iterator[Page]:
    """Yield the picture with all blocks closed."""
    yield from _themes(graph.scene(depth=0, collapse=True), path)


def _fits(scene: Scene) -> bool:
    try:
        laid = layout(scene)
    except RenderError:
        return False
    return laid.width <= WIDEST and laid.height <= HIGHEST


def _themes(scene: Scene, path: str) -> Iterator[Page]:
    for theme, ending in ENDINGS.items():
        yield Page.of(f"{path}{ending}", render(replace(scene, theme=theme)))


def width(made: list[Page]) -> float:
    """Return the width of a picture in points."""
    found = re.search(rb'width="([\d.]+)pt"', made[0].content)
    assert found
    return float(found[1])
