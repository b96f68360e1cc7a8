"""A picture in words: of each box, cluster and edge for its tooltip, of the whole for who cannot see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, boxes, every

_INNER = ("layer", "merge", "tensor")
_CLOSED = ("seq", "block", "repeat", "chain")


def box_told(box: Box) -> str:
    """`score: Linear 1` and what else is known, a line each."""
    name = box.id.removeprefix("output ")
    first = f"{box.kind} {name}" if box.kind in ("input", "output") else name
    rest = [box.tooltip] if box.tooltip and box.tooltip != box.id else []
    subtitle = f": {box.subtitle}" if box.subtitle else ""
    return "\n".join([_marked(box.mark, f"{first}{subtitle}"), *rest, *box.shapes])


def cluster_told(cluster: Cluster) -> str:
    """`tower: block × 3`, its doc, its results."""
    first = _marked(cluster.mark, f"{cluster.id}: {cluster.subtitle}")
    rest = [cluster.tooltip] if cluster.tooltip else []
    return "\n".join([first, *rest, *cluster.shapes])


def edge_told(edge: Edge, tails: Mapping[str, Box]) -> str:
    """`lstm last as query to attention, (N, 64)`."""
    shapes = tails[edge.tail].shapes
    label = f" {edge.label}" if edge.label else ""
    shape = f", {shapes[0]}" if len(shapes) == 1 else ""
    return _marked(edge.mark, f"{edge.tail}{label} to {edge.head}{shape}")


def _marked(mark: str, text: str) -> str:
    return f"{mark}: {text}" if mark else text


def described(diagram: Diagram) -> str:
    """A sentence: the inputs, how much there is of what, the outputs; and the doc. Of a picture of
    two graphs it says so."""
    drawn = list(boxes(diagram.items))
    counts = Counter(box.kind for box in drawn)
    blocks = sum(counts[kind] for kind in _CLOSED)
    amounts = [_amount(counts[kind], kind) for kind in _INNER if counts[kind]]
    amounts += [_amount(blocks, "closed block")] if blocks else []
    parts = [_listed(drawn, "input"), ", ".join(amounts), _listed(drawn, "output")]
    doc = f" {' '.join(diagram.doc.split())}" if diagram.doc else ""
    marks = Counter(item.mark for item in every(diagram.items))
    told = [f"{marks[mark]} {mark}" for mark in ("added", "removed", "changed") if marks[mark]]
    what = f"What changed, {', '.join(told)}, in the architecture" if told else "Architecture"
    return f"{what} of {diagram.name}: {'; '.join(filter(None, parts))}.{doc}"


def _amount(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(drawn: Iterable[Box], kind: str) -> str:
    """`inputs left (N, 3), right (N, 5)`, or nothing."""
    told = [" ".join([box.title, *box.shapes[:1]]) for box in drawn if box.kind == kind]
    noun = kind if len(told) == 1 else f"{kind}s"
    return f"{noun} {', '.join(told)}" if told else ""
