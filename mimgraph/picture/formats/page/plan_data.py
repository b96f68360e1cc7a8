"""Turn the plans of a diagram's layout into the data of a page, which places frames as blocks are folded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mimgraph.picture.diagram.captions import edge_line
from mimgraph.picture.diagram.fold import fold, levels
from mimgraph.picture.diagram.model import Diagram, every
from mimgraph.picture.formats.page.line_data import line_data
from mimgraph.picture.layout.hops import Hop, Tensor
from mimgraph.picture.layout.layout import check_size, chosen_scheme
from mimgraph.picture.layout.plan import Plan
from mimgraph.picture.layout.scheme import Scheme

MOST_PLANNED = 10_000  # items and edges in the plans of all depths, about five megabytes


def foldable(diagram: Diagram, opened: int) -> Diagram:
    """Return the diagram with blocks closed for good that are deeper than a page can plan.

    A page has a plan for each depth. It is refused if it is too large where it opens, at the depth `opened`.
    """
    check_size(fold(diagram, opened))
    total = 0
    for depth in range(levels(diagram) + 1):
        at_depth = fold(diagram, depth)
        total += len(at_depth.edges) + sum(1 for _ in every(at_depth.items))
        if total > MOST_PLANNED and depth > opened:
            return fold(diagram, depth - 1)
    return diagram


def schemes_data(diagram: Diagram, is_across: bool, wrap: bool) -> list[dict[str, Any]]:
    """Return how to lay out the diagram when it is open down to each depth; the page folds further blocks."""
    depths = range(levels(diagram) + 1)
    return [_scheme(chosen_scheme(fold(diagram, depth), is_across, wrap)) for depth in depths]


def _scheme(found: Scheme) -> dict[str, Any]:
    """Return the plans and the edges; an edge has its hops, as the positions of a plan and of a hop in it.

    Tensors are numbers, the same in all plans.
    """
    tensors: dict[Tensor, int] = {}
    for plan in found.plans.values():
        for tensor in plan.tensors:
            tensors.setdefault(tensor, len(tensors))
    return {
        "plans": [_plan(id_, found, tensors) for id_ in found.plans],
        "edges": list(_edges(found)),
    }


def _edges(found: Scheme) -> Iterator[dict[str, Any]]:
    """Yield the edges; one that has no hops, as it runs level from box to box, has its label."""
    position = {id_: number for number, id_ in enumerate(found.plans)}
    for number, edge in enumerate(found.edges):
        hops = [(position[frame], hop) for frame, hop in found.passages.get(number, ())]
        row = edge_line(edge)
        data = {"tail": edge.tail, "head": edge.head, "mark": edge.mark, "hops": hops}
        yield data if hops or not row.runs else {**data, "label": line_data(row)}


def _plan(id_: str, found: Scheme, tensors: dict[Tensor, int]) -> dict[str, Any]:
    """Return the plan of a frame; the key of a door is its tensor, and that of a label its hop."""
    plan: Plan = found.plans[id_]
    numbers = [tensors[tensor] for tensor in plan.tensors]

    def key(role: str, key: str) -> str | int:
        if role in ("in", "out"):
            return numbers[int(key)]
        return int(key) if role == "label" else key

    return {
        "id": id_,
        "roles": [node.role for node in plan.nodes],
        "keys": [key(*node) for node in plan.nodes],
        "layers": plan.layers,
        "columns": plan.columns,
        "below": [[(node, numbers[lane]) for node, lane in near] for near in plan.below],
        "ways": plan.ways,
        "hops": [_hop(hop, tensors) for hop in plan.hops],
        **({"isUpward": True} if id_ in found.upward else {}),
        **({"sides": found.us[id_].sides} if id_ in found.us else {}),
        **({"isCut": True} if id_ in found.segments else {}),
    }


def _hop(hop: Hop, tensors: dict[Tensor, int]) -> dict[str, Any]:
    label = {"label": line_data(hop.label)} if hop.label.runs else {}
    return {"tensor": tensors[hop.tensor], "tail": hop.tail, "head": hop.head, **label}
