"""Lift reductions over axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.table import lifts, plain_name, refuse
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

LAYERS = {"mean": "Mean", "sum": "Sum", "amax": "Max", "amin": "Min"}


@lifts(*LAYERS)
def reduce(
    body: BodyLifter,
    step: Step,
    input: Value,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> None:
    refuse(step, dtype=dtype)
    if dim is None or dim in ([], ()):
        message = f"{plain_name(step.function)} over all axes, the batch too"
        raise CannotLift("batch", message, place=step.place)
    kept = {"keepdim": True} if keepdim else {}
    axes = [*dim] if isinstance(dim, tuple | list) else dim
    body.layer(step, LAYERS[step.function], input, dim=axes, **kept)


@lifts("argmax", "argmin")
def position(
    body: BodyLifter, step: Step, input: Value, dim: int | None = None, keepdim: bool = False
) -> None:
    if dim is None:
        message = f"{step.function} over all axes, the batch too"
        raise CannotLift("batch", message, place=step.place)
    layer = {"argmax": "ArgMax", "argmin": "ArgMin"}[step.function]
    body.layer(step, layer, input, dim=dim, **({"keepdim": True} if keepdim else {}))
