"""Define gather, pick, take and scatter_add, which read or write where an index says."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from mimgraph.ir.code import Attribute, Code, Constant, Operand, Slice, Tuple, by_position, call
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import INTEGER, Constraint, TensorType
from mimgraph.ops.merges.arithmetic.agreement import (
    MORE_AXES,
    Operands,
    same_dtypes,
    same_ranks,
    within,
)
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import axis_index, dtype_fault, with_rank

INDEX = Operand("index")


class GatherInputs(NamedTuple):
    input: TensorType
    index: TensorType  # type: ignore[assignment]  # a tuple has a method of torch's name


@merge(family="indexing")
def gather(inputs: GatherInputs, /, dim: int, *, sparse_grad: bool = False) -> Lowering:
    """The values of `input` at each index along `dim`: (N, L, D), (N, K, D) -> (N, K, D) for dim 1.

    As torch.gather: `index` has as many axes as `input`, and may be shorter on the others.

    Example:
        tokens: [10, 4]
        places: {shape: [3, 4], dtype: int64}
        {merge: gather, from: [tokens, places], dim: 1}
    """
    input, index = inputs
    named = inputs._asdict()
    _indices(index, "gather")
    same_ranks(named, "gather needs the same number of axes in input and index", MORE_AXES)
    axis = axis_index(input, dim)
    requires = _covered(named, "input", axis, "gather")
    keywords = {"sparse_grad": True} if sparse_grad else {}
    return Lowering(
        replace(input, dims=index.dims),
        call=INPUT.method("gather", *by_position(dim=dim), INDEX, **keywords),
        requires=requires,
    )


class PickInputs(NamedTuple):
    input: TensorType
    index: TensorType  # type: ignore[assignment]  # a tuple has a method of torch's name


@merge(family="indexing")
def pick(inputs: PickInputs, /) -> Lowering:
    """One index of the first axis for each sample: (N, L, *), (N,) -> (N, *).

    Example:
        tokens: [10, 4]
        place: {shape: [], dtype: int64}
        {merge: pick, from: [tokens, place]}
    """
    input, index = inputs
    if not input.batched or not input.dims:
        raise OpFault(
            "rank-mismatch", "pick takes input (N, L, *)", source="input", note=str(input)
        )
    if index.batched and index.dims:
        help = "for several indices of each sample write merge: take"
        raise OpFault(
            *("rank-mismatch", "pick takes index (N,)"),
            source="index",
            note=str(index),
            help=help,
        )
    with_rank(index, 0, "pick", "index (N,)", "index")
    _indices(index, "pick")
    return Lowering(replace(input, dims=input.dims[1:]), call=INPUT.at(Tuple((_rows(), INDEX))))


class TakeInputs(NamedTuple):
    input: TensorType
    index: TensorType  # type: ignore[assignment]  # a tuple has a method of torch's name


@merge(family="indexing")
def take(inputs: TakeInputs, /) -> Lowering:
    """Several indices of the first axis for each sample: (N, V, *), (N, K) -> (N, K, *).

    The index may have any number of axes, (N, K, L) too. Without a batch it is the same for all
    samples, and an input without one is a table that all samples share: (V, *), (N, K) -> (N, K, *).

    Example:
        tokens: [10, 4]
        places: {shape: [3], dtype: int64}
        {merge: take, from: [tokens, places]}
    """
    input, index = inputs
    if not input.dims:
        raise OpFault(
            "rank-mismatch", "take takes input (N, V, *)", source="input", note=str(input)
        )
    _indices(index, "take")
    place: Code = INDEX
    if input.batched:
        new = (Constant(None),) * len(index.dims)
        rows = _rows().at(Tuple((Slice(), *new))) if new else _rows()
        place = Tuple((rows if index.batched else Slice(), INDEX))
    batched = input.batched or index.batched
    taken = replace(input, dims=(*index.dims, *input.dims[1:]), batched=batched)
    return Lowering(taken, call=INPUT.at(place))


class ScatterAddInputs(NamedTuple):
    input: TensorType
    index: TensorType  # type: ignore[assignment]  # a tuple has a method of torch's name
    src: TensorType


@merge(family="indexing")
def scatter_add(inputs: ScatterAddInputs, /, dim: int) -> Lowering:
    """`src` added to `input` at each index along `dim`: (N, L), (N, K), (N, K) -> (N, L) for dim 1.

    As torch.scatter_add: the three have as many axes, and `index` may be shorter than `src`.

    Example:
        totals: [10]
        group: {shape: [6], dtype: int64}
        amount: [6]
        {merge: scatter_add, from: {input: totals, index: group, src: amount}, dim: 1}
    """
    input, index, src = inputs
    named = inputs._asdict()
    _indices(index, "scatter_add")
    same_dtypes({"input": input, "src": src}, "scatter_add")
    same_ranks(
        named, "scatter_add needs the same number of axes in input, index and src", MORE_AXES
    )
    axis = axis_index(input, dim)
    requires = _covered(named, "input", axis, "scatter_add")
    requires += _covered(named, "src", None, "scatter_add")
    added: Code = Operand("src")
    if input.dtype not in (
        *INTEGER,
        "bool",
    ):  # autocast may change one dtype, torch needs equal ones
        added = added.method("to", Attribute(INPUT, "dtype"))
    return Lowering(
        input.cast(input.dtype),
        call=INPUT.method("scatter_add", *by_position(dim=dim), INDEX, added),
        requires=requires,
    )


def _rows() -> Code:
    """Return the code of the position of each sample in the batch."""
    count = Attribute(INPUT, "shape").at(Constant(0))
    return call("torch.arange", count, device=Attribute(INPUT, "device"))


def _indices(index: TensorType, name: str) -> None:
    """Refuse a dtype that torch does not take for indices."""
    if index.dtype not in ("int32", "int64"):
        raise dtype_fault(index, name, "an int64 index", "index", "int64")


def _covered(named: Operands, whole: str, free: int | None, name: str) -> tuple[Constraint, ...]:
    """Return the constraints that the index is no longer than `whole`, except along the axis `free`."""
    message = f"{name} needs an index no longer than {{{whole}}}"
    if free is not None:
        message += " on every other axis"
    requires: list[Constraint] = []
    for axis in range(len(named["index"].dims)):
        if axis != free:
            requires += within(named, ("index", whole), axis, message)
    return tuple(requires)
