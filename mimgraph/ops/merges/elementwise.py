"""Merges that compute value by value, and those that compare vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Literal, NamedTuple, cast

from mimgraph.diagnostics.text import code
from mimgraph.ir.code import Binary, Code, Constant, Operand, call
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import PositiveFloat
from mimgraph.ir.types import COMPLEX, FLOATING, INTEGER, TensorType, promote
from mimgraph.ops.layer_call import merge
from mimgraph.ops.merges.agreement import SKIP_OF_EQUAL, Operands, agreed, operands, same_dtypes
from mimgraph.ops.op import OpFault, Sources
from mimgraph.ops.rule_helpers import (
    as_float,
    axis_index,
    bad_option,
    changed,
    converted,
    dtype_fault,
    real,
    truth_fault,
    without_axes,
)

MAX_SOURCES = 128  # in one expression
Missing = Literal["skip"] | None  # what to do where an optional source is missing


@merge(family="elementwise", alone="Identity")
def add(sources: Sources, /, *, broadcast: bool = False, missing: Missing = None) -> Lowering:
    """The sum of the sources: (*), (*) -> (*).

    Example:
        a: [64]
        b: [64]
        {merge: add, from: [a, b], activation: ReLU}
    """
    named = operands(sources, "add")
    total = _folded(named, "add", broadcast, _infix("+"))
    return _skipping(total, named, "add", broadcast, missing, "sum")


@merge(family="elementwise")
def subtract(sources: Sources, /, *, broadcast: bool = False) -> Lowering:
    """The first source minus the second: (*), (*) -> (*).

    Example:
        now: [64]
        before: [64]
        {merge: subtract, from: [now, before]}
    """
    named = operands(sources, "subtract", most=2)
    refuse(named, "subtract", ("bool",))
    return _folded(named, "subtract", broadcast, _infix("-"))


@merge(family="elementwise", alone="Identity")
def multiply(sources: Sources, /, *, broadcast: bool = False) -> Lowering:
    """The product of the sources: (*), (*) -> (*).

    Example:
        image: [8, 4, 4]
        gate: [8, 1, 1]
        {merge: multiply, from: [image, gate], broadcast: true}
    """
    named = operands(sources, "multiply")
    return _folded(named, "multiply", broadcast, _infix("*"))


@merge(family="elementwise")
def divide(sources: Sources, /, *, broadcast: bool = False) -> Lowering:
    """The first source divided by the second, float for integers: (*), (*) -> (*).

    Example:
        total: [8, 4]
        count: [8, 1]
        {merge: divide, from: [total, count], broadcast: true}
    """
    named = operands(sources, "divide", most=2)
    quotient = _folded(named, "divide", broadcast, _infix("/"))
    assert quotient.type is not None
    return Lowering(quotient.type.cast(as_float(quotient.type.dtype)), call=quotient.call)


@merge(family="elementwise", alone="Identity")
def average(sources: Sources, /, *, broadcast: bool = False, missing: Missing = None) -> Lowering:
    """The mean of the sources: (*), (*) -> (*).

    Example:
        a: [64]
        b: [64]
        c: [64]
        {merge: average, from: [a, b, c]}
    """
    named = operands(sources, "average")
    refuse(named, "average", ("bool",))
    total = _folded(named, "average", broadcast, _infix("+"))
    assert total.type is not None and total.call is not None
    mean = Lowering(
        total.type.cast(as_float(total.type.dtype)),
        call=Binary("/", total.call, Constant(len(sources))),
    )
    return _skipping(mean, named, "average", broadcast, missing, "mean")


@merge(family="elementwise", alone="Identity")
def maximum(sources: Sources, /, *, broadcast: bool = False, missing: Missing = None) -> Lowering:
    """The elementwise maximum: (*), (*) -> (*).

    Example:
        a: [64]
        b: [64]
        {merge: maximum, from: [a, b]}
    """
    named = operands(sources, "maximum")
    refuse(named, "maximum", COMPLEX)
    largest = _folded(named, "maximum", broadcast, lambda a, b: call("torch.maximum", a, b))
    return _skipping(largest, named, "maximum", broadcast, missing, "amax")


@merge(family="elementwise", alone="Identity")
def minimum(sources: Sources, /, *, broadcast: bool = False, missing: Missing = None) -> Lowering:
    """The elementwise minimum: (*), (*) -> (*).

    Example:
        a: [64]
        b: [64]
        {merge: minimum, from: [a, b]}
    """
    named = operands(sources, "minimum")
    refuse(named, "minimum", COMPLEX)
    smallest = _folded(named, "minimum", broadcast, lambda a, b: call("torch.minimum", a, b))
    return _skipping(smallest, named, "minimum", broadcast, missing, "amin")


@merge(family="elementwise", alone="Identity")
def logical_and(sources: Sources, /, *, broadcast: bool = False) -> Lowering:
    """True where all sources are true or not 0, to join masks: (*), (*) -> (*), bool.

    Example:
        real: {shape: [T], dtype: bool}
        chosen: {shape: [T], dtype: bool}
        {merge: logical_and, from: [real, chosen]}
    """
    named = operands(sources, "logical_and")
    return _joined(named, "logical_and", broadcast)


@merge(family="elementwise", alone="Identity")
def logical_or(sources: Sources, /, *, broadcast: bool = False) -> Lowering:
    """True where any source is true or not 0, to join masks: (*), (*) -> (*), bool.

    Example:
        padding: {shape: [T], dtype: bool}
        dropped: {shape: [T], dtype: bool}
        {merge: logical_or, from: [padding, dropped]}
    """
    named = operands(sources, "logical_or")
    return _joined(named, "logical_or", broadcast)


class WhereInputs(NamedTuple):
    condition: TensorType
    input: TensorType
    other: TensorType


@merge(family="elementwise")
def where(inputs: WhereInputs, /, *, broadcast: bool = False) -> Lowering:
    """`input` where `condition` is true, else `other`: (*), (*), (*) -> (*).

    Example:
        known: {shape: [4], dtype: bool}
        value: [4]
        guess: [4]
        {merge: where, from: {condition: known, input: value, other: guess}}
    """
    condition, input, other = inputs
    if condition.dtype != "bool":
        raise truth_fault(condition, "where takes a bool condition", "condition")
    named = inputs._asdict()
    frame = agreed(named, "where", broadcast)
    dtype = promoted(kind_of(input), kind_of(other)).dtype
    return Lowering(frame.cast(dtype), call=call("torch.where", *map(Operand, named)))


class Kind(NamedTuple):
    """A dtype for promotion: that of a number (level 0), of a scalar tensor (1) or of another (2)."""

    dtype: str
    level: int  # the higher one decides, unless the lower one has a dtype of a higher category
    fixed: bool = False  # float32 whatever the dtype of the model, as a quotient of integers has


def kind_of(x: TensorType) -> Kind:
    """Return the kind of a source."""
    return Kind(x.dtype, 2 if x.rank else 1)


def promoted(a: Kind, b: Kind) -> Kind:
    """Return the kind to which torch promotes both."""
    low, high = sorted((a, b), key=lambda kind: kind.level)
    if low.level < high.level and low.dtype in COMPLEX and high.dtype in FLOATING:
        return Kind(_as_complex(high.dtype), high.level)
    if low.level < high.level and _category(low.dtype) <= _category(high.dtype):
        return high
    dtype = promote(a.dtype, b.dtype)
    return Kind(dtype, high.level, dtype == "float32" and (a.fixed or b.fixed))


def _as_complex(dtype: str) -> str:
    """Return the complex dtype of a precision."""
    if dtype in ("float16", "bfloat16"):  # the result differs between releases of torch
        raise OpFault("dtype-mismatch", f"{dtype} and a complex scalar have no complex dtype")
    return "complex128" if dtype == "float64" else "complex64"


def _category(dtype: str) -> int:
    """Return the rank of bool, integers, floats and complex numbers in promotion, from 0."""
    return next((i for i, group in enumerate((INTEGER, FLOATING, COMPLEX), 1) if dtype in group), 0)


def _folded(
    sources: Operands, name: str, broadcast: bool, combine: Callable[[Code, Code], Code]
) -> Lowering:
    """Return all sources combined from left to right."""
    _check_count(sources, name)
    result = agreed(sources, name, broadcast)
    dtype = reduce(promoted, map(kind_of, sources.values())).dtype
    first, *others = map(Operand, sources)
    code: Code = reduce(combine, others, cast(Code, first))
    return Lowering(result.cast(dtype), call=code)


def _check_count(sources: Operands, name: str) -> None:
    """Refuse more sources than Python can parse in one nested expression."""
    if len(sources) > MAX_SOURCES:
        help = f"stack them, and reduce the new axis: {code('{layer: Sum, dim: 1}')}"
        raise OpFault("too-large", f"{name} has more than {MAX_SOURCES} sources", help=help)


def _joined(sources: Operands, name: str, broadcast: bool) -> Lowering:
    """Return all sources joined as masks, from left to right, by torch's function of that name."""
    _check_count(sources, name)
    frame = agreed(sources, name, broadcast)
    first, *others = map(Operand, sources)
    code: Code = reduce(lambda a, b: call(f"torch.{name}", a, b), others, cast(Code, first))
    marks = {x.marks for x in sources.values()}
    joined = frame.cast("bool")
    return Lowering(replace(joined, marks=marks.pop()) if len(marks) == 1 else joined, call=code)


