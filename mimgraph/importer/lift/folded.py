"""Lift layers and functions that read a tensor with an axis folded into the batch.

    x = self.cnn(frames.view(N * T, 3, 64, 64)).view(N, T, 512)

A folded tensor, `(N*T, 3, 64, 64)`, stands for one with the axis behind the batch, `(N, T, 3, 64, 64)`.
What computes along other axes reads that one, with its axes counted from the end. What needs the batch
first, such as a convolution, is a node with `over: 1`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.importer.draft import Op
from mimgraph.importer.lift.collapse import WEIGHTS
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.activation import LAYERS as ACTIVATIONS
from mimgraph.importer.lift.functions.slicing import without_ellipsis
from mimgraph.importer.lift.functions.spatial import POOLS, RESHAPES
from mimgraph.importer.lift.functions.table import bound_arguments, handler, plain_name
from mimgraph.importer.lift.leaves.table import leaf
from mimgraph.importer.lift.opaque import declare_module
from mimgraph.importer.lift.typing import type_of
from mimgraph.importer.trace.leaves import torch_class
from mimgraph.importer.trace.records import Call, Step, Value
from mimgraph.ir.dim import Dim, Size, symbols
from mimgraph.ir.sizes import equal
from mimgraph.ir.types import BATCH

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

VIEWS = ("view", "reshape", "view_as", "reshape_as", "flatten", "unflatten")
# functions and layers that work along the last axis, or on each number
_LAST_AXIS_FUNCTIONS = ("linear", "layer_norm", "rms_norm", "embedding")
LAST_AXIS = ("Linear", "LayerNorm", "RMSNorm", "Embedding", "Dropout", "Identity")
BATCH_FIRST = {*POOLS, *RESHAPES, *WEIGHTS, "unfold", "interpolate", "upsample", "grid_sample"}
BATCH_FIRST -= {*_LAST_AXIS_FUNCTIONS}
_LISTS = ("permute", "repeat", "flip")  # functions of a list that has a value for each axis
DIMS = ("dim", "dim0", "dim1", "axis", "axis0", "axis1", "source", "destination")


def fold(body: BodyLifter, step: Step, input: Value) -> bool:
    """Let the result of a view be a folded tensor; return False if it is none."""
    (lead, *rest) = step.results[0].sizes
    axis = _without_batch(lead)
    if axis is None:
        return False
    unfolded = _unfolded(body, step.results[0], (BATCH, axis, *rest))
    port = body.source(input)
    if input.sizes != unfolded.sizes:
        shape = _lone([axis, *rest])
        port = body.intermediate(step, Op("layer", "Reshape", {"shape": shape}), [port], "folded")
    body.bind(unfolded, port)
    return True


def _without_batch(size: Size) -> Size | None:
    """Return T for the size N*T; None for any other."""
    if not isinstance(size, Dim) or size == BATCH or "N" not in symbols(size):
        return None
    axis = size // BATCH
    return axis if equal(axis * BATCH, size) is True and "N" not in _names(axis) else None


def _folded_axis(value: Value) -> tuple[int, Size | None]:
    """Return which axis of a folded tensor is N*T, and T; None where no axis is."""
    axes = ((i, _without_batch(size)) for i, size in enumerate(value.sizes))
    return next(((i, axis) for i, axis in axes if axis is not None), (0, None))


def unfolded_sizes(value: Value) -> tuple[Size, ...]:
    """Return the sizes of the tensor that a folded one stands for."""
    place, axis = _folded_axis(value)
    assert axis is not None
    return (*value.sizes[:place], BATCH, axis, *value.sizes[place + 1 :])


def _names(size: Size) -> Sequence[str]:
    return [*symbols(size)] if isinstance(size, Dim) else []


def _lone(sizes: list[Size]) -> list[Size]:
    """Return sizes with -1 for the only one that is known at run time alone."""
    named = [size for size in sizes if isinstance(size, Dim)]
    return [-1 if isinstance(size, Dim) else size for size in sizes] if len(named) == 1 else sizes


def _unfolded(body: BodyLifter, value: Value, sizes: tuple[Size, ...]) -> Value:
    """Return the tensor that a folded one stands for from now on."""
    found = replace(value, sizes=sizes, shape=(0,) * len(sizes), kind="result")
    body.folds[id(value)] = found
    body.lifter.uses[id(found)] = body.lifter.uses[id(value)]
    body.lifter.origins[id(found)] = value
    return found


def lift_folded(body: BodyLifter, step: Step) -> None:
    """Lift a step that has folded tensors among its arguments."""
    if step.function in VIEWS:
        return _view(body, step)
    if step.function.rstrip("_") in BATCH_FIRST:
        with _as_batch(body, step):
            return handler(step)(body, step)
    axes = {_folded_axis(v)[1] for v in step.arguments if body.fold_of(v)}
    if len(axes) > 1 or {_folded_axis(value)[1] for value in step.results} != axes:
        message = f"{plain_name(step.function)} of a batch with another axis in it"
        raise CannotLift("batch", message, place=step.place)
    bound = _moved_arguments(body, step)
    moved = replace(step, args=bound.args[2:], kwargs=bound.kwargs)
    moved.result = [_unfolded(body, value, unfolded_sizes(value)) for value in step.results]
    try:
        handler(moved)(body, moved)
    except CannotLift:
        for value in step.results:
            del body.folds[id(value)]
        raise


def _view(body: BodyLifter, step: Step) -> None:
    """Lift a view of a folded tensor, which often takes the axis out of the batch again."""
    input = body.fold_of(step.arguments[0])
    result = step.results[0]
    if input is None or not input.is_batched:
        message = "a view of a batch with another axis in it"
        raise CannotLift("batch", message, place=step.place)
    if result.is_batched:
        port = body.source(input)
        if input.sizes != result.sizes:
            shape = _lone([*result.sizes[1:]])
            port = body.intermediate(
                step, Op("layer", "Reshape", {"shape": shape}), [port], "reshaped"
            )
        body.result(step, port)
    elif not fold(body, step, input):
        raise CannotLift("batch", "a view that moves the batch", place=step.place)


def _moved_arguments(body: BodyLifter, step: Step) -> inspect.BoundArguments:
    """Return the arguments of a step: unfolded tensors, and axes counted from the end."""
    bound = bound_arguments(step)
    bound.apply_defaults()
    named = bound.arguments
    first = next(v for v in step.arguments if body.fold_of(v))
    place, rank = _folded_axis(first)[0], first.rank
    axes = _Axes(step, place, rank + (step.function in ("unsqueeze", "stack")))
    if step.function == "__getitem__":
        parts = named["index"] if isinstance(named["index"], tuple) else (named["index"],)
        named["index"] = axes.parts(without_ellipsis(parts, rank))
    elif step.function in _LISTS:
        name = next(name for name in ("dims", "repeats", "axes") if named.get(name))
        given = named[name]
        given = given[0] if isinstance(given[0], list | tuple) else given
        named[name] = getattr(axes, step.function)(given)
    elif step.function == "einsum":
        named["equation"] = _moved_equation(body, step, named["equation"])
    for name in DIMS:
        if named.get(name) is not None:
            named[name] = axes.dim(named[name])
    for name in [*named][2:]:
        named[name] = _replaced(body, named[name])
    return bound


def _moved_equation(body: BodyLifter, step: Step, equation: str) -> str:
    """Return an equation with one more letter behind that of the batch."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms, operands = left.split(","), step.arguments
    letters = {term[:1] for term, one in zip(terms, operands, strict=True) if body.fold_of(one)}
    new = next(letter for letter in "zyxwvutsrq" if letter not in equation)
    moved = [term.replace(first, first + new) for term in (*terms, right) for first in letters]
    alike = all(
        (body.fold_of(one) is not None) == (term[:1] in letters)
        for term, one in zip(terms, operands, strict=True)
    )
    if not arrow or len(letters) != 1 or "." in equation or not alike:
        raise CannotLift("batch", "an einsum of a batch with another axis in it", place=step.place)
    return f"{','.join(moved[:-1])}->{moved[-1]}"


