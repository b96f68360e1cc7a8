"""Turn a diagram into the data of a page: its items and edges, with all texts measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from mimgraph.picture.details.model import ComparedDetail, Detail
from mimgraph.picture.diagram.captions import (
    badge_line,
    box_lines,
    box_size,
    cards,
    cluster_line,
    edge_line,
)
from mimgraph.picture.diagram.fold import closed_box
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, boxes
from mimgraph.picture.diagram.share_letters import letters
from mimgraph.picture.legend import kinds, marks
from mimgraph.picture.text_metrics import Line, Run

_FIELDS = tuple(f.name for f in fields(Box) if f.name not in ("brief", "source"))


def page_data(diagram: Diagram) -> dict[str, Any]:
    """Return the items, nested as in the diagram, the edges, of which equal ones are one, and the legend."""
    tags = letters(boxes(diagram.items))
    tails = {box.id: box for box in boxes(diagram.items)}
    return {
        "name": diagram.name,
        "items": [_item(item, tags) for item in diagram.items],
        "edges": [_edge(edge, n, tails) for edge, n in Counter(diagram.edges).items()],
        "legend": [without_empty(e._asdict()) for e in (*kinds(diagram), *marks(diagram))],
    }


def detail_data(detail: Detail | ComparedDetail) -> dict[str, Any]:
    """Return what the panel shows of an item; in a comparison `{"old": {...}, "new": {...}}`."""
    if isinstance(detail, ComparedDetail):
        return {side: without_empty(data) for side, data in detail.data().items()}
    return without_empty(detail.data())


def without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data without values that say nothing, which the page takes as its defaults."""
    return {name: value for name, value in data.items() if value}


def _item(item: Item, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return an item with the text and size of its box; of its folded box if it is a cluster."""
    box = closed_box(item) if isinstance(item, Cluster) else item
    size = box_size(box)
    found = {
        **{name: getattr(item, name, None) for name in _FIELDS},
        "box": {
            "lines": list(map(_line, box_lines(box))),
            "width": size.width,
            "height": size.height,
            "cards": cards(box),
            "mark": box.mark,
        },
        "tag": item.id in tags and _line(badge_line(tags[item.id])),
    }
    if isinstance(item, Cluster):
        found["caption"] = _line(cluster_line(item))
        found["items"] = [_item(inner, tags) for inner in item.items]
    return without_empty(found)


def _edge(edge: Edge, times: int, tails: Mapping[str, Box]) -> dict[str, Any]:
    """Return an edge with the parts of its label.

    `name` names its port and its argument, `port` is what is left of it if the head is folded away;
    `shape` follows if the tail is drawn itself, `times` if the head is.
    """
    whole = edge_line(edge, tails)
    name, shape = whole.runs[:1], whole.runs[1:]
    port = edge_line(edge._replace(argument=""), tails).runs[:1]
    again = (Run(f" × {times}", tone="faint"),) if times > 1 else ()
    parts = {"name": name, "port": port, "shape": shape, "times": again}
    return without_empty(
        {
            "tail": edge.tail,
            "head": edge.head,
            "mark": edge.mark,
            "label": without_empty(
                {key: runs and _line(Line(runs, whole.size)) for key, runs in parts.items()}
            ),
        }
    )


def _line(row: Line) -> dict[str, Any]:
    """Return a line with its width; each run has its face and tone as classes of the page's style."""
    runs = [[run.text, f"{run.face} {run.tone}"] for run in row.runs]
    return {"size": row.size, "width": round(row.width, 2), "runs": runs}
