"""Lift views: other sizes, axes in another order, axes more or fewer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.batch_axis import is_swap, swapped
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.folded import fold
from mimgraph.importer.lift.functions.table import lifts, refuse
from mimgraph.importer.sizes import is_unknown
from mimgraph.importer.trace.records import Step, Value
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.types import BATCH

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("view", "reshape", "view_as", "reshape_as", "unflatten", "ravel")
def reshape(body: BodyLifter, step: Step, input: Value, *shape: Any, **kwargs: Any) -> None:
    old, new = input.sizes, step.results[0].sizes
    if step.results[0].dtype != input.dtype:
        raise CannotLift("arguments", "a view of the bits in another dtype", place=step.place)
    if old == new:
        return body.alias(step, input)
    if not input.is_batched:
        return _reshape(body, step, input, new)
    if not step.results[0].is_batched:
        if fold(body, step, input):
            return
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
    if input.rank == 0 or (input.is_batched and start_dim % input.rank == 0):
        return reshape(body, step, input)
    start, end = start_dim % input.rank, end_dim % input.rank
    options: dict[str, Any] = {} if start == 1 else {"start_dim": start}
    options |= {} if end == input.rank - 1 else {"end_dim": end}
    body.layer(step, "Flatten", input, "flat", **options)


@lifts("permute")
def permute(body: BodyLifter, step: Step, input: Value, *dims: Any) -> None:
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], list | tuple) else dims
    _permute(body, step, input, [dim % input.rank for dim in order])


def _permute(body: BodyLifter, step: Step, input: Value, order: list[int]) -> None:
    if order == sorted(order):
        return body.alias(step, input)
    if order == [1, 0, *range(2, input.rank)]:
        return transpose(body, step, input, 0, 1)
    body.layer(step, "Permute", input, "permuted", dims=order)


@lifts("movedim", "moveaxis")
def move(body: BodyLifter, step: Step, input: Value, source: Any, destination: Any) -> None:
    ones, others = (
        [dim % input.rank for dim in (given if isinstance(given, list | tuple) else [given])]
        for given in (source, destination)
    )
    rest = iter(dim for dim in range(input.rank) if dim not in ones)
    moved = dict(zip(others, ones, strict=True))
    _permute(body, step, input, [moved[i] if i in moved else next(rest) for i in range(input.rank)])


@lifts("transpose", "swapaxes", "swapdims")
def transpose(
    body: BodyLifter,
    step: Step,
    input: Value,
    dim0: Any = None,
    dim1: Any = None,
    axis0: Any = None,
    axis1: Any = None,
) -> None:
    given = (dim0 if axis0 is None else axis0, dim1 if axis1 is None else axis1)
    one, two = sorted(dim % input.rank for dim in given)
    if one == two:
        return body.alias(step, input)
    if (one, two) == (0, 1) and is_swap(body.source(input)):
        return body.bind(step.results[0], swapped(body, body.source(input), step.place))
    body.layer(step, "Transpose", input, "transposed", dim0=one, dim1=two)


@lifts("t", "get_T", "get_mT", "adjoint", "numpy_T")
def transpose_last(body: BodyLifter, step: Step, input: Value) -> None:
    if input.rank < 2:
        return body.alias(step, input)
    if step.function == "get_T" and input.rank > 2:
        _permute(body, step, input, [*range(input.rank)][::-1])
    else:
        one, two = input.rank - 2, input.rank - 1
        body.layer(step, "Transpose", input, "transposed", dim0=one, dim1=two)


@lifts("unsqueeze")
def unsqueeze(body: BodyLifter, step: Step, input: Value, dim: int) -> None:
    index = dim % (input.rank + 1)
    if index == 0 and input.is_batched:  # no axis can be put before the batch, but one be swapped
        port = body.intermediate(step, Op("layer", "Unsqueeze", {"dim": 1}), [input])
        return body.bind(step.results[0], swapped(body, port, step.place))
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
    body.result(step, expanded(body, step, body.source(input), step.results[0].sizes))


def expanded(body: BodyLifter, step: Step, port: Port, new: Sequence[Size]) -> Port:
    """Return a port expanded to these sizes; a tensor without a batch may get one, at any axis."""
    type_ = body.type_of(port)
    old = (1,) * (len(new) - type_.rank) + tuple(type_.shape)
    if old == tuple(new) and type_.rank == len(new):
        return port
    place = next((axis for axis, size in enumerate(new) if size == BATCH), None)
    if place is None or old[place] == BATCH:
        sizes = [-1 if one == two else two for one, two in zip(old, new, strict=True)]
        return _expand(body, step, port, sizes[type_.batched :])
    behind = type_.rank - (len(new) - place)  # the axis that becomes the batch, -1 if it is new
    if behind >= 0:
        port = body.intermediate(step, Op("layer", "Squeeze", {"dim": behind}), [port])
    rest = [size for axis, size in enumerate(new) if axis != place]
    port = _expand(body, step, port, rest, batched=True)
    if place:
        order = [*range(1, place + 1), 0, *range(place + 1, len(new))]
        port = body.intermediate(step, Op("layer", "Permute", {"dims": order}), [port])
    return port


def _expand(
    body: BodyLifter, step: Step, port: Port, sizes: list[Any], batched: bool = False
) -> Port:
    given = {"batched": True} if batched else {}
    return body.intermediate(step, Op("layer", "Expand", {"size": sizes, **given}), [port])


@lifts("repeat", "tile")
def repeat(body: BodyLifter, step: Step, input: Value, *repeats: Any, dims: Any = None) -> None:
    given = dims if dims is not None else repeats[0] if _is_list(repeats) else repeats
    given = [1] * (input.rank - len(given)) + [*given]
    missing = len(given) - input.rank
    new = [
        count if size == 1 else size
        for count, size in zip(given, (1,) * missing + input.sizes, strict=True)
    ]
    port = expanded(body, step, body.source(input), new)
    rest = [1 if size == count else count for count, size in zip(given, new, strict=True)]
    if any(count != 1 for count in rest):
        op = Op("layer", "Repeat", {"repeats": rest})
        port = body.intermediate(step, op, [port], "repeated")
    body.result(step, port)


def _is_list(given: tuple[Any, ...]) -> bool:
    return len(given) == 1 and isinstance(given[0], list | tuple)


@lifts("repeat_interleave")
def repeat_each(
    body: BodyLifter,
    step: Step,
    input: Value,
    repeats: Any,
    dim: int | None = None,
    output_size: Any = None,
) -> None:
    """Add an axis, expand it and join it with the one before."""
    if dim is None or isinstance(repeats, Value):
        message = "repeat_interleave of all axes, or as often as a tensor says"
        raise CannotLift("arguments", message, place=step.place)
    axis = dim % input.rank
    if input.is_batched and axis == 0:
        raise CannotLift("batch", "repeat_interleave repeats the samples", place=step.place)
    port = body.intermediate(step, Op("layer", "Unsqueeze", {"dim": axis + 1}), [input])
    sizes = (*input.sizes[: axis + 1], repeats, *input.sizes[axis + 1 :])
    port = expanded(body, step, port, sizes)
    options = {"start_dim": axis, "end_dim": axis + 1}
    body.layer(step, "Flatten", port, "repeated", **options)


@lifts("flip", "fliplr", "flipud")
def flip(body: BodyLifter, step: Step, input: Value, *axes: Any, dims: Any = None) -> None:
    given = dims if dims is not None else axes[0] if _is_list(axes) else axes
    if not given:
        given = (1 if step.function == "fliplr" else 0,)
    body.layer(step, "Flip", input, "flipped", dims=[*given] if len(given) != 1 else given[0])


@lifts("roll")
def roll(body: BodyLifter, step: Step, input: Value, shifts: Any, dims: Any = None) -> None:
    if dims in (None, (), []):
        raise CannotLift("arguments", "roll over all axes as if they were one", place=step.place)
    options = {"shifts": shifts, "dims": dims}
    plain = {key: [*one] if isinstance(one, tuple) else one for key, one in options.items()}
    body.layer(step, "Roll", input, "rolled", **plain)


@lifts("pad", "constant_pad_nd")
def pad(
    body: BodyLifter,
    step: Step,
    input: Value,
    pad: Any,
    mode: Any = "constant",
    value: float | None = None,
) -> None:
    if not isinstance(mode, str):  # constant_pad_nd(input, pad, value)
        mode, value = "constant", mode
    if all(one == 0 for one in pad):
        return body.alias(step, input)
    widths = [*pad]
    while len(widths) > 2 and mode == "constant" and widths[-2:] == [0, 0]:
        widths = widths[:-2]
    options = {} if mode == "constant" else {"mode": mode}
    options |= {"value": float(value)} if value else {}
    refuse(step, pad=next((one for one in widths if not isinstance(one, int)), None))
    body.layer(step, "Pad", input, "padded", pad=widths, **options)
