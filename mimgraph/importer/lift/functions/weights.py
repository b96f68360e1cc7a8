"""Lift functions of weights, such as `F.linear`, to the layers that own these weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("linear")
def linear(
    body: BodyLifter, step: Step, input: Value, weight: Value, bias: Value | None = None
) -> None:
    raise CannotLift("weight", "linear of a weight that no layer owns", place=step.place)
