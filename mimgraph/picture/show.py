"""Show the page of a scene at once: below the running cell of a notebook, else in the browser."""

from __future__ import annotations

import warnings
import webbrowser
from pathlib import Path
from tempfile import mkdtemp

from mimgraph.picture.formats import page
from mimgraph.picture.formats.xml_text import escape_html
from mimgraph.picture.readable_depth import readable
from mimgraph.picture.scene import Scene
from mimgraph.support.objects import publish

HEIGHT = 640  # pixels of a page in a notebook


def show(scene: Scene) -> None:
    """Show the page of a scene in the notebook that runs this, or else in the browser."""
    text = page.render(readable(scene))
    if publish(in_frame(text, scene.whole.name)):
        return
    path = new_page()
    path.write_text(text, encoding="utf-8")
    if not webbrowser.open(path.as_uri()):
        warnings.warn(f"no browser was found to show the page {path}", stacklevel=3)


def in_frame(text: str, title: str) -> str:
    """Return HTML that holds a page apart from the page around it."""
    style = f"width: 100%; height: {HEIGHT}px; border: 1px solid #ccc"
    return f'<iframe srcdoc="{escape_html(text)}" title="{escape_html(title)}" style="{style}"></iframe>'


def new_page() -> Path:
    """Return the path for a page in a new temporary folder, which stays after the program has ended."""
    return Path(mkdtemp(prefix="mimgraph-"), "model.html")
