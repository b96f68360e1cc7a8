"""Lift indexing with numbers, slices, None and an ellipsis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.trace.records import Step, Value, values

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("__getitem__")
def getitem(body: BodyLifter, step: Step, input: Value, index: Any) -> None:
    """Add a node for each part of the index; the last has the step's name."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(values(parts)) or any(isinstance(part, list | bool) for part in parts):
        raise CannotLift("index", "an index that is a tensor", place=step.place)
    port: Value | Port = input
    ops = [*_ops(step, input, _without_ellipsis(parts, input.rank))]
    if not ops:
        return body.alias(step, input)
    for op in ops[:-1]:
        port = body.intermediate(step, op, [port])
    last = ops[-1]
    body.layer(step, last.name, port, **last.options)


def _without_ellipsis(parts: tuple[Any, ...], rank: int) -> list[Any]:
    """Return the parts with a slice for each axis that an ellipsis, or the end, stands for."""
    real = sum(part is not None and part is not Ellipsis for part in parts)
    missing = [slice(None)] * (rank - real)
    if Ellipsis not in parts:
        return [*parts, *missing]
    at = parts.index(Ellipsis)
    return [*parts[:at], *missing, *parts[at + 1 :]]


def _ops(step: Step, input: Value, parts: list[Any]) -> Any:
    """Yield the layers that do what the parts of an index do, one after another."""
    axis, sizes = 0, iter(input.sizes)
    for part in parts:
        if part is None:
            yield Op("layer", "Unsqueeze", {"dim": axis})
            axis += 1
            continue
        size = next(sizes)
        is_batch = input.is_batched and axis == 0
        if isinstance(part, slice):
            options = {
                name: given
                for name, given in (("start", part.start), ("end", part.stop), ("step", part.step))
                if given is not None
                and (name, given) not in (("start", 0), ("step", 1), ("end", size))
            }
            if options and is_batch:
                raise CannotLift("batch", "a slice of the batch", place=step.place)
            if options:
                yield Op("layer", "Slice", {"dim": axis, **options})
            axis += 1
        else:
            if is_batch:
                raise CannotLift("batch", "an index into the batch", place=step.place)
            yield Op("layer", "Select", {"dim": axis, "index": part})


@lifts("select")
def select(body: BodyLifter, step: Step, input: Value, dim: int, index: Any) -> None:
    getitem(body, step, input, (*[slice(None)] * (dim % input.rank), index))


@lifts("narrow")
def narrow(body: BodyLifter, step: Step, input: Value, dim: int, start: Any, length: Any) -> None:
    before = [slice(None)] * (dim % input.rank)
    getitem(body, step, input, (*before, slice(start, start + length)))