class _Axes(NamedTuple):
    """The axes of a folded tensor; behind that at `place`, the unfolded tensor has another."""

    step: Step
    place: int
    rank: int

    def dim(self, dim: Any) -> Any:
        """Return an axis, or several, counted from the end behind the batch."""
        if isinstance(dim, list | tuple):
            return [self.dim(one) for one in dim]
        if dim % self.rank == self.place:
            raise self._refused("along")
        return dim % self.rank if dim % self.rank < self.place else dim % self.rank - self.rank

    def flip(self, dims: Sequence[int]) -> Any:
        """Return the axes that flip reverses."""
        return self.dim(dims)

    def permute(self, dims: Sequence[int]) -> list[int]:
        """Return an order of the axes, with the batch and the axis behind it side by side."""
        order = list[int]()
        for dim in (one % self.rank for one in dims):
            order += [dim, dim + 1] if dim == self.place else [dim + (dim > self.place)]
        return order

    def repeat(self, repeats: Sequence[Any]) -> list[Any]:
        """Return how often each axis is repeated, the batch once."""
        if len(repeats) != self.rank or repeats[self.place] != 1:
            raise self._refused("of")
        return [*repeats[: self.place], 1, *repeats[self.place :]]

    def parts(self, parts: Sequence[Any]) -> tuple[Any, ...]:
        """Return the parts of an index, which takes the whole batch."""
        found, axis = list[Any](), 0
        for part in parts:
            found.append(part)
            if axis == self.place and part is not None:
                if part != slice(None):
                    raise self._refused("of")
                found.append(part)
            axis += part is not None
        return tuple(found)

    def _refused(self, word: str) -> CannotLift:
        message = f"{plain_name(self.step.function)} {word} a batch with another axis in it"
        return CannotLift("batch", message, place=self.step.place)


