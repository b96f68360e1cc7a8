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
LAID_OUT = (".svg", ".png", ".pdf", ".html")  # the formats that we lay out ourselves
