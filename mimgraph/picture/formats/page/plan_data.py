"""Turn the plans of a diagram's layout into the data of a page, which places frames as blocks are folded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mimgraph.picture.diagram.model import Edge
from mimgraph.picture.formats.page.line_data import line_data
from mimgraph.picture.layout.hops import Hop, Tensor
from mimgraph.picture.layout.plan import Plan, Plans


def plan_data(edges: Sequence[Edge], planned: Plans) -> dict[str, Any]:
    """Return the plans, and the edges with their hops as pairs: the positions of a plan and of a hop in it.

    Tensors are numbers, the same in all plans.
    """
    tensors: dict[Tensor, int] = {}
    for plan in planned.of_frame.values():
        for tensor in plan.tensors:
            tensors.setdefault(tensor, len(tensors))
    position = {id_: number for number, id_ in enumerate(planned.of_frame)}
    return {
        "plans": [_plan(id_, plan, tensors) for id_, plan in planned.of_frame.items()],
        "edges": [
            {
                "tail": edge.tail,
                "head": edge.head,
                "mark": edge.mark,
                "hops": [(position[frame], hop) for frame, hop in passages],
            }
            for edge, passages in zip(edges, planned.hops.of_edge, strict=True)
        ],
    }


def _plan(id_: str, plan: Plan, tensors: dict[Tensor, int]) -> dict[str, Any]:
    """Return a plan; the key of a door is its tensor, and that of a label its hop."""
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
        "below": [[(node, numbers[lane]) for node, lane in found] for found in plan.below],
        "ways": plan.ways,
        "hops": [_hop(hop, tensors) for hop in plan.hops],
    }


def _hop(hop: Hop, tensors: dict[Tensor, int]) -> dict[str, Any]:
    label = {"label": line_data(hop.label)} if hop.label.runs else {}
    return {"tensor": tensors[hop.tensor], "tail": hop.tail, "head": hop.head, **label}
