"""What a notebook shows: the picture with a line that tells of it, or words where nothing draws."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from mimgraph.ir.typed import TypedGraph
from mimgraph.picture import RENDERERS, RenderError
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.fold import ever_smaller
from mimgraph.picture.diagram.model import Diagram, boxes
from mimgraph.picture.scene import Scene
from mimgraph.summary.summary import Summary, summary

MANY = 60  # boxes of a picture, if it can be folded
MOST = 250  # of any, as readers wait for it


def graph_html(graph: TypedGraph) -> str:
    """The picture of a graph with its totals, or its table."""
    table = summary(graph)
    found = _figure(diagram(graph), _totals(table))
    return found or f"<pre>{escape(repr(table))}</pre>"


def _totals(table: Summary) -> str:
    """`Pair: 1,024 parameters (512 frozen), 64 in buffers; at run time T >= 3`."""
    frozen = f" ({table.frozen:,} frozen)" if table.frozen else ""
    buffers = f", {table.buffers:,} in buffers" if table.buffers else ""
    sizes = f"; at run time {', '.join(table.constraints)}" if table.constraints else ""
    return f"{table.name}: {table.params:,} parameters{frozen}{buffers}{sizes}"


def handle_html(words: str, leading: TypedGraph | None) -> str:
    """The words on a handle, below the picture of the graph that leads to it, which has no outputs."""
    found = None
    if leading is not None:
        whole = diagram(leading)
        items = tuple(item for item in whole.items if item.kind != "output")
        outputs = {item.id for item in whole.items if item.kind == "output"}
        edges = tuple(edge for edge in whole.edges if edge.head not in outputs)
        found = _figure(Diagram(whole.name, whole.doc, items, edges), words)
    return found or f"<pre>{escape(words)}</pre>"


def _figure(whole: Diagram, caption: str) -> str | None:
    """A picture of moderate size; None where it would be large, or cannot be made."""
    candidates = [
        (picture, sum(1 for _ in boxes(picture.items))) for picture in ever_smaller(whole)
    ]
    picture, size = next((c for c in candidates if c[1] <= MANY), candidates[-1])
    if size > MOST:
        return None
    try:
        svg = RENDERERS[".svg"](Scene(picture))
    except RenderError:
        return None
    # as an image: of an inline <svg>, JupyterLab and GitHub leave the bare words to who has not run
    # the notebook, and the ids of two pictures would be one
    data = b64encode(svg.encode() if isinstance(svg, str) else svg).decode()
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(caption)}"'
    return (
        f'<figure style="margin: 0">{image} style="max-width: 100%"/>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
