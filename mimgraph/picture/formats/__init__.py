"""The formats of pictures: a module for each, whose `render` writes a scene, and a line in `RENDERERS`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from mimgraph.picture.scene import Scene

Renderer: TypeAlias = "Callable[[Scene], bytes | str]"


def _of(module: str) -> Renderer:
    """Return the `render` of a module here, which is imported when it first draws."""

    def render(scene: Scene) -> bytes | str:
        drawn: bytes | str = import_module(f"{__name__}.{module}").render(scene)
        return drawn

    return render


RENDERERS: dict[str, Renderer] = {  # by the ending of the file's name
    ".dot": _of("dot"),
    ".html": _of("page"),
    ".mmd": _of("mermaid"),
    ".pdf": _of("pdf"),
    ".png": _of("png"),
    ".svg": _of("svg"),
}
PRINTED = (".svg", ".png", ".pdf")  # the formats of a fixed size
LAID_OUT = (*PRINTED, ".html")  # those that we lay out ourselves
