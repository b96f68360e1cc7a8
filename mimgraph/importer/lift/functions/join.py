"""Lift what joins tensors and takes them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mimgraph.importer.draft import Port
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("cat", "concat", "concatenate")
def concatenate(
    body: BodyLifter, step: Step, tensors: Sequence[Value], dim: int = 0, axis: int | None = None
) -> None:
    dim = dim if axis is None else axis
    if len(tensors) == 1:
        return body.alias(step, tensors[0])
    body.merge(step, "concat", tensors, "joined", **({} if dim == 1 else {"dim": dim}))


@lifts("stack")
def stack(body: BodyLifter, step: Step, tensors: Sequence[Value], dim: int = 0) -> None:
    body.merge(step, "stack", tensors, "stacked", **({} if dim == 1 else {"dim": dim}))


@lifts("chunk")
def chunk(body: BodyLifter, step: Step, input: Value, chunks: int, dim: int = 0) -> None:
    parts(body, step, "Chunk", input, chunks=chunks, dim=dim)


@lifts("split", "split_with_sizes", "tensor_split")
def split(
    body: BodyLifter,
    step: Step,
    input: Value,
    split_size_or_sections: Any = None,
    dim: int = 0,
    split_size: Any = None,
    split_sizes: Any = None,
) -> None:
    given = (split_size_or_sections, split_size, split_sizes)
    sizes = next(one for one in given if one is not None)
    sizes = [*sizes] if isinstance(sizes, tuple) else sizes
    parts(body, step, "Split", input, split_size_or_sections=sizes, dim=dim)


@lifts("unbind", "__iter__")
def unbind(body: BodyLifter, step: Step, input: Value, dim: int = 0) -> None:
    parts(body, step, "Unbind", input, dim=dim)


def parts(body: BodyLifter, step: Step, layer: str, input: Value, **options: Any) -> None:
    """Add a layer whose ports are the results of the step by number."""
    node = body.layer(step, layer, input, "parts", **options)
    for index, value in enumerate(step.results):
        body.bind(value, Port(node, str(index)))
