"""Pictures of a typed graph: `draw` picks the renderer by the suffix of the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mimgraph.files import write_whole
from mimgraph.ir.typed import TypedGraph
from mimgraph.render import dot
from mimgraph.render.diagram import Diagram, diagram
from mimgraph.render.dot import RenderError

__all__ = ["RENDERERS", "RenderError", "draw"]

RENDERERS: dict[str, Callable[[Diagram], bytes | str]] = {
    ".dot": dot.text,
    ".pdf": partial(dot.picture, format="pdf"),
    ".png": partial(dot.picture, format="png"),
    ".svg": partial(dot.picture, format="svg"),
}


def draw(graph: TypedGraph, path: str | Path) -> None:
    """Draw the architecture into a file."""
    suffix = Path(path).suffix.lower()
    if suffix not in RENDERERS:
        raise ValueError(f"cannot draw {str(path)!r}: its name must end in {', '.join(RENDERERS)}")
    write_whole(path, RENDERERS[suffix](diagram(graph)))
