"""Lift views: other sizes, axes in another order, axes more or fewer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.sizes import is_unknown
from mimgraph.importer.trace.records import Step, Value
from mimgraph.ir.dims.dim import Dim, Size

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("view", "reshape", "view_as", "reshape_as", "unflatten")
def reshape(body: BodyLifter, step: Step, input: Value, *shape: Any, **kwargs: Any) -> None:
    old, new = input.sizes, step.results[0].sizes
    if step.results[0].dtype != input.dtype:
        raise CannotLift("arguments", "a view of the bits in another dtype", place=step.place)
    if old == new:
        return body.alias(step, input)
    if not input.is_batched:
        return _reshape(body, step, input, new)
    if not step.results[0].is_batched:
        message = f"a reshape of {shown(old)} to {shown(new)} moves the batch"
        raise CannotLift("batch", message, place=step.place)
    if len(new) == 2 and len(old) > 2:
        body.layer(step, "Flatten", input, "flat")
    else:
        _reshape(body, step, input, new[1:])


def _reshape(body: BodyLifter, step: Step, input: Value, sizes: Sequence[Size]) -> None:
    """Add a Reshape; a lone size that is known only at run time is -1."""
    named = [size for size in sizes if isinstance(size, Dim)]
    if len(named) == 1:
        sizes = [-1 if isinstance(size, Dim) else size for size in sizes]
    elif any(map(is_unknown, named)):
        message = "a reshape to sizes that no expression gives"
        raise CannotLift("size", message, place=step.place)
    body.layer(step, "Reshape", input, "reshaped", shape=[*sizes])


def shown(sizes: Sequence[Size]) -> str:
    """Return sizes as a shape: `(N, T, 64)`."""
    return f"({', '.join(map(str, sizes))})"


@lifts("flatten")
def flatten(
    body: BodyLifter, step: Step, input: Value, start_dim: int = 0, end_dim: int = -1
) -> None:
    if input.sizes == step.results[0].sizes:
        return body.alias(step, input)
    start, end = start_dim % input.rank, end_dim % input.rank
    if input.is_batched and start == 0:
        raise CannotLift("batch", "flatten joins the batch with another axis", place=step.place)
    options: dict[str, Any] = {} if start == 1 else {"start_dim": start}
    options |= {} if end == input.rank - 1 else {"end_dim": end}
    body.layer(step, "Flatten", input, "flat", **options)


@lifts("permute")
def permute(body: BodyLifter, step: Step, input: Value, *dims: Any) -> None:
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], list | tuple) else dims
    body.layer(step, "Permute", input, "permuted", dims=[dim % input.rank for dim in order])


@lifts("transpose", "swapaxes", "swapdims")
def transpose(body: BodyLifter, step: Step, input: Value, dim0: int, dim1: int) -> None:
    one, two = sorted((dim0 % input.rank, dim1 % input.rank))
    body.layer(step, "Transpose", input, "transposed", dim0=one, dim1=two)


@lifts("t", "get_T", "get_mT")
def transpose_last(body: BodyLifter, step: Step, input: Value) -> None:
    if input.rank < 2:
        return body.alias(step, input)
    if step.function == "get_T" and input.rank > 2:
        dims = [*range(input.rank)][::-1]
        body.layer(step, "Permute", input, "permuted", dims=dims)
    else:
        one, two = input.rank - 2, input.rank - 1
        body.layer(step, "Transpose", input, "transposed", dim0=one, dim1=two)


@lifts("unsqueeze")
def unsqueeze(body: BodyLifter, step: Step, input: Value, dim: int) -> None:
    index = dim % (input.rank + 1)
    body.layer(step, "Unsqueeze", input, "unsqueezed", dim=index)


@lifts("squeeze")
def squeeze(body: BodyLifter, step: Step, input: Value, dim: Any = None) -> None:
    given = range(input.rank) if dim is None else dim if isinstance(dim, list | tuple) else [dim]
    axes = [axis % input.rank for axis in given if input.sizes[axis] == 1]
    if not axes:
        return body.alias(step, input)
    body.layer(step, "Squeeze", input, "squeezed", dim=axes if len(axes) > 1 else axes[0])


@lifts("expand", "expand_as", "broadcast_to")
def expand(body: BodyLifter, step: Step, input: Value, *size: Any, **kwargs: Any) -> None:
    old, new = input.sizes, step.results[0].sizes
    if old == new:
        return body.alias(step, input)
    if not input.is_batched or not step.results[0].is_batched or len(old) != len(new):
        message = f"an expansion of {shown(old)} to {shown(new)}"
        raise CannotLift("batch", message, place=step.place)
    sizes = [-1 if one == two else two for one, two in zip(old[1:], new[1:], strict=True)]
    body.layer(step, "Expand", input, "expanded", size=sizes)
