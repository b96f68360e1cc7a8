"""Define reductions over axes, named as in torch; `dim` has no default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mimgraph.ir.code import Attribute, Code, by_position, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, RESULT, Lowering, Port
from mimgraph.ir.types import COMPLEX, DTYPES, FLOATING, INTEGER, Constraint, TensorType
from mimgraph.ops.layer_call import layer
from mimgraph.ops.layers.reshape import long_enough
from mimgraph.ops.rule_helpers import (
    Axes,
    as_float,
    axes_across,
    axis_across,
    bad_option,
    changed,
    dtype_fault,
    real,
)

REAL, INEXACT = (*FLOATING, *INTEGER), (*FLOATING, *COMPLEX)


@layer(family="reduction")
def Mean(input: TensorType, /, dim: Axes, keepdim: bool = False) -> Lowering:
    """The mean over one axis or several; `keepdim` keeps them with size 1: (N, T, D) -> (N, D).

    Example:
        tokens: [T, 64]
        {layer: Mean, from: tokens, dim: 1}
    """
    return _reduced(input, "Mean", "mean", dim, keepdim)


@layer(family="reduction")
def Sum(input: TensorType, /, dim: Axes, keepdim: bool = False) -> Lowering:
    """The sum over one axis or several, int64 for integers: (N, T, D) -> (N, D).

    Example:
        tokens: [T, 64]
        {layer: Sum, from: tokens, dim: 1}
    """
    return _reduced(input, "Sum", "sum", dim, keepdim)


@layer(family="reduction")
def Prod(input: TensorType, /, dim: int, keepdim: bool = False) -> Lowering:
    """The product over an axis, int64 for integers: (N, T, D) -> (N, D).

    Example:
        odds: [3, 8]
        {layer: Prod, from: odds, dim: 1}
    """
    return _reduced(input, "Prod", "prod", dim, keepdim)


@layer(family="reduction")
def Max(input: TensorType, /, dim: Axes, keepdim: bool = False) -> Lowering:
    """The largest value over one axis or several, torch's `amax`: (N, T, D) -> (N, D).

    Example:
        image: [16, 8, 8]
        {layer: Max, from: image, dim: [2, 3]}
    """
    return _reduced(input, "Max", "amax", dim, keepdim)


@layer(family="reduction")
def Min(input: TensorType, /, dim: Axes, keepdim: bool = False) -> Lowering:
    """The smallest value over one axis or several, torch's `amin`: (N, T, D) -> (N, D).

    Example:
        tokens: [T, 64]
        {layer: Min, from: tokens, dim: 1}
    """
    return _reduced(input, "Min", "amin", dim, keepdim)


@layer(family="reduction")
def Std(input: TensorType, /, dim: Axes, correction: int = 1, keepdim: bool = False) -> Lowering:
    """The standard deviation over axes, with divisor T - correction: (N, T, D) -> (N, D).

    Example:
        frames: [T, 64]
        {layer: Std, from: frames, dim: 1, correction: 0}
    """
    return _reduced(input, "Std", "std", dim, keepdim, **changed(correction=(correction, 1)))


@layer(family="reduction")
def Var(input: TensorType, /, dim: Axes, correction: int = 1, keepdim: bool = False) -> Lowering:
    """The variance over axes, with divisor T - correction: (N, T, D) -> (N, D).

    Example:
        frames: [T, 64]
        {layer: Var, from: frames, dim: 1}
    """
    return _reduced(input, "Var", "var", dim, keepdim, **changed(correction=(correction, 1)))


@layer(family="reduction")
def Norm(input: TensorType, /, dim: Axes, ord: float = 2.0, keepdim: bool = False) -> Lowering:
    """The norm of order `ord` over axes, torch.linalg.vector_norm: (N, T, D) -> (N, T) for dim -1.

    Example:
        x: [5, 8]
        {layer: Norm, from: x, dim: -1}
    """
    dtype, shape = reduced_dtype(input, "Norm"), _kept(input, dim, keepdim)
    keywords = {**changed(ord=(ord, 2)), "dim": dim, **changed(keepdim=(keepdim, False))}
    return Lowering(
        input.in_shape(*shape, dtype=dtype),
        call=call("torch.linalg.vector_norm", INPUT, **keywords),
    )


@layer(family="reduction")
def LogSumExp(input: TensorType, /, dim: Axes, keepdim: bool = False) -> Lowering:
    """log(sum(exp(x))) over axes, without overflow: (N, T, D) -> (N, D).

    Example:
        scores: [T, 8]
        {layer: LogSumExp, from: scores, dim: 1}
    """
    return _reduced(input, "LogSumExp", "logsumexp", dim, keepdim)


@layer(family="reduction")
def ArgMax(input: TensorType, /, dim: int, keepdim: bool = False) -> Lowering:
    """The index of the largest value along an axis, int64: (N, T, D) -> (N, D).

    Example:
        logits: [10]
        {layer: ArgMax, from: logits, dim: 1}
    """
    return _reduced(input, "ArgMax", "argmax", dim, keepdim)


@layer(family="reduction")
def ArgMin(input: TensorType, /, dim: int, keepdim: bool = False) -> Lowering:
    """The index of the smallest value along an axis, int64: (N, T, D) -> (N, D).

    Example:
        distances: [10]
        {layer: ArgMin, from: distances, dim: 1}
    """
    return _reduced(input, "ArgMin", "argmin", dim, keepdim)


@layer(ports=("values", "indices"), family="reduction")
def TopK(
    input: TensorType, /, k: Size, dim: int = -1, largest: bool = True, sorted: bool = True
) -> Lowering:
    """The `k` largest values along an axis, and their indices: (N, T, D) -> (N, k, D).

    `k: $S` is a length known at run time.

    Example:
        scores: [T, 8]
        {layer: TopK, from: scores, k: 3, dim: 1}
    """
    dtype = reduced_dtype(input, "TopK")
    axis, shape = axis_across(input, dim), input.shape
    requires = long_enough(shape[axis] - k, 0)
    if requires is None:
        raise bad_option("k", f"k is {k}, but axis {dim} has {shape[axis]} values")
    keywords = changed(largest=(largest, True), sorted=(sorted, True))
    values = input.in_shape(*shape[:axis], k, *shape[axis + 1 :], dtype=dtype)
    call = INPUT.method("topk", *by_position(k=k, dim=dim), **keywords)
    return _with_indices(values, call, requires)


@layer(ports=("values", "indices"), family="reduction")
def Sort(
    input: TensorType, /, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> Lowering:
    """The values in order along an axis, and their indices: (*) -> (*).

    Example:
        scores: [T, 8]
        {layer: Sort, from: scores, dim: 1, descending: true}
    """
    values = input.like(*input, dtype=reduced_dtype(input, "Sort"))
    axis_across(input, dim)
    keywords = changed(descending=(descending, False), stable=(stable, False))
    if stable:  # then torch takes the axis by its name only
        return _with_indices(values, INPUT.method("sort", dim=dim, **keywords))
    return _with_indices(values, INPUT.method("sort", *by_position(dim=dim), **keywords))


def _with_indices(
    values: TensorType, call: Code, requires: tuple[Constraint, ...] = ()
) -> Lowering:
    """Return the lowering of a function of torch whose result has `values` and `indices`."""
    ports = {
        "values": Port(values, RESULT.at(0), Attribute(call, "values")),
        "indices": Port(values.cast("int64"), RESULT.at(1), Attribute(call, "indices")),
    }
    return Lowering(values, call=call, ports=ports, requires=requires)


@layer(family="reduction")
def CumSum(input: TensorType, /, dim: int) -> Lowering:
    """The cumulative sum along an axis, int64 for integers: (*) -> (*).

    Example:
        steps: [T, 2]
        {layer: CumSum, from: steps, dim: 1}
    """
    return _cumulative(input, "CumSum", dim)


@layer(family="reduction")
def CumProd(input: TensorType, /, dim: int) -> Lowering:
    """The cumulative product along an axis, int64 for integers: (*) -> (*).

    Example:
        transparency: [T, 1]
        {layer: CumProd, from: transparency, dim: 1}
    """
    return _cumulative(input, "CumProd", dim)


def _cumulative(input: TensorType, name: str, dim: int) -> Lowering:
    """Return a reduction of all values up to each place of an axis."""
    axis_across(input, dim)
    return Lowering(
        input.like(*input, dtype=reduced_dtype(input, name)),
        call=INPUT.method(name.lower(), *by_position(dim=dim)),
    )


def reduced_dtype(input: TensorType, reduction: str, name: str = "") -> str:
    """Return the dtype of a reduction; refuse an input that torch does not take.

    `name` is the layer to name in the fault, if it is not `reduction`.
    """
    takes, wants, result = _DTYPES[reduction]
    if input.dtype not in takes:
        raise dtype_fault(input, name or reduction, wants)
    return result(input.dtype)


def _same(dtype: str) -> str:
    return dtype


def _counted(dtype: str) -> str:
    return dtype if dtype in INEXACT else "int64"


def _position(dtype: str) -> str:
    return "int64"


_FLOAT, _REAL, _ORDER = (
    "a floating-point tensor",
    "a tensor of real numbers",
    "numbers that have an order",
)
_DTYPES: dict[str, tuple[tuple[str, ...], str, Callable[[str], str]]] = {
    "Mean": (INEXACT, _FLOAT, _same),
    "Sum": (DTYPES, "", _counted),
    "Prod": (DTYPES, "", _counted),
    "CumSum": (DTYPES, "", _counted),
    "CumProd": (DTYPES, "", _counted),
    "Max": ((*REAL, "bool"), _ORDER, _same),
    "Min": ((*REAL, "bool"), _ORDER, _same),
    "Std": (INEXACT, _FLOAT, real),
    "Var": (INEXACT, _FLOAT, real),
    "Norm": (INEXACT, _FLOAT, real),
    "LogSumExp": (DTYPES, "", as_float),
    "ArgMax": (REAL, _REAL, _position),
    "ArgMin": (REAL, _REAL, _position),
    "TopK": (REAL, _REAL, _same),
    "Sort": ((*REAL, "bool"), _ORDER, _same),
}


def _reduced(
    input: TensorType, name: str, method: str, dim: Axes, keepdim: bool, **keywords: Any
) -> Lowering:
    """Return a reduction over axes."""
    dtype, shape = reduced_dtype(input, name), _kept(input, dim, keepdim)
    return Lowering(
        input.in_shape(*shape, dtype=dtype),
        call=INPUT.method(
            method, *by_position(dim=dim), **keywords, **changed(keepdim=(keepdim, False))
        ),
    )


def _kept(input: TensorType, dim: Axes, keepdim: bool) -> list[Any]:
    """Return the shape without the reduced axes, or with 1 in their place."""
    axes = axes_across(input, dim)
    sizes = enumerate(input.shape)
    return [1 if i in axes else size for i, size in sizes if keepdim or i not in axes]
