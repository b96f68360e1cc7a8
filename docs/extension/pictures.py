"""Draw a graph in both themes for a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import mimgraph as mg
from extension.page import Page
from mimgraph.picture.formats.svg import render
from mimgraph.picture.readable_depth import in_columns, readable

ENDINGS = {"light": ".svg", "dark": ".dark.svg"}


def drawn(graph: mg.Graph, path: str, **options: Any) -> Iterator[Page]:
    """Yield the picture of a graph in the light and the dark theme, for `extension.markdown.picture`."""
    scene = in_columns(readable(graph.scene(**options)))
    for theme, ending in ENDINGS.items():
        yield Page.of(f"{path}{ending}", render(replace(scene, theme=theme)))