def _skipping(
    lowering: Lowering,
    sources: Operands,
    name: str,
    broadcast: bool,
    missing: Missing,
    reduction: str,
) -> Lowering:
    """Return the lowering; `missing: skip` adds code that stacks and reduces the given sources."""
    if missing is None:
        return lowering
    if broadcast:
        raise bad_option("missing", SKIP_OF_EQUAL)
    same_dtypes(sources, name)
    given = call("torch.stack", call("_present", *map(Operand, sources)))
    if name == "average" and not next(iter(sources.values())).is_floating:
        raise dtype_fault(next(iter(sources.values())), name, "floating-point tensors", "0")
    return replace(lowering, skipping=given.method(reduction, 0))


def _infix(operator: str) -> Callable[[Code, Code], Code]:
    return lambda a, b: Binary(operator, a, b)


def refuse(sources: Operands, name: str, dtypes: tuple[str, ...]) -> None:
    """Refuse sources of these dtypes."""
    for key, x in sources.items():
        if x.dtype in dtypes:
            message, help = f"{name} takes no {x.dtype}", converted(x, "float32", key)
            raise OpFault("dtype-mismatch", message, source=key, note=x.dtype, help=help)


# Define the merges that compare two sources: cosine similarity and p-norm distance.


ONE, TWO = Operand("0"), Operand("1")


