"""Define checks and faults shared by the rules of many ops: sizes, axes, dtypes, masks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import gcd
from typing import Any, TypeAlias

from mimgraph.diagnostics.text import code, insert
from mimgraph.ir.axes_help import NO_BATCH, node, one_more_axis, to_axes
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.sizes import divisible, equal
from mimgraph.ir.types import COMPLEX, DTYPES, FLOATING, Constraint, TensorType, depends_on_batch
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import names

Axes: TypeAlias = int | tuple[int, ...]
Number: TypeAlias = int | float

TRUE = code("true")
AFTER_BATCH = "as in torch, the axis after the batch is 1"
ACROSS = "to compute across samples, Transpose it first"
ACROSS_ALONE = "to compute across samples, Unsqueeze it to (N, 1) and Transpose that first"
OF_NAME = "give this size in the input's shape"
OF_BATCH = "no weight can: reduce this axis first (Mean), or move another one there (Transpose)"


def bad_option(option: str, message: str, help: str = "") -> OpFault:
    """Return the fault of an option with a wrong value."""
    return OpFault("bad-option", message, option=option, help=help)


def changed(**options: tuple[Any, object]) -> dict[str, Any]:
    """Return the options whose value is not the default: `changed(p=(p, 2.0))`."""
    return {name: value for name, (value, default) in options.items() if value != default}


def weights(weight: tuple[int, ...], size: int, bias: bool) -> dict[str, tuple[int, ...]]:
    """Return the shape of a weight, and of a bias of this size if there is one."""
    return {"weight": weight, "bias": (size,)} if bias else {"weight": weight}


def known(size: Size, what: str, source: str | None = None, help: str = "") -> int:
    """Return a size, of an axis or given as an option, that must be known when the module is made."""
    if isinstance(size, Dim):
        known_at = "depends on the batch" if depends_on_batch(size) else "is known only at run time"
        raise OpFault(
            "symbolic-size",
            f"{what} must be a number, but it is {size}",
            source=source,
            option=None if source else what,
            note=f"{size} {known_at}",
            help=help or (OF_BATCH if depends_on_batch(size) else OF_NAME),
        )
    return size


def same_size(left: Size, right: Size) -> bool:
    """Return whether two sizes are equal; different names never are."""
    return left is right or equal(left, right) is True


def same_dims(left: Iterable[Size], right: Iterable[Size]) -> bool:
    """Return whether two shapes are equal, axis by axis."""
    one, two = tuple(left), tuple(right)
    return len(one) == len(two) and all(map(same_size, one, two))


def axis_index(x: TensorType, dim: int, option: str = "dim", new: int = 0) -> int:
    """Return the index into `x.dims` of an axis in torch's numbering, once `new` axes are added."""
    index = any_axis(x, dim, option, new) - x.batched
    if index < 0:
        raise bad_option(option, f"{option} {dim} is the batch", AFTER_BATCH)
    return index


def any_axis(x: TensorType, dim: int, option: str = "dim", new: int = 0) -> int:
    """Return the index into `x.shape` of an axis, which may be the batch, once `new` axes are added."""
    rank = x.rank + new
    if not -rank <= dim < rank:
        raise bad_option(
            option, f"{option} {dim} is out of range for {x}", f"it may be -{rank} to {rank - 1}"
        )
    return dim % rank


def axis_across(x: TensorType, dim: int, option: str = "dim") -> int:
    """Return the index into `x.shape` of an axis along which an op computes.

    It may be the batch in a tensor like (N, N), which already compares samples; in any other an
    op across the batch is taken for a mistake.
    """
    axis = any_axis(x, dim, option)
    if x.batched and axis == 0 and len(x.batch_axes) == 1:
        help = ACROSS_ALONE if x.rank == 1 else f"{AFTER_BATCH}; {ACROSS}"
        raise bad_option(option, f"{option} {dim} is the batch", help)
    return axis


def axis_indices(input: TensorType, dim: Axes, option: str = "dim") -> list[int]:
    """Return one axis or several as indices into the dims; refuse one that is given twice."""
    return _each_once([axis_index(input, axis, option) for axis in _tuple(dim)], option)


def axes_across(input: TensorType, dim: Axes) -> list[int]:
    """Return one axis or several as indices into the shape, as `axis_across` does for one."""
    return _each_once([axis_across(input, axis) for axis in _tuple(dim)], "dim")


def _tuple(dim: Axes) -> tuple[int, ...]:
    return dim if isinstance(dim, tuple) else (dim,)


def _each_once(axes: list[int], option: str) -> list[int]:
    """Return the axes; refuse none, and one that is given twice."""
    if not axes or len(set(axes)) != len(axes):
        raise bad_option(option, f"{option} must be one axis or several, each once")
    return axes


def floating(x: TensorType, name: str, source: str | None = None) -> None:
    """Refuse a dtype that is not floating point."""
    if not x.is_floating:
        raise dtype_fault(x, name, "a floating-point tensor", source)


def weighted(x: TensorType, name: str, source: str | None = None) -> None:
    """Refuse a dtype other than float32, which the weights of a module have."""
    if x.dtype != "float32":
        raise dtype_fault(x, name, "float32, as its weights are", source)


def dtype_fault(
    x: TensorType, name: str, wants: str, source: str | None = None, to: str = "float32"
) -> OpFault:
    """Return the fault of a dtype that an op does not take; its help converts it to the dtype `to`."""
    help = converted(x, to, source or "input")
    return OpFault(
        "dtype-mismatch", f"{name} takes {wants}", source=source, note=x.dtype, help=help
    )


