"""Find or add the port of a parameter or buffer that a forward reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimgraph.importer.draft import Node, Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.trace.records import Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


def weight_port(body: BodyLifter, value: Value) -> Port | None:
    """Return the port of a weight: of a tensor that the module of this body owns, or of the layer that
    owns it; None if a caller's module does."""
    prefix = f"{body.call.path}." if body.call.path else ""
    if not value.path.startswith(prefix):
        return None
    owner, _, name = value.path[len(prefix) :].rpartition(".")
    if not owner:
        return Port(_tensor(body, value, name))
    node = body.nodes_by_path.get(f"{prefix}{owner}")
    if node is None:
        message = f"{value.path} is read where its module is not called"
        raise CannotLift("weight", message)
    return Port(node, name)


def _tensor(body: BodyLifter, value: Value, name: str) -> Node:
    """Add the parameter or buffer."""
    op = Op("tensor", value.kind, {"shape": [*value.shape], "init": "zeros"})
    if value.kind == "buffer" and str(value.dtype) != "torch.float32":
        op.options["dtype"] = str(value.dtype).removeprefix("torch.")
    place = body.call.place
    return body.add(op, name=name, place=place, attribute=name, path=value.path)
