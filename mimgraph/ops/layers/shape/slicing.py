"""Define layers that take parts of an axis: one index, a range, or pieces, each a port."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from mimgraph.ir.code import Code, Tuple, by_position, named_constant
from mimgraph.ir.code import Slice as SliceCode
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.lowering import INPUT, RESULT, Lowering, Port
from mimgraph.ir.option_types import Positive, Range
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.layers.shape.reshape import divided, moved
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import axis_index, bad_option, known

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
