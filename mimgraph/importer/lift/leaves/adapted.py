"""Lift modules of other packages that are layers of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.leaves.table import lifts_class
from mimgraph.importer.trace.records import Call

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts_class("torchvision.ops.stochastic_depth.StochasticDepth")
def stochastic_depth(body: BodyLifter, call: Call) -> None:
    if call.module.mode != "row":
        raise CannotLift("layer", "StochasticDepth drops the whole batch", call, call.place)
    op = Op("layer", "DropPath", {"p": call.module.p})
    body.bind(call.results[0], Port(body.module_node(call, op, call.arguments)))
