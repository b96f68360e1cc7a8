"""Pictures of a typed graph; the ending of a file's name chooses the format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mimgraph.ir.typed import TypedGraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.errors import RenderError
from mimgraph.picture.formats import RENDERERS
from mimgraph.picture.scene import Scene
from mimgraph.support.files import write_whole

__all__ = ["RenderError", "draw", "write"]


def draw(graph: TypedGraph, path: str | Path, **how: Any) -> None:
    """Draw a graph into a file; `how` are the fields of `Scene` after the first."""
    write(Scene(diagram(graph), **how), path)


def write(scene: Scene, path: str | Path) -> None:
    """Write a picture to a file, completely or not at all."""
    ending = Path(path).suffix.lower()
    if ending not in RENDERERS:
        raise ValueError(f"cannot draw {str(path)!r}: its name must end in {', '.join(RENDERERS)}")
    write_whole(path, RENDERERS[ending](scene))
