"""Lift what joins tensors and takes them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.reduction import cast
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("cat", "concat", "concatenate")
def concatenate(
    body: BodyLifter, step: Step, tensors: Sequence[Value], dim: int = 0, axis: int | None = None
) -> None:
    dim = dim if axis is None else axis
    result = step.results[0]
    given = [one for one in tensors if one.rank == result.rank]  # torch leaves out empty vectors
    if len(given) == 1:
        return body.alias(step, given[0])
    sources = [cast(body, step, one, result.dtype) for one in given]
    index = dim % result.rank
    body.merge(step, "concat", sources, "joined", **_dim(dim, index), **_meeting(body, given))


@lifts("stack")
def stack(body: BodyLifter, step: Step, tensors: Sequence[Value], dim: int = 0) -> None:
    if len(tensors) == 1:
        body.layer(step, "Unsqueeze", tensors[0], "stacked", dim=dim)
        return
    result = step.results[0]
    sources = [cast(body, step, one, result.dtype) for one in tensors]
    index = dim % result.rank
    if index == 0 and any(one.is_batched for one in tensors):
        port = body.intermediate(step, Op("merge", "stack", {}), sources, "stacked")
        body.layer(step, "Transpose", port, "transposed", dim0=0, dim1=1)
        return
    body.merge(step, "stack", sources, "stacked", **_dim(dim, index), **_meeting(body, tensors))


def _dim(dim: int, index: int) -> dict[str, Any]:
    """Return the option `dim` of a merge, whose default is 1."""
    return {} if index == 1 else {"dim": dim}


def _meeting(body: BodyLifter, tensors: Sequence[Value]) -> dict[str, Any]:
    """Return the option by which tensors without a batch meet others."""
    batched = {body.type_of(one).batched for one in tensors}
    return {"broadcast": True} if len(batched) > 1 else {}


@lifts("hstack", "column_stack")
def join_columns(body: BodyLifter, step: Step, tensors: Sequence[Value]) -> None:
    concatenate(body, step, tensors, 0 if tensors[0].rank == 1 else 1)


@lifts("chunk")
def chunk(body: BodyLifter, step: Step, input: Value, chunks: int, dim: int = 0) -> None:
    sizes = [value.sizes[dim] for value in step.results]
    if len(sizes) == chunks and all(size == sizes[0] for size in sizes):
        return parts(body, step, "Chunk", input, chunks=chunks, **_dim(dim, dim % input.rank))
    parts(body, step, "Split", input, split_size_or_sections=sizes, **_dim(dim, dim % input.rank))


@lifts("split", "split_with_sizes", "tensor_split", "unsafe_split")
def split(
    body: BodyLifter,
    step: Step,
    input: Value,
    split_size_or_sections: Any = None,
    dim: int = 0,
    split_size: Any = None,
    split_sizes: Any = None,
    indices_or_sections: Any = None,
    tensor_indices_or_sections: Any = None,
) -> None:
    sizes: Any = [value.sizes[dim] for value in step.results]
    given = split_size_or_sections if split_size is None else split_size
    if step.function == "split" and isinstance(given, int):
        sizes = given
    parts(body, step, "Split", input, split_size_or_sections=sizes, **_dim(dim, dim % input.rank))


@lifts("unbind", "__iter__")
def unbind(body: BodyLifter, step: Step, input: Value, dim: int = 0) -> None:
    if input.is_batched and dim % input.rank == 0:
        raise CannotLift("batch", "unbind takes the samples apart", place=step.place)
    parts(body, step, "Unbind", input, **_dim(dim, dim % input.rank))


def parts(body: BodyLifter, step: Step, layer: str, input: Value, **options: Any) -> None:
    """Add a layer whose ports are the results of the step by number."""
    if len(step.results) == 1 and layer != "Unbind":
        return body.alias(step, input)
    port = body.intermediate(
        step, Op("layer", layer, options), [input], body.name_of(step, "parts")
    )
    for index in range(len(step.results)):
        body.result(step, Port(port.node, str(index)), index)
