"""Other views of the same elements, and means over axes: torch's functions as layers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from mimgraph.catalogue import OpFault, axis_index, bad_option, dtype_fault, layer
from mimgraph.ir.code import Code, by_position, named_constant
from mimgraph.ir.dim import Dim, Size, at_least, divisible, equal
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import BATCH, COMPLEX, Constraint, TensorType


@layer()
def Reshape(input: TensorType, /, shape: tuple[Size | Literal[-1], ...]) -> Lowering:
    """The same elements in other sizes, one of which may be -1: (N, *) -> (N, *shape)."""
    if shape.count(-1) > 1:
        raise bad_option("shape", "only one size may be -1")
    dims, requires = _filled(input, shape)
    written = _arguments(input, dims, shape.index(-1) if -1 in shape else None)
    return Lowering(moved(input, *dims), call=INPUT.method("reshape", *written), requires=requires)


@layer()
def Permute(input: TensorType, /, dims: tuple[int, ...]) -> Lowering:
    """The axes in the order `dims`, the batch first: (N, A, B) -> (N, B, A)."""
    rank = input.rank
    order = [dim % rank if -rank <= dim < rank else dim for dim in dims]
    if sorted(order) != list(range(rank)):
        raise bad_option("dims", f"dims must name each of the {rank} axes of {input} once")
    if input.batched and order[0] != 0:
        raise bad_option("dims", "the batch must stay the first axis", "let dims start with 0")
    return Lowering(
        moved(input, *(input.shape[i] for i in order[input.batched :])),
        call=INPUT.method("permute", *dims),
    )


@layer()
def Transpose(input: TensorType, /, dim0: int, dim1: int) -> Lowering:
    """Two axes swapped: (N, A, B) -> (N, B, A)."""
    one, two = axis_index(input, dim0, "dim0"), axis_index(input, dim1, "dim1")
    dims = list(input)
    dims[one], dims[two] = dims[two], dims[one]
    return Lowering(
        moved(input, *dims),
        call=INPUT.method("transpose", named_constant("dim0", dim0), named_constant("dim1", dim1)),
    )


@layer()
def Unsqueeze(input: TensorType, /, dim: int) -> Lowering:
    """A new axis of size 1: (N, *) -> (N, 1, *) for dim 1."""
    index = axis_index(input, dim, new=1)
    dims = (*input.dims[:index], 1, *input.dims[index:])
    return Lowering(moved(input, *dims), call=INPUT.method("unsqueeze", named_constant("dim", dim)))


@layer()
def Squeeze(input: TensorType, /, dim: int) -> Lowering:
    """Without an axis, if it is of size 1, as torch does: (N, 1, *) -> (N, *) for dim 1."""
    index = axis_index(input, dim)
    size = input.dims[index]
    if isinstance(size, Dim):
        raise OpFault("symbolic-size", f"Squeeze takes an axis of size 1, but this one is {size}")
    dims = (*input.dims[:index], *input.dims[index + 1 :]) if size == 1 else input.dims
    return Lowering(moved(input, *dims), call=INPUT.method("squeeze", named_constant("dim", dim)))


@layer()
def Select(input: TensorType, /, dim: int, index: int) -> Lowering:
    """One position of an axis, which is gone then: (N, T, *) -> (N, *) for dim 1."""
    axis = axis_index(input, dim)
    size = input.dims[axis]
    minimum = index + 1 if index >= 0 else -index
    enough = at_least(size, minimum)
    if enough is False:
        raise bad_option("index", f"index {index} is out of range for axis {dim} of {input}")
    requires = (Constraint(size, minimum=minimum),) if isinstance(size, Dim) and not enough else ()
    taken: Code = INPUT.method("select", *by_position(dim=dim, index=index))
    if dim == 0:
        taken = INPUT.at(named_constant("index", index))
    return Lowering(
        moved(input, *input.dims[:axis], *input.dims[axis + 1 :]), call=taken, requires=requires
    )


@layer()
def Mean(input: TensorType, /, dim: int | tuple[int, ...], keepdim: bool = False) -> Lowering:
    """The mean over one axis or several, which are gone then, or of size 1: (N, T, D) -> (N, D)."""
    if not (input.is_floating or input.dtype in COMPLEX):
        raise dtype_fault(input, "Mean", "a floating-point tensor")
    axes = [axis_index(input, axis) for axis in (dim if isinstance(dim, tuple) else (dim,))]
    if not axes or len(set(axes)) != len(axes):
        raise bad_option("dim", "dim must name one axis or several, each once")
    kept = [1 if i in axes else size for i, size in enumerate(input) if keepdim or i not in axes]
    keywords = {"keepdim": True} if keepdim else {}
    return Lowering(
        input.like(*kept), call=INPUT.method("mean", named_constant("dim", dim), **keywords)
    )


def moved(input: TensorType, *dims: Size) -> TensorType:
    """The same values in other places, so of the same vocabulary."""
    return replace(input, dims=dims)


def product(sizes: Iterable[Size]) -> Size:
    """How many elements the sizes hold."""
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


def divided(total: Size, by: Size) -> tuple[Size, tuple[Constraint, ...]] | None:
    """`total / by` and what must hold for it to be whole; None if it is not, or cannot be told."""
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
    """The sizes with -1 computed, and what must hold for it to be whole."""
    total, given = product(input), product(size for size in shape if size != -1)
    if -1 not in shape:
        if equal(total, given) is not True:
            raise bad_option("shape", f"shape has {given} elements, but {input} has {total}")
        return shape, ()
    quotient = divided(total, given)
    if quotient is None:
        raise bad_option(
            "shape", f"no size fits -1: {given} does not divide the {total} elements of {input}"
        )
    computed, requires = quotient
    return tuple(computed if size == -1 else size for size in shape), requires


def _arguments(input: TensorType, dims: tuple[Size, ...], computed: int | None) -> tuple[Size, ...]:
    """What is written: -1 for the batch, or if a size is a name, for that one."""
    symbolic = [i for i, size in enumerate(dims) if isinstance(size, Dim)]
    batch = (BATCH,) if input.batched else ()
    if not symbolic:
        return (-1,) * input.batched + dims
    # a size that no axis of the input has could only be computed
    fresh = [i for i in symbolic if dims[i] not in input.dims]
    index = computed if computed in symbolic else (fresh or symbolic)[0]
    return (*batch, *(-1 if i == index else size for i, size in enumerate(dims)))