def _replaced(body: BodyLifter, given: Any) -> Any:
    """Return arguments with unfolded tensors for folded ones."""
    if isinstance(given, Value):
        return body.fold_of(given) or given
    if isinstance(given, list | tuple):
        return type(given)(_replaced(body, one) for one in given)
    if isinstance(given, dict):
        return {name: _replaced(body, one) for name, one in given.items()}
    return given


# modules


def call_folded(body: BodyLifter, call: Call) -> bool:
    """Lift the call of a module with folded arguments; return False if its body can be lifted as it is."""
    if call.is_closed:
        cls = torch_class(call.module)
        name = "" if cls is None else cls.__name__
        if not call.opaque and name in (*LAST_AXIS, *ACTIVATIONS.values()):
            _last_axis(body, call)
        else:
            with _as_batch(body, call):
                declare_module(body, call) if call.opaque else leaf(body, call)(body, call)
        return True
    if not _is_alike_inside(body, call):
        return False
    with _as_batch(body, call):
        body.block(call)
    return True


def _last_axis(body: BodyLifter, call: Call) -> None:
    """Add a layer that works along the last axis, of the unfolded tensor."""
    (value,) = call.results
    (input,) = call.arguments
    found = body.fold_of(input)
    assert found is not None
    moved = replace(call, args=_replaced(body, call.args), kwargs=_replaced(body, call.kwargs))
    moved.result = _unfolded(body, value, (*found.sizes[:2], *value.sizes[1:]))
    leaf(body, moved)(body, moved)


def _is_alike_inside(body: BodyLifter, call: Call) -> bool:
    """Return whether all that a call reads and makes has the same axis folded into its batch."""
    folds = [body.fold_of(one) for one in call.arguments]
    if not folds or any(one is None for one in folds):
        return False
    lead = call.arguments[0].sizes[0]
    made = [value for item in call.walk() for value in item.results]
    return all(
        "N" not in {name for size in value.sizes[1:] for name in _names(size)}
        and (value.sizes[:1] == (lead,) or not value.sizes or "N" not in _names(value.sizes[0]))
        and not (value.fixed and value.sizes[:1] == (lead,))
        for value in (*made, *call.arguments)
    )


@contextmanager
def _as_batch(body: BodyLifter, item: Step | Call) -> Iterator[None]:
    """Let the folded axis be a part of the batch inside: the node that is added gets `over: 1`."""
    folds = {id(one): found for one in item.arguments if (found := body.fold_of(one))}
    inputs = {id(one): one for one in item.arguments if id(one) in folds}
    axis = next(iter(folds.values())).sizes[1]
    made = [value for inner in _inside(item) for value in inner.results]
    known = {id(one): one.sizes for one in (*inputs.values(), *made)}
    types = dict(body.types)
    for one in (*inputs.values(), *made):
        if one.sizes and _without_batch(one.sizes[0]) == axis:
            one.sizes = (BATCH, *one.sizes[1:])
    hidden = {key: body.folds.pop(key) for key in folds if key in body.folds}
    body.as_batch |= set(folds)
    for key, found in folds.items():
        port = body.ports[key] = body.source(found)
        body.types[port] = type_of(inputs[key], body.lifter.model_dtype)
    count = len(body.body.nodes)
    try:
        yield
        added = body.body.nodes[count:]
        if len(added) != 1:
            message = "more than one node for a batch with another axis in it"
            raise CannotLift("batch", message, place=item.place)
        added[0].over = 1
    finally:
        body.types = types
        body.as_batch -= set(folds)
        body.folds |= hidden
        for key in folds:
            body.ports.pop(key, None)
        for one in (*inputs.values(), *made):
            one.sizes = known[id(one)]
    for value in made:
        if id(value) in body.ports:
            unfolded = _unfolded(body, value, (BATCH, axis, *value.sizes[1:]))
            body.bind(unfolded, body.ports.pop(id(value)))


def _inside(item: Step | Call) -> Iterator[Step | Call]:
    yield item
    if isinstance(item, Call) and not item.is_closed:
        yield from item.walk()
