"""Describe a diagram in words: each box, cluster and edge for its tooltip, the whole for screen readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from mimgraph.picture.diagram.model import CLOSED, Box, Cluster, Diagram, Edge, Mark, boxes, every

_COUNTED = ("layer", "merge", "tensor")
_CHANGES: dict[Mark, str] = {
    "added": "added",
    "removed": "removed",
    "changed": "changed",
    "follows": "following",
}


def describe_box(box: Box) -> str:
    """Return `score: Linear 1`, then its tooltip and its shapes, a line each."""
    name = box.id.removeprefix("output ")
    first = f"{box.kind} {name}" if box.kind in ("input", "output") else name
    rest = [box.tooltip] if box.tooltip and box.tooltip != box.id else []
    subtitle = f": {box.subtitle}" if box.subtitle else ""
    changes = [*box.edits, *box.effects]
    return "\n".join([_marked(box.mark, f"{first}{subtitle}"), *changes, *rest, *box.shapes])


def describe_cluster(cluster: Cluster) -> str:
    """Return `tower: block × 3`, then its doc and its shapes, a line each."""
    first = _marked(cluster.mark, f"{cluster.id}: {cluster.subtitle}")
    rest = [cluster.tooltip] if cluster.tooltip else []
    return "\n".join([first, *cluster.edits, *cluster.effects, *rest, *cluster.shapes])


def describe_edge(edge: Edge, tails: Mapping[str, Box]) -> str:
    """Return `lstm last as query to attention, (N, 64)`."""
    shapes = tails[edge.tail].shapes
    label = f" {edge.label}" if edge.label else ""
    shape = f", {shapes[0]}" if len(shapes) == 1 else ""
    return _marked(edge.mark, f"{edge.tail}{label} to {edge.head}{shape}")


def _marked(mark: str, text: str) -> str:
    return f"{mark}: {text}" if mark else text


def describe(diagram: Diagram) -> str:
    """Return a sentence with the inputs, the numbers of layers and merges, and the outputs; then the
    doc. For a comparison the sentence begins with the numbers of changes."""
    drawn = list(boxes(diagram.items))
    counts = Counter(box.kind for box in drawn)
    blocks = sum(counts[kind] for kind in CLOSED)
    amounts = [_amount(counts[kind], kind) for kind in _COUNTED if counts[kind]]
    amounts += [_amount(blocks, "closed block")] if blocks else []
    outer = [item for item in diagram.items if isinstance(item, Box)]  # not the number of a step
    parts = [_listed(outer, "input"), ", ".join(amounts), _listed(drawn, "output")]
    marks = Counter(item.mark for item in every(diagram.items))
    parts += [_amount(marks["faulty"], "faulty part")] if marks["faulty"] else []
    doc = f" {' '.join(diagram.doc.split())}" if diagram.doc else ""
    changes = [f"{marks[mark]} {word}" for mark, word in _CHANGES.items() if marks[mark]]
    start = f"Changes ({', '.join(changes)}) in the architecture" if changes else "Architecture"
    return f"{start} of {diagram.name}: {'; '.join(filter(None, parts))}.{doc}"


def _amount(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(drawn: Iterable[Box], kind: str) -> str:
    """Return `inputs left (N, 3), right (N, 5)`; nothing if there is no box of the kind."""
    names = [" ".join([box.title, *box.shapes[:1]]) for box in drawn if box.kind == kind]
    noun = kind if len(names) == 1 else f"{kind}s"
    return f"{noun} {', '.join(names)}" if names else ""
