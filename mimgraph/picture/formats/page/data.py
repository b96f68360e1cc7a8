"""Turn a diagram into the data of a page: its items and edges, with all texts measured."""

from __future__ import annotations

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
)
from mimgraph.picture.diagram.fold import closed_box
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item, boxes
from mimgraph.picture.diagram.share_letters import letters
from mimgraph.picture.formats.page.line_data import line_data
from mimgraph.picture.formats.page.plan_data import schemes_data
from mimgraph.picture.legend import ENTRIES
from mimgraph.picture.scene import Direction

_FIELDS = tuple(one.name for one in fields(Box) if one.name not in ("brief", "source"))


def page_data(diagram: Diagram, direction: Direction, wrap: bool) -> dict[str, Any]:
    """Return the items, nested as in the diagram, how they and its edges are laid out, and the legend."""
    tags = letters(boxes(diagram.items))
    return {
        "name": diagram.name,
        "items": [_item(item, tags) for item in diagram.items],
        "direction": direction,
        "schemes": schemes_data(diagram, direction == "LR", wrap),
        "legend": [without_empty(entry._asdict()) for entry in ENTRIES],
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
            "lines": list(map(line_data, box_lines(box))),
            "width": size.width,
            "height": size.height,
            "cards": cards(box),
            "mark": box.mark,
        },
        "tag": item.id in tags and line_data(badge_line(tags[item.id])),
    }
    if isinstance(item, Cluster):
        found["caption"] = line_data(cluster_line(item))
        found["items"] = [_item(inner, tags) for inner in item.items]
    return without_empty(found)
