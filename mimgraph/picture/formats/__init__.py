"""The formats of pictures: a module for each, whose `render` writes a scene, and a line in `RENDERERS`."""

from __future__ import annotations

from collections.abc import Callable

from mimgraph.picture.formats import dot, mermaid, page, pdf, png, svg
from mimgraph.picture.scene import Scene

RENDERERS: dict[str, Callable[[Scene], bytes | str]] = {  # by the ending of the file's name
    ".dot": dot.render,
    ".html": page.render,
    ".mmd": mermaid.render,
    ".pdf": pdf.render,
    ".png": png.render,
    ".svg": svg.render,
}
PRINTED = (".svg", ".png", ".pdf")  # the formats of a fixed size
LAID_OUT = (*PRINTED, ".html")  # those that we lay out ourselves
