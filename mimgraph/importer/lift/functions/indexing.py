"""Lift indexing by tensors: gather, take and pick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.table import lifts, refuse
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("gather")
def gather(
    body: BodyLifter,
    step: Step,
    input: Value,
    dim: int,
    index: Value,
    *,
    sparse_grad: bool = False,
) -> None:
    refuse(step, sparse_grad=sparse_grad)
    body.merge(step, "gather", {"input": input, "index": index}, dim=dim)


@lifts("take_along_dim")
def take_along(
    body: BodyLifter, step: Step, input: Value, indices: Value, dim: int | None = None
) -> None:
    if dim is None:
        raise CannotLift("index", "take_along_dim of a flat tensor", place=step.place)
    gather(body, step, input, dim, indices)


@lifts("index_select")
def index_select(body: BodyLifter, step: Step, input: Value, dim: int, index: Value) -> None:
    body.result(step, _taken(body, step, input, dim % input.rank, index))


def index_by_tensors(body: BodyLifter, step: Step, input: Value, parts: list[Any]) -> None:
    """Lift `table[index]`, `x[:, index]`, `x[arange(len(x)), index]` and indices of counts; refuse others."""
    tensors = {i: one for i, one in enumerate(parts) if isinstance(one, Value | list)}
    others = [one for i, one in enumerate(parts) if i not in tensors]
    for one in tensors.values():
        if isinstance(one, list) and not all(type(number) is int for number in one):
            raise CannotLift("index", "an index that is a list of tensors", place=step.place)
        if isinstance(one, Value) and one.dtype in (torch.bool, torch.uint8):
            message = "an index by a mask, whose result has as many items as the mask is true"
            raise CannotLift("index", message, place=step.place)
    if any(one != slice(None) for one in others):
        raise CannotLift("index", "an index of tensors beside numbers", place=step.place)
    axes = [*tensors]
    kept = _axes_of_counts(input, parts, step.results[0].rank)
    if kept is not None:
        return _spread(body, step, input, kept)
    if len(axes) == 1:
        return body.result(step, _taken(body, step, input, axes[0], tensors[axes[0]]))
    if axes == [0, 1] and input.is_batched and _is_count(tensors[0]):
        index = tensors[1]
        if isinstance(index, Value) and (index.is_batched or index.rank == 0):
            merge = "pick" if index.rank <= 1 else "take"
            return body.result(
                step,
                body.intermediate(
                    step,
                    Op("merge", merge),
                    {"input": input, "index": index},
                    body.name_of(step, "picked"),
                ),
            )
    raise CannotLift("index", "an index of several tensors", place=step.place)


def _is_count(value: Any) -> bool:
    """Return whether a fixed tensor numbers the samples: 0, 1, 2, ..., with axes of size 1 behind."""
    if not isinstance(value, Value) or not value.fixed or not value.is_batched:
        return False
    return all(
        one.numel() == len(one) and torch.equal(one.flatten(), torch.arange(len(one)))
        for one in value.samples
    )


def _axes_of_counts(input: Value, parts: list[Any], rank: int) -> list[int] | None:
    """Return where the input's axes are in the result if each index counts along one; otherwise None.

    mask[torch.arange(N)[:, None, None], torch.arange(T)] is mask[:, None, :]
    """
    found = list[int]()
    if len(parts) != input.rank:
        return None
    for part, size in zip(parts, input.sizes, strict=True):
        if not isinstance(part, Value) or not part.fixed or not part.samples:
            return None
        axes = [axis for axis, one in enumerate(part.sizes) if one != 1]
        if len(axes) != 1 or part.sizes[axes[0]] != size:
            return None
        if any(one.flatten().tolist() != [*range(one.numel())] for one in part.samples):
            return None
        found.append(rank - part.rank + axes[0])
    return found if found == sorted({*found}) else None


def _spread(body: BodyLifter, step: Step, input: Value, kept: list[int]) -> None:
    """Let the input, with axes of size 1 beside those that it keeps, be the result of a step."""
    port = body.source(input)
    for axis in range(step.results[0].rank):
        if axis not in kept:
            port = body.intermediate(step, Op("layer", "Unsqueeze", {"dim": axis}), [port])
    body.result(step, port)


def _taken(body: BodyLifter, step: Step, input: Value, axis: int, index: Any) -> Port:
    """Return the values at each index along an axis."""
    port, place = body.source(input), _index(body, step, index)
    first = 1 if input.is_batched else 0
    if axis < first:
        raise CannotLift("batch", "an index into the batch", place=step.place)
    shared = not body.types[place].batched
    if input.is_batched and not shared:
        raise CannotLift("index", "an index of each sample into all samples", place=step.place)
    if axis != first and body.types[place].rank != 1:
        raise CannotLift("index", "an index of several axes into an inner one", place=step.place)
    swap = Op("layer", "Transpose", {"dim0": first, "dim1": axis})
    if axis != first:
        port = body.intermediate(step, swap, [port])
    sources = {"input": port, "index": place}
    port = body.intermediate(step, Op("merge", "take"), sources, body.name_of(step, "taken"))
    return body.intermediate(step, swap, [port]) if axis != first else port


def _index(body: BodyLifter, step: Step, index: Any) -> Port:
    """Return the port of an index; a list becomes a buffer."""
    if isinstance(index, Value):
        return body.source(index)
    options = {"shape": [len(index)], "init": index, "dtype": "int64", "persistent": False}
    return body.intermediate(step, Op("tensor", "buffer", options), [], "index")
