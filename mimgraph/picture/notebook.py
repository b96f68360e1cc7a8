"""The HTML that notebooks show for graphs and handles: a picture with a caption, or text."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from html import escape

from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import Diagram, boxes
from mimgraph.picture.errors import RenderError
from mimgraph.picture.formats import svg
from mimgraph.picture.readable_depth import fits, readable
from mimgraph.picture.scene import Scene
from mimgraph.summary.numbers import short
from mimgraph.summary.summary import Summary, summary

MOST = 250  # boxes that are drawn when folding does not help; more would keep the reader waiting


def graph_html(graph: TypedGraph) -> str:
    """Return the picture of a graph with its totals; if it cannot be drawn, its table."""
    table = summary(graph)
    scene = _readable(diagram(graph))
    caption = _totals(table)
    if scene.opened < scene.levels:
        caption += (
            f"; blocks are open to depth {scene.opened} of {scene.levels}, .show() opens more"
        )
    return _figure(scene, caption) or _preformatted(repr(table))


def _totals(table: Summary) -> str:
    """Return `Pair: 6.29 M parameters (512 frozen), 64 in buffers; at run time T >= 3`."""
    frozen = f" ({short(table.frozen)} frozen)" if table.frozen else ""
    buffers = f", {short(table.buffers)} in buffers" if table.buffers else ""
    sizes = f"; at run time {', '.join(table.constraints)}" if table.constraints else ""
    return f"{table.name}: {short(table.params)} parameters{frozen}{buffers}{sizes}"


def handle_html(words: str, leading: TypedGraph | None) -> str:
    """Return the text about a handle, below the picture of the graph that computes it if there is one."""
    picture = (
        None if leading is None else _figure(_readable(_without_outputs(diagram(leading))), words)
    )
    return picture or _preformatted(words)


def faulty_html(known: Diagram) -> str:
    """Return the picture of the known part of a wrong graph; "" if it cannot be drawn."""
    return _figure(_readable(known), "The part of the graph that is known; faults are red") or ""


def _without_outputs(whole: Diagram) -> Diagram:
    items = tuple(item for item in whole.items if item.kind != "output")
    outputs = {item.id for item in whole.items if item.kind == "output"}
    edges = tuple(edge for edge in whole.edges if edge.head not in outputs)
    return Diagram(whole.name, whole.doc, items, edges)


def _readable(whole: Diagram) -> Scene:
    """Return the scene of a picture that is folded, and collapsed if it is still too large to read."""
    scene = readable(Scene(whole, depth=None))
    return scene if fits(scene) else readable(replace(scene, depth=None, collapse=True))


def _figure(scene: Scene, caption: str) -> str | None:
    """Return the picture with a caption; None if it is too large or cannot be drawn."""
    if sum(1 for _ in boxes(scene.shown.items)) > MOST:
        return None
    try:
        drawn = svg.render(scene)
    except RenderError:
        return None
    # an image, not an inline <svg>: of that, JupyterLab and GitHub show only the text until the
    # notebook is run, and the ids of two pictures would clash
    data = b64encode(drawn.encode()).decode()
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(caption)}"'
    return (
        f'<figure style="margin: 0">{image} style="max-width: 100%"/>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _preformatted(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"
