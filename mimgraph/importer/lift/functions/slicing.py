"""Lift indexing with numbers, slices, None and an ellipsis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimgraph.importer.draft import Op
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.indexing import index_by_tensors
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.trace.records import Step, Value, values
from mimgraph.ir.dim import Dim

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("__getitem__")
def getitem(body: BodyLifter, step: Step, input: Value, index: Any) -> None:
    """Add a node for each part of the index; the last has the step's name."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(values(parts)) or any(isinstance(part, list | bool) for part in parts):
        return index_by_tensors(body, step, input, without_ellipsis(parts, input.rank))
    ops = [*_ops(step, input, without_ellipsis(parts, input.rank))]
    if not ops:
        return body.alias(step, input)
    port = body.source(input)
    for op in ops[:-1]:
        port = body.intermediate(step, op, [port])
    body.layer(step, ops[-1].name, port, **ops[-1].options)


def without_ellipsis(parts: tuple[Any, ...], rank: int) -> list[Any]:
    """Return the parts with a slice for each axis that an ellipsis, or the end, stands for."""
    real = sum(part is not None and part is not Ellipsis for part in parts)
    missing = [slice(None)] * (rank - real)
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), None)
    if at is None:
        return [*parts, *missing]
    return [*parts[:at], *missing, *parts[at + 1 :]]


def _ops(step: Step, input: Value, parts: list[Any]) -> Any:
    """Yield the layers that do what the parts of an index do, one after another."""
    axis, sizes = 0, iter(input.sizes)
    wanted = step.results[0].sizes
    for part in parts:
        if part is None:
            yield Op("layer", "Unsqueeze", {"dim": axis})
            axis += 1
            continue
        size = next(sizes)
        is_batch = input.is_batched and axis == 0
        if isinstance(part, slice):
            if part.step not in (None, 1) or wanted[axis] != size:
                if is_batch:
                    raise CannotLift("batch", "a slice of the batch", place=step.place)
                yield Op("layer", "Slice", {"dim": axis, **_range(part, size)})
            axis += 1
        else:
            if is_batch:
                raise CannotLift("batch", "an index into the batch", place=step.place)
            yield from _select(axis, part, size)


def _range(part: slice, size: Any) -> dict[str, Any]:
    """Return the options of Slice without those that cut nothing."""
    given = {"start": part.start, "end": part.stop, "step": part.step}
    usual = {"start": (None, 0), "end": (None, size), "step": (None, 1)}
    found = {name: one for name, one in given.items() if one not in usual[name]}
    end = found.get("end")
    if isinstance(size, int) and isinstance(end, int) and end > size:
        del found["end"]
    return found


def _select(axis: int, index: Any, size: Any) -> Any:
    """Yield the layers for one index of an axis, counted from the end if it is near that."""
    if not isinstance(index, Dim):
        yield Op("layer", "Select", {"dim": axis, "index": index})
    elif isinstance(index - size, int):
        yield Op("layer", "Select", {"dim": axis, "index": index - size})
    else:
        yield Op("layer", "Slice", {"dim": axis, "start": index, "end": index + 1})
        yield Op("layer", "Squeeze", {"dim": axis})


@lifts("select")
def select(body: BodyLifter, step: Step, input: Value, dim: int, index: Any) -> None:
    getitem(body, step, input, (*[slice(None)] * (dim % input.rank), index))


@lifts("narrow", "slice_copy")
def narrow(body: BodyLifter, step: Step, input: Value, dim: int, start: Any, length: Any) -> None:
    before = [slice(None)] * (dim % input.rank)
    getitem(body, step, input, (*before, slice(start, start + length)))


@lifts("diff")
def differences(
    body: BodyLifter, step: Step, input: Value, n: int = 1, dim: int = -1, **more: Any
) -> None:
    if n != 1 or any(one is not None for one in more.values()):
        raise CannotLift("arguments", "diff of a higher order, or with other values before", None)
    later = Op("layer", "Slice", {"dim": dim, "start": 1})
    earlier = Op("layer", "Slice", {"dim": dim, "end": -1})
    sources = [body.intermediate(step, op, [input]) for op in (later, earlier)]
    body.merge(step, "subtract", sources, "differences")


@lifts("__setitem__")
def setitem(body: BodyLifter, step: Step, input: Value, index: Any, value: Any) -> None:
    """Join the part before, the new values, and the part behind, along the one axis that is indexed."""
    parts = without_ellipsis(index if isinstance(index, tuple) else (index,), input.rank)
    cut = [axis for axis, part in enumerate(parts) if part != slice(None)]
    if any(values(index)) or None in parts or len(cut) != 1 or not isinstance(value, Value):
        message = "an assignment to more than a slice of one axis, or of a number"
        raise CannotLift("index", message, place=step.place)
    (axis,) = cut
    size, part = input.sizes[axis], parts[axis]
    port = body.source(value)
    if not isinstance(part, slice):
        part = slice(part, part + 1)
        if value.rank == input.rank - 1:
            port = body.intermediate(step, Op("layer", "Unsqueeze", {"dim": axis}), [port])
    start, end = (
        one if one is None or isinstance(one, Dim) or one >= 0 else size + one
        for one in (part.start, part.stop)
    )
    start, end = 0 if start is None else start, size if end is None or end == 0 else end
    if part.step not in (None, 1) or value.dtype != input.dtype:
        raise CannotLift("index", "an assignment with a step, or a cast", place=step.place)
    middle = (*input.sizes[:axis], end - start, *input.sizes[axis + 1 :])
    from mimgraph.importer.lift.functions.shape import expanded

    sources = [expanded(body, step, port, middle)]
    if start != 0:
        op = Op("layer", "Slice", {"dim": axis, "end": start})
        sources.insert(0, body.intermediate(step, op, [input]))
    if end != size:
        op = Op("layer", "Slice", {"dim": axis, "start": end})
        sources.append(body.intermediate(step, op, [input]))
    if len(sources) == 1:
        return body.result(step, sources[0])
    body.merge(step, "concat", sources, "joined", **({} if axis == 1 else {"dim": axis}))