@merge(family="similarity")
def cosine(
    sources: Sources, /, dim: int = 1, *, eps: PositiveFloat = 1e-8, broadcast: bool = False
) -> Lowering:
    """The cosine of the angle between vectors along `dim`: (N, D), (N, D) -> (N,).

    Example:
        user: [64]
        item: [64]
        {merge: cosine, from: [user, item]}
    """
    named = operands(sources, "cosine", most=2)
    frame = agreed(named, "cosine", broadcast)
    left = frame.without_axis(axis_index(frame, dim))
    dtype = reduce(promoted, map(kind_of, sources)).dtype
    if dtype not in FLOATING:
        odd = next(key for key, x in named.items() if x.dtype not in FLOATING)
        raise dtype_fault(named[odd], "cosine", "floating-point tensors", odd)
    keywords = changed(dim=(dim, 1), eps=(eps, 1e-8))
    return Lowering(
        frame.like(*left, dtype=dtype),
        call=call("F.cosine_similarity", ONE, TWO, **keywords),
    )


@merge(family="similarity")
def distance(
    sources: Sources,
    /,
    p: float = 2.0,
    *,
    eps: float = 1e-6,
    keepdim: bool = False,
    broadcast: bool = False,
) -> Lowering:
    """The p-norm of the difference of vectors, along the last axis: (N, D), (N, D) -> (N,).

    As in torch, `eps` is added to each difference.

    Example:
        anchor: [64]
        other: [64]
        {merge: distance, from: [anchor, other]}
    """
    named = operands(sources, "distance", most=2)
    frame = agreed(named, "distance", broadcast)
    if not frame.dims:
        raise without_axes(frame, "distance takes (N, *, D)", "0")
    refuse(named, "distance", ("bool",))
    dtype = real(as_float(reduce(promoted, map(kind_of, sources)).dtype))
    keywords = changed(p=(p, 2), eps=(eps, 1e-6), keepdim=(keepdim, False))
    kept = (1,) if keepdim else ()
    return Lowering(
        frame.like(*frame.dims[:-1], *kept, dtype=dtype),
        call=call("F.pairwise_distance", ONE, TWO, **keywords),
    )
