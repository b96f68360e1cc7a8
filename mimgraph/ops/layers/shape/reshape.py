"""Define views and copies of the same elements, named as in torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from mimgraph.ir.code import Code, by_position
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.sizes import divisible, equal
from mimgraph.ir.types import BATCH, Constraint, TensorType
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import any_axis, axis_across, axis_index, bad_option


@layer(family="reshape")
def Reshape(input: TensorType, /, shape: tuple[Size | Literal[-1], ...]) -> Lowering:
    """The same elements in other sizes, one of which may be -1: (N, *) -> (N, *shape).

    `shape` leaves the batch out.

    Example:
        x: [12, 4]
        {layer: Reshape, from: x, shape: [3, 4, -1]}
    """
    if shape.count(-1) > 1:
        raise bad_option("shape", "only one size may be -1")
    dims, requires = _filled(input, shape)
    written = _arguments(input, dims, shape.index(-1) if -1 in shape else None)
    return Lowering(
        moved(input, *dims),
        call=_with_sizes("reshape", *written),
        requires=requires,
        makes=(),
        gathers=tuple(dims) != input.dims,
    )


@layer(family="reshape")
def Permute(input: TensorType, /, dims: tuple[int, ...]) -> Lowering:
    """The axes in the order `dims`: (N, A, B) -> (N, B, A), or (A, B, N) if `dims` starts with 1.

    Example:
        image: [3, 32, 32]
        {layer: Permute, from: image, dims: [0, 2, 3, 1]}
    """
    rank = input.rank
    order = [dim % rank if -rank <= dim < rank else dim for dim in dims]
    if sorted(order) != list(range(rank)):
        raise bad_option("dims", f"dims must list each of the {rank} axes of {input} once")
    return Lowering(
        reshaped(input, *(input.shape[index] for index in order)),
        call=_with_sizes("permute", *by_position(**{f"dim{i}": dim for i, dim in enumerate(dims)})),
        makes=(),
        scatters=True,
    )


@layer(family="reshape")
def Transpose(input: TensorType, /, dim0: int, dim1: int) -> Lowering:
    """Two axes swapped: (N, A, B) -> (N, B, A).

    Example:
        tokens: [T, 64]
        {layer: Transpose, from: tokens, dim0: 1, dim1: 2}
    """
    one, two = any_axis(input, dim0, "dim0"), any_axis(input, dim1, "dim1")
    shape = list(input.shape)
    shape[one], shape[two] = shape[two], shape[one]
    return Lowering(
        reshaped(input, *shape),
        call=INPUT.method("transpose", *by_position(dim0=dim0, dim1=dim1)),
        makes=(),
        scatters=True,
    )


@layer(family="reshape")
def Unsqueeze(input: TensorType, /, dim: int) -> Lowering:
    """A new axis of size 1: (N, *) -> (N, 1, *) for dim 1.

    Example:
        grey: [32, 32]
        {layer: Unsqueeze, from: grey, dim: 1}
    """
    index = axis_index(input, dim, new=1)
    added = INPUT.method("unsqueeze", *by_position(dim=dim))
    return Lowering(input.with_axis(index, 1), call=added, makes=())


@layer(family="reshape")
def Squeeze(input: TensorType, /, dim: int | tuple[int, ...]) -> Lowering:
    """x without axes of size 1; as in torch, others stay: (N, 1, *) -> (N, *) for dim 1.

    Example:
        grey: [1, 32, 32]
        {layer: Squeeze, from: grey, dim: 1}
    """
    axes = axis_indices(input, dim)
    for size in (input.dims[index] for index in axes):
        if isinstance(size, Dim):
            message = f"Squeeze needs an axis of known size, not {size}"
            raise OpFault("symbolic-size", message)
    dims = [size for index, size in enumerate(input) if index not in axes or size != 1]
    squeezed = INPUT.method("squeeze", *by_position(dim=dim))
    return Lowering(moved(input, *dims), call=squeezed, makes=())


@layer(family="reshape")
def Expand(
    input: TensorType, /, size: tuple[Size | Literal[-1], ...], *, batched: bool = False
) -> Lowering:
    """Axes of size 1 expanded without a copy: (N, 1, D) -> (N, T, D).

    `size` leaves the batch out; -1 keeps a size. A tensor without a batch may get new axes in front;
    with `batched: true` it gets the batch in front of them, (D,) -> (N, D) for size [-1].

    Example:
        query: [1, 64]
        {layer: Expand, from: query, size: [4, -1]}
    """
    if batched and input.batched:
        raise bad_option(
            "batched", f"Expand got {input}, which has a batch already", "leave batched out"
        )
    new = len(size) - len(input.dims)
    if new < 0 or (new and input.batched):
        behind = " behind the batch" if input.batched else ""
        raise bad_option(
            "size", f"size has {len(size)} values, but {input} has {len(input.dims)} axes{behind}"
        )
    olds = (None,) * new + input.dims
    dims = [_expanded(old, wanted) for old, wanted in zip(olds, size, strict=True)]
    # -1 keeps a size known only at run time without reading it
    kept = [isinstance(old, Dim) and old == dim for old, dim in zip(olds, dims, strict=True)]
    written = [-1 if stays else wanted for stays, wanted in zip(kept, size, strict=True)]
    batch = (-1,) if input.batched else (BATCH,) if batched else ()
    return Lowering(
        replace(moved(input, *dims), batched=input.batched or batched),
        call=_with_sizes("expand", *batch, *written),
        makes=(),
        scatters=True,
    )


@layer(family="reshape")
def Repeat(input: TensorType, /, repeats: tuple[Size, ...]) -> Lowering:
    """Each axis repeated, the batch 1 time, as torch's `repeat`: (N, T) -> (N, 2 * T).

    Example:
        x: [3, 8]
        {layer: Repeat, from: x, repeats: [1, 1, 4]}
    """
    new = len(repeats) - input.rank
    if new < 0 or (new and input.batched):
        message = f"repeats has {len(repeats)} values, but {input} has {input.rank} axes"
        raise bad_option("repeats", message, "the first value is for the batch: 1")
    if input.batched and repeats[0] != 1:
        raise bad_option("repeats", "the batch cannot be repeated", "let repeats start with 1")
    sizes = (1,) * new + tuple(input.shape)
    dims = [size * times for size, times in zip(sizes, repeats, strict=True)]
    return Lowering(moved(input, *dims[input.batched :]), call=_with_sizes("repeat", *repeats))


@layer(family="reshape")
def Roll(
    input: TensorType, /, shifts: int | tuple[int, ...], dims: int | tuple[int, ...]
) -> Lowering:
    """Values shifted along axes; those that leave at the end enter at the start: (*) -> (*).

    Example:
        image: [3, 32, 32]
        {layer: Roll, from: image, shifts: [4, 4], dims: [2, 3]}
    """
    shifted = shifts if isinstance(shifts, tuple) else (shifts,)
    moves = dims if isinstance(dims, tuple) else (dims,)
    if len(shifted) != len(moves) or not moves:
        raise bad_option("shifts", "shifts needs one number for each of dims")
    for dim in moves:
        axis_index(input, dim, "dims")
    return Lowering(input, call=INPUT.method("roll", *by_position(shifts=shifts, dims=dims)))


@layer(family="reshape")
def Flip(input: TensorType, /, dims: int | tuple[int, ...]) -> Lowering:
    """Values in reverse order along axes: (*) -> (*).

    Example:
        tokens: [T, 64]
        {layer: Flip, from: tokens, dims: 1}
    """
    axis_indices(input, dims, "dims")
    return Lowering(input, call=INPUT.method("flip", *by_position(dims=dims)))


def _with_sizes(method: str, *sizes: Any) -> Code:
    """Return the call of a method that takes sizes; torch takes no sizes only as an empty tuple."""
    return INPUT.method(method, *(sizes or ((),)))


def axis_indices(input: TensorType, dim: int | tuple[int, ...], option: str = "dim") -> list[int]:
    """Return one axis or several as indices into the dims; refuse one that is given twice."""
    return _each_once([axis_index(input, axis, option) for axis in _tuple(dim)], option)


def axes_across(input: TensorType, dim: int | tuple[int, ...]) -> list[int]:
    """Return one axis or several as indices into the shape, as `axis_across` does for one."""
    return _each_once([axis_across(input, axis) for axis in _tuple(dim)], "dim")


def _tuple(dim: int | tuple[int, ...]) -> tuple[int, ...]:
    return dim if isinstance(dim, tuple) else (dim,)


def _each_once(axes: list[int], option: str) -> list[int]:
    """Return the axes; refuse none, and one that is given twice."""
    if not axes or len(set(axes)) != len(axes):
        raise bad_option(option, f"{option} must be one axis or several, each once")
    return axes


def _expanded(old: Size | None, wanted: Any) -> Size:
    """Return the size to which an axis of size `old`, or a new one, is expanded."""
    if wanted == -1:
        if old is None:
            raise bad_option("size", "a new axis has no size that -1 could keep")
        return old
    if old not in (None, 1, wanted):
        raise bad_option(
            "size", f"only an axis of size 1 can be expanded to {wanted}, not one of {old}"
        )
    size: Size = wanted
    return size


def moved(input: TensorType, *dims: Size) -> TensorType:
    """Return the type of the same values with other dims, with the same facts about the values."""
    return replace(input, dims=dims)


def reshaped(input: TensorType, *shape: Size) -> TensorType:
    """Return the type of the same values in another shape, the batch counted."""
    return replace(input, dims=shape, batched=False)


def product(sizes: Iterable[Size]) -> Size:
    """Return the product of the sizes."""
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


def divided(total: Size, by: Size) -> tuple[Size, tuple[Constraint, ...]] | None:
    """Return `total / by` and the constraint that it is whole; None if it is not, or may not be."""
    if not isinstance(by, Dim):
        whole = divisible(total, by)
        if isinstance(total, Dim) and whole is None:
            return total // by, (Constraint(total, divisor=by),)
    else:
        whole = equal(total % by, 0)
    return (total if by == 1 else total // by, ()) if whole else None


def _filled(
    input: TensorType, shape: tuple[Any, ...]
) -> tuple[tuple[Size, ...], tuple[Constraint, ...]]:
    """Return the sizes with -1 computed, and the constraint that it is whole."""
    total, given = product(input), product(size for size in shape if size != -1)
    if -1 not in shape:
        if equal(total, given) is not True:
            raise bad_option("shape", f"shape holds {given} elements, but {input} has {total}")
        return shape, ()
    quotient = divided(total, given)
    if quotient is None:
        raise bad_option(
            "shape", f"no size fits -1: {given} does not divide the {total} elements of {input}"
        )
    computed, requires = quotient
    return tuple(computed if size == -1 else size for size in shape), requires


def _arguments(input: TensorType, dims: tuple[Size, ...], computed: int | None) -> tuple[Size, ...]:
    """Return the sizes as written in the call: -1 for the batch, or for a size that is a name."""
    symbolic = [i for i, size in enumerate(dims) if isinstance(size, Dim)]
    batch = (BATCH,) if input.batched else ()
    if not symbolic:
        return (-1,) * input.batched + dims
    # a size that no axis of the input has can only be computed
    fresh = [i for i in symbolic if dims[i] not in input.dims]
    index = computed if computed in symbolic else (fresh or symbolic)[0]
    return (*batch, *(-1 if i == index else size for i, size in enumerate(dims)))
