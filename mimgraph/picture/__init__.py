"""Pictures of a typed graph: `draw` picks the renderer by the suffix of the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mimgraph.ir.typed import TypedGraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.formats import dot, mermaid, page, pdf, png, svg
from mimgraph.picture.layout.graphviz import RenderError
from mimgraph.picture.scene import Scene
from mimgraph.support.files import write_whole

__all__ = ["RENDERERS", "RenderError", "draw", "write"]

RENDERERS: dict[str, Callable[[Scene], bytes | str]] = {
    ".dot": dot.text,
    ".html": page.text,
    ".mmd": mermaid.text,
    ".pdf": pdf.picture,
    ".png": png.picture,
    ".svg": svg.text,
}


def draw(graph: TypedGraph, path: str | Path, **how: Any) -> None:
    """Draw the architecture into a file; `how` are the fields of a `Scene`."""
    write(Scene(diagram(graph), **how), path)


def write(scene: Scene, path: str | Path) -> None:
    """Write a picture into a file, whole or not at all."""
    suffix = Path(path).suffix.lower()
    if suffix not in RENDERERS:
        raise ValueError(f"cannot draw {str(path)!r}: its name must end in {', '.join(RENDERERS)}")
    write_whole(path, RENDERERS[suffix](scene))