def converted(x: TensorType, to: str, source: str) -> str:
    """Return the help that changes the dtype of the operand `source`: a Cast for numbers, an
    Embedding for categories."""
    if x.dtype not in DTYPES or x.dtype in COMPLEX:
        return ""  # a state cannot be cast, and a Cast would drop the imaginary part
    if to in FLOATING and x.dtype in ("int32", "int64"):
        if x.vocab is not None:
            return f"embed it first: {node('Embedding', f'{{{source}}}', 'embedding_dim: 16')}"
        return f"{cast(source, to, 'cast numbers')}; give categories a vocab and embed them"
    return cast(source, to)


def cast(source: str, dtype: str, advice: str = "cast it first") -> str:
    """Return the help that proposes a Cast of the operand `source`."""
    return f"{advice}: {node('Cast', f'{{{source}}}', f'dtype: {dtype}')}"


def truth_fault(x: TensorType, wants: str, source: str) -> OpFault:
    """Return the fault of a condition or mask that is not bool; its help compares it with 0."""
    is_compared = f"compare it first: {compared('m > 0', source)}"
    help = is_compared if x.is_floating else converted(x, "bool", source)
    return OpFault("dtype-mismatch", wants, source=source, note=x.dtype, help=help)


def compared(expr: str, source: str) -> str:
    """Return the formula of a source `m`, to insert before its reader."""
    return insert(f"{{merge: formula, expr: {expr}, from: {{m: {{{source}}}}}}}")


def check_marks(mask: TensorType, marks: str, wants: str, source: str) -> None:
    """Refuse a mask that is known to have the opposite meaning: true at "hidden" steps instead of at
    the "real" ones, or the reverse; `marks` is the right one."""
    if mask.marks not in (None, marks):
        help = f"invert it: {insert(f'{{layer: LogicalNot, from: {{{source}}}}}')}"
        where = "a step is real" if mask.marks == "real" else "attention is not allowed"
        note = f"{TRUE} where {where}"
        raise OpFault("dtype-mismatch", wants, source=source, note=note, help=help)


def with_rank(x: TensorType, axes: int, name: str, shape: str, source: str | None = None) -> None:
    """Refuse another number of axes behind the batch than `axes`; `shape` describes what it takes."""
    if len(x.dims) != axes or not x.batched:
        help = to_axes(x, axes, name, f"{{{source or 'input'}}}", names("layer"))
        raise OpFault(
            "rank-mismatch", f"{name} takes {shape}", source=source, note=str(x), help=help
        )


def without_axes(x: TensorType, message: str, source: str | None = None) -> OpFault:
    """Return the fault of a source of shape (N,) or without a batch, where an op needs an axis."""
    help = one_more_axis(f"{{{source or 'input'}}}") if x.batched else NO_BATCH
    return OpFault("rank-mismatch", message, source=source, note=str(x), help=help)


def fitting(option: str, value: int, *sizes: int) -> str:
    """Return the help with the numbers nearest to `value` that divide all of these sizes."""
    whole = gcd(*sizes)
    lower = next(n for n in range(min(value, whole), 0, -1) if whole % n == 0)
    upper = next((n for n in range(value, min(whole, 1000) + 1) if whole % n == 0), lower)
    numbers = f"{lower} or {upper}" if upper != lower else f"{lower}"
    return f"{option} may be any divisor of {whole}, such as {numbers}"


_LARGEST: dict[str, float] = {
    "bool": 1,
    **{f"int{bits}": 2 ** (bits - 1) - 1 for bits in (8, 16, 32, 64)},
    "uint8": 255,
    "float16": 65504.0,
    "bfloat16": (2 - 2**-7) * 2.0**127,
    **dict.fromkeys(("float32", "complex64"), (2 - 2**-23) * 2.0**127),
}


def largest(dtype: str) -> float:
    """Return the largest finite number of a dtype; infinity where every Python number fits."""
    return _LARGEST.get(dtype, float("inf"))


def lowest(dtype: str) -> float:
    """Return the least finite number of a dtype; minus infinity where every Python number fits."""
    return 0 if dtype in ("bool", "uint8") else -largest(dtype) - dtype.startswith("int")


def as_float(dtype: str) -> str:
    """Return float32 for a dtype of integers or bool, and any other one unchanged."""
    return dtype if dtype in (*FLOATING, *COMPLEX) else "float32"


def real(dtype: str) -> str:
    """Return the dtype of absolute values."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def moved(input: TensorType, *dims: Size) -> TensorType:
    """Return the type of the same values with other dims, with the same facts about the values."""
    return replace(input, dims=dims)


def reshaped(input: TensorType, *shape: Size) -> TensorType:
    """Return the type of the same values in another shape, the batch counted."""
    return replace(input, dims=shape, batched=False)


def divided(total: Size, by: Size) -> tuple[Size, tuple[Constraint, ...]] | None:
    """Return `total / by` and the constraint that it is whole; None if it is not, or may not be."""
    if not isinstance(by, Dim):
        whole = divisible(total, by)
        if isinstance(total, Dim) and whole is None:
            return total // by, (Constraint(total, divisor=by),)
    else:
        whole = equal(total % by, 0)
    return (total if by == 1 else total // by, ()) if whole else None
