"""Layers that reorder, cut and reshape axes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import prod
from typing import Annotated, Any, Literal

from mimgraph.diagnostics.text import remove
from mimgraph.ir.code import Code, Tuple, by_position, named_constant
from mimgraph.ir.code import Slice as SliceCode
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.lowering import INPUT, RESULT, Lowering, Port, module
from mimgraph.ir.option_types import Positive, Range
from mimgraph.ir.sizes import equal
from mimgraph.ir.types import BATCH, Constraint, TensorType
from mimgraph.ops.layer_call import layer
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    any_axis,
    axis_index,
    axis_indices,
    bad_option,
    divided,
    known,
    moved,
    reshaped,
    same_size,
    without_axes,
)


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
        message = f"Expand got {input}, which has a batch already"
        raise bad_option("batched", message, remove("batched"))
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


def _filled(
    input: TensorType, shape: tuple[Any, ...]
) -> tuple[tuple[Size, ...], tuple[Constraint, ...]]:
    """Return the sizes with -1 computed, and the constraint that it is whole."""
    total, given = prod(input), prod(size for size in shape if size != -1)
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


# Define Flatten and Unflatten.


@layer(family="flatten")
def Flatten(input: TensorType, /, start_dim: int = 1, end_dim: int = -1) -> Lowering:
    """Axes `start_dim` to `end_dim` as one: (N, *) -> (N, D).

    Example:
        image: [3, 32, 32]
        {layer: Flatten, from: image}
    """
    if not input.dims:
        raise without_axes(input, "Flatten takes (N, *)")
    start = axis_index(input, start_dim, "start_dim")
    end = axis_index(input, end_dim, "end_dim")
    if start > end:
        raise bad_option("start_dim", f"start_dim {start_dim} is after end_dim {end_dim}")
    dims = input.dims
    return Lowering(
        moved(input, *dims[:start], prod(dims[start : end + 1]), *dims[end + 1 :]),
        module("Flatten", start_dim=start_dim, end_dim=end_dim),
        function=flattened(INPUT, start_dim, end_dim),
        makes=(),
        gathers=start < end,
    )


@layer(family="flatten")
def Unflatten(
    input: TensorType, /, dim: int, unflattened_size: tuple[Positive | Literal[-1], ...]
) -> Lowering:
    """One axis as several, the size of one may be -1: (N, A * B) -> (N, A, B) for dim 1.

    Example:
        x: [48]
        {layer: Unflatten, from: x, dim: 1, unflattened_size: [3, 4, 4]}
    """
    index = axis_index(input, dim)
    size, sizes = input.dims[index], unflattened_size
    if not sizes or sizes.count(-1) > 1:
        raise bad_option(
            "unflattened_size", "unflattened_size is a list of sizes, at most one of them -1"
        )
    given = prod(int(part) for part in sizes if part != -1)
    if -1 not in sizes and not same_size(size, given):
        raise bad_option(
            "unflattened_size", f"the product of the sizes is {given}, but the axis has {size}"
        )
    split = divided(size, given)
    if split is None:
        raise bad_option("unflattened_size", f"no size fits -1: {given} does not divide {size}")
    rest, requires = split
    parts = [rest if part == -1 else part for part in sizes]
    return Lowering(
        moved(input, *input.dims[:index], *parts, *input.dims[index + 1 :]),
        module("Unflatten", dim=dim, unflattened_size=sizes),
        function=INPUT.method("unflatten", dim, sizes),
        requires=requires,
        makes=(),
    )


def flattened(x: Code, start: int, end: int) -> Code:
    """Return the code `x.flatten(start, end)`, without `end` where it is -1, the default."""
    return x.method("flatten", start, *(() if end == -1 else (end,)))


# Define layers that take parts of an axis: one index, a range, or pieces, each a port.


MAX_PARTS = 1000
Position = Annotated[int, Range()] | Dim | None


@layer(family="slicing")
def Select(input: TensorType, /, dim: int, index: int) -> Lowering:
    """One index of an axis, which is dropped: (N, T, *) -> (N, *) for dim 1.

    Example:
        tokens: [T, 64]
        {layer: Select, from: tokens, dim: 1, index: 0}
    """
    axis = axis_index(input, dim)
    requires = long_enough(input.dims[axis], index + 1 if index >= 0 else -index)
    if requires is None:
        raise bad_option("index", f"index {index} is out of range for axis {dim} of {input}")
    taken: Code = INPUT.method("select", *by_position(dim=dim, index=index))
    if dim == 0:
        taken = INPUT.at(named_constant("index", index))
    return Lowering(
        input.without_axis(axis),
        call=taken,
        requires=requires,
        makes=(),
        scatters=True,
    )


@layer(family="slicing")
def Slice(
    input: TensorType,
    /,
    dim: int,
    start: Position = None,
    end: Position = None,
    step: Positive = 1,
) -> Lowering:
    """Indices from `start` up to, not including, `end`: (N, T, *) -> (N, T', *) for dim 1.

    Negative ones count from the end; `$T` is a length known at run time. Unlike in Python, `start`
    and `end` may not be past the end of the axis.

    Example:
        tokens: [T, 64]
        {layer: Slice, from: tokens, dim: 1, start: 1, end: 5}
    """
    axis = axis_index(input, dim)
    size = input.dims[axis]
    requires: list[Constraint] = []
    for option, position in (("start", start), ("end", end)):
        needed = _reaches(size, position)
        if needed is None:
            message = f"{option} {position} is past the end of axis {dim} of {input}"
            raise bad_option(option, message)
        requires += needed
    first, behind = _position(size, start, 0), _position(size, end, size)
    length = (behind - first + step - 1) // step
    if at_least(length, 1) is False:
        option = "start" if end is None else "end"
        raise bad_option(option, f"there is nothing from {first} to {behind} of axis {dim}")
    bounds = {"start": start, "end": end, "step": None if step == 1 else step}
    part = SliceCode(*(None if v is None else named_constant(k, v) for k, v in bounds.items()))
    before = axis + input.batched
    return Lowering(
        moved(input, *input.dims[:axis], length, *input.dims[axis + 1 :]),
        call=INPUT.at(Tuple((SliceCode(),) * before + (part,)) if before else part),
        requires=tuple(requires),
        makes=(),
        scatters=True,
    )


@layer(family="slicing")
def Split(
    input: TensorType, /, split_size_or_sections: Size | tuple[Size, ...], dim: int = 1
) -> Lowering:
    """Pieces of one size (the last may be smaller), or of the sizes listed: ports 0, 1, ...

    Example:
        x: [6, 4]
        {layer: Split, from: x, split_size_or_sections: [1, 2, 3], dim: 1}
    """
    axis, given = axis_index(input, dim), split_size_or_sections
    size = input.dims[axis]
    sizes: Iterable[Size]
    if isinstance(given, tuple):
        if not given or sum(given) != size:
            message = f"the sections add up to {sum(given)}, but axis {dim} has {size}"
            raise bad_option("split_size_or_sections", message)
        sizes = given
    else:
        count = _count(size, given, "split_size_or_sections")
        sizes = (*(given,) * (count - 1), size - given * (count - 1))
    code = INPUT.method("split", *by_position(split_size_or_sections=given, dim=dim))
    return _parts(input, axis, sizes, code)


@layer(family="slicing")
def Chunk(input: TensorType, /, chunks: Positive, dim: int = 1) -> Lowering:
    """At most `chunks` pieces of one size (the last may be smaller), as in torch: ports 0, 1, ...

    An axis whose length is known only at run time must be a multiple of `chunks`.

    Example:
        x: [8, 4]
        {layer: Chunk, from: x, chunks: 2, dim: 1}
    """
    axis = axis_index(input, dim)
    size = input.dims[axis]
    sizes: Iterable[Size]
    requires: tuple[Constraint, ...] = ()
    if isinstance(size, Dim):
        quotient = divided(size, chunks)
        if quotient is None:
            raise bad_option("chunks", f"chunks {chunks} does not divide {size}")
        each, requires = quotient
        sizes = (each,) * min(chunks, MAX_PARTS + 1)
    else:
        length = -(-size // chunks)
        count = -(-size // length)
        sizes = (*(length,) * (count - 1), size - length * (count - 1))
    code = INPUT.method("chunk", *by_position(chunks=chunks, dim=dim))
    return _parts(input, axis, sizes, code, requires)


@layer(family="slicing")
def Unbind(input: TensorType, /, dim: int = 1) -> Lowering:
    """Every index of an axis, which is dropped: ports 0, 1, ...

    Example:
        pair: [2, 8]
        {layer: Unbind, from: pair, dim: 1}
    """
    axis = axis_index(input, dim)
    count = known(input.dims[axis], "the size of the axis")
    return _ports(
        [input.without_axis(axis)] * min(count, MAX_PARTS + 1),
        INPUT.method("unbind", *by_position(dim=dim)),
    )


def long_enough(size: Size, minimum: int) -> tuple[Constraint, ...] | None:
    """Return the constraint that a size is at least `minimum`; None if it never is."""
    enough = at_least(size, minimum)
    if enough is False:
        return None
    return (Constraint(size, minimum=minimum),) if isinstance(size, Dim) and not enough else ()


def _reaches(size: Size, position: Size | None) -> tuple[Constraint, ...] | None:
    """Return the constraint that an axis reaches up to a position; None if it never does."""
    if isinstance(position, Dim):
        return long_enough(size - position, 0)
    return long_enough(size, abs(position or 0))


def _position(size: Size, position: Size | None, default: Size) -> Size:
    """Return a position counted from the start."""
    if position is None:
        return default
    return position if isinstance(position, Dim) or position >= 0 else size + position


def _count(size: Size, each: Size, option: str) -> int:
    """Return the number of pieces of one size."""
    if isinstance(size, Dim) or isinstance(each, Dim):
        quotient = divided(size, each)
        if quotient is None or quotient[1] or isinstance(quotient[0], Dim):
            raise OpFault(
                "symbolic-size",
                f"Split cannot tell how many pieces of {each} there are in {size}",
                option=option,
                help="Chunk makes a given number of pieces",
            )
        return quotient[0]
    return min(-(-size // each), MAX_PARTS + 1)


def _parts(
    input: TensorType,
    axis: int,
    sizes: Iterable[Size],
    code: Code,
    requires: tuple[Constraint, ...] = (),
) -> Lowering:
    """Return pieces of these sizes along an axis as ports."""
    lead, tail = input.dims[:axis], input.dims[axis + 1 :]
    return _ports([moved(input, *lead, size, *tail) for size in sizes], code, requires)


def _ports(types: list[TensorType], code: Code, requires: tuple[Constraint, ...] = ()) -> Lowering:
    """Return the pieces that `code` computes as ports without a default."""
    if len(types) > MAX_PARTS:
        raise OpFault("too-large", f"more than {MAX_PARTS} pieces")
    ports = {str(index): Port(type_, RESULT.at(index)) for index, type_ in enumerate(types)}
    return Lowering(None, call=code, ports=ports, requires=requires, makes=(), scatters=True)
