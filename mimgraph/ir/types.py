"""Types of tensors: dims, dtype, vocabulary, and whether there is a batch; constraints on sizes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd
from typing import NamedTuple

from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import did_you_mean
from mimgraph.ir.dim import (
    Dim,
    DimOverflow,
    Size,
    at_least,
    constant_term,
    printed_terms,
    sole_division,
    substitute,
    symbol,
    symbols,
)
from mimgraph.ir.expression import WrittenInt
from mimgraph.ir.sizes import divisible, equal, line_of

BATCH = symbol("N")

FLOATING = ("float16", "bfloat16", "float32", "float64")
INTEGER = ("uint8", "int8", "int16", "int32", "int64")
COMPLEX = ("complex64", "complex128")
DTYPES = (*FLOATING, *INTEGER, *COMPLEX, "bool")

_PROMOTION = ("bool", *INTEGER, *FLOATING, *COMPLEX)
_NEITHER = {  # pairs of dtypes where neither can hold all values of the other
    ("uint8", "int8"): "int16",
    ("float16", "bfloat16"): "float32",
    ("float64", "complex64"): "complex128",
}


def promote(a: str, b: str) -> str:
    """Return the dtype in which torch computes with tensors of dtypes `a` and `b`."""
    low, high = sorted((a, b), key=_PROMOTION.index)
    return _NEITHER.get((low, high), high)


class Shape(tuple[Size, ...]):
    """A shape as torch counts its axes, the batch `N` first; prints as `(N, 3, 32, 32)`."""

    def __str__(self) -> str:
        return f"({self[0]},)" if len(self) == 1 else f"({', '.join(map(str, self))})"

    __repr__ = __str__


MAX_AXES = 64  # of a tensor, the batch not counted; torch has about as many


@dataclass(frozen=True, slots=True, repr=False)
class TensorType:
    """A tensor's type; iterates as its dims, which leave out the batch if it is the first axis.

    After an op across samples `N` may be among the dims: those of `(N, N)` are `(N,)`, and those of
    `(T, N, C)`, which is not `batched`, are all three.
    `vocab` is the number of categories, `below` a size that bounds all its numbers from above,
    `cast_from` the dtype that floats were cast from. A mask `marks` "real" steps or "hidden" ones.
    """

    dims: tuple[Size, ...]
    dtype: str = "float32"
    vocab: int | None = None
    batched: bool = True
    below: Size | None = None
    # nothing is computed from these two
    cast_from: str | None = field(default=None, compare=False)
    marks: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.batched and self.dims and self.dims[0] == BATCH:
            dims, batched = self.dims[1:], True
            object.__setattr__(self, "dims", dims)
            object.__setattr__(self, "batched", batched)

    def __iter__(self) -> Iterator[Size]:
        return iter(self.dims)

    def __str__(self) -> str:
        return str(self.shape)

    def __repr__(self) -> str:
        return f"<{self.shape} {self.dtype}>"

    @property
    def rank(self) -> int:
        """The number of axes, the batch counted."""
        return len(self.dims) + self.batched

    @property
    def shape(self) -> Shape:
        return Shape((BATCH, *self.dims) if self.batched else self.dims)

    @property
    def batch_axes(self) -> tuple[int, ...]:
        """The axes whose size depends on the batch: 0, unless the batch is elsewhere too."""
        return tuple(axis for axis, size in enumerate(self.shape) if depends_on_batch(size))

    @property
    def has_batch(self) -> bool:
        """Whether the size of some axis depends on the batch."""
        return self.batched or any(map(depends_on_batch, self.dims))

    @property
    def has_moved_batch(self) -> bool:
        """Whether there is a batch that is not the first axis."""
        return not self.batched and any(map(depends_on_batch, self.dims))

    def with_batch_at(self, axis: int) -> TensorType:
        """Return the type with the batch, its first axis, moved to another."""
        batch, *shape = self.shape
        shape.insert(axis, batch)
        return replace(self, dims=tuple(shape), batched=False)

    def without_axis(self, index: int) -> TensorType:
        """Return the type without an axis of its `dims`."""
        return replace(self, dims=(*self.dims[:index], *self.dims[index + 1 :]))

    def with_axis(self, index: int, size: Size) -> TensorType:
        """Return the type with another axis of its `dims`, in front of the one that has the index now."""
        return replace(self, dims=(*self.dims[:index], size, *self.dims[index:]))

    def in_shape(self, *shape: Size, dtype: str | None = None) -> TensorType:
        """Return a type of another shape, the batch counted: same dtype unless one is given, no
        vocabulary."""
        return TensorType(shape, dtype or self.dtype, None, batched=False)

    def like(self, *dims: Size, dtype: str | None = None) -> TensorType:
        """Return a type with other dims: same batch, same dtype unless one is given, no vocabulary."""
        return TensorType(dims, dtype or self.dtype, None, self.batched)

    def cast(self, dtype: str) -> TensorType:
        """Return the type in another dtype."""
        return replace(self, dtype=dtype, vocab=None, below=None, cast_from=None, marks=None)

    def is_alike(self, other: TensorType | None) -> bool:
        """Return whether another type has the same shape, dtype and batch, whatever its numbers are."""
        return other is not None and self.cast(self.dtype) == other.cast(other.dtype)

    @property
    def past(self) -> tuple[str | None, str | None]:
        """The known history of the tensor (`cast_from`, `marks`), which equality ignores."""
        return self.cast_from, self.marks

    @property
    def key(self) -> Hashable:
        """Return a key for the type and the expressions that gave its sizes; valid while the type lives."""
        sizes = (*self.dims, self.vocab, self.below)
        key = sizes, self.dtype, self.batched, self.cast_from, self.marks
        if WrittenInt not in map(type, sizes):
            return key
        return *key, *[id(getattr(size, "written", None)) for size in sizes]

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return (
            1 if self.dtype == "bool" else int(self.dtype.lstrip("abcdefghijklmnopqrstuvwxyz")) // 8
        )

    @property
    def is_floating(self) -> bool:
        return self.dtype in FLOATING

    @property
    def is_integer(self) -> bool:
        return self.dtype in INTEGER


def depends_on_batch(size: Size) -> bool:
    """Return whether a size is the batch or computed from it."""
    return isinstance(size, Dim) and "N" in symbols(size)


@dataclass(frozen=True, slots=True, repr=False)
class Constraint:
    """A condition that holds when the module runs: `dim >= minimum`, `dim % divisor == 0`, or
    `dim != excluded`."""

    dim: Dim
    minimum: int | None = None
    divisor: int | None = None
    excluded: int | None = None

    def __str__(self) -> str:
        if self.divisor is not None:
            text = str(self.dim)
            return f"{text if text.isidentifier() else f'({text})'} % {self.divisor} == 0"
        free = self.dim - constant_term(self.dim)
        coefficients = [coefficient for coefficient, _ in printed_terms(free)]
        if self.excluded is not None:
            rest = self.excluded - constant_term(self.dim)
            unit = gcd(rest, *coefficients) * (-1 if coefficients[0] < 0 else 1)
            return f"{free // unit} != {rest // unit}"
        unit = gcd(*coefficients)
        if all(coefficient < 0 for coefficient in coefficients):
            return f"{-1 * free // unit} <= {-self.bound // unit}"
        return f"{free // unit} >= {-(-self.bound // unit)}"

    def holds(self, size: Size) -> bool | None:
        """Return whether the condition holds for `size` in place of `dim`; None if for some values only."""
        if self.divisor is not None:
            return divisible(size, self.divisor)
        if self.excluded is not None:
            same = equal(size, self.excluded)
            return None if same is None else not same
        return at_least(size, self.minimum or 0)

    @property
    def bound(self) -> int:
        """The least value that the terms with names must reach together."""
        return (self.minimum or 0) - constant_term(self.dim)


def at_least_one(dim: Dim) -> Constraint:
    """Return the constraint `dim >= 1`, solved for the numerator if `dim` is a floor division."""
    minimum = 1
    while (inside := sole_division(dim)) is not None:
        assert isinstance(inside.numerator, Dim)
        least = -((inside.constant - minimum) // inside.factor)  # rounded up
        dim, minimum = inside.numerator, least * inside.divisor
    return Constraint(dim, minimum)


def strongest(constraints: Iterable[Constraint]) -> tuple[Constraint, ...]:
    """Return the constraints without those that others imply, as `T >= 5` implies `T >= 3` and `T//2 >= 1`."""
    least: dict[Size, Constraint] = {}
    kept: list[Constraint] = []
    for constraint in constraints:
        if constraint.minimum is None:
            kept.append(constraint)
            continue
        free = constraint.dim - constant_term(constraint.dim)
        if free not in least or constraint.bound > least[free].bound:
            least[free] = constraint
    if not least:
        return tuple(dict.fromkeys(kept))
    names = {str(size) for size in least if symbols(size) == {str(size)}}
    longer = {name: symbol(name) + max(least[symbol(name)].bound, 1) - 1 for name in names}
    wanted = [one for size, one in least.items() if str(size) in names or not _holds(one, longer)]
    return (*wanted, *dict.fromkeys(kept))


def _holds(constraint: Constraint, sizes: Mapping[str, Size]) -> bool:
    """Return whether a minimum is reached for all values of these sizes."""
    try:
        return constraint.holds(substitute(constraint.dim, sizes)) is True
    except DimOverflow:
        return False


class Axis(NamedTuple):
    """An axis of one of several tensors, whose size is `factor * name + offset`."""

    tensor: int
    axis: int
    offset: int = 0
    factor: int = 1


def axis_of(size: Size, tensors: Sequence[TensorType]) -> Axis | None:
    """Return the first axis whose size is `size`."""
    named = (axis for axis, other in _axes(tensors) if isinstance(other, Dim) and other == size)
    return next(named, None)


def _axes(tensors: Sequence[TensorType]) -> Iterator[tuple[Axis, Size]]:
    """Yield each axis of the tensors with its size."""
    for position, type_ in enumerate(tensors):
        for index, size in enumerate(type_.shape):
            yield Axis(position, index), size


def axis_that_tells(name: str, tensors: Sequence[TensorType]) -> Axis | None:
    """Return an axis from which the size `name` can be computed: equal to it, or linear in it."""
    wanted = BATCH if name == "N" else symbol(name)
    found = axis_of(wanted, tensors)
    if found is not None:
        return found
    for axis, size in _axes(tensors):
        linear = line_of(size)
        if linear is not None and linear.name == name:
            return axis._replace(offset=linear.line.offset, factor=linear.line.factor)
    return None


class Multiple(NamedTuple):
    """A size that is `times` the size of an axis, and `plus` a number."""

    axis: Axis
    times: int
    plus: int


def multiple_of_axis(size: Dim, tensors: Sequence[TensorType]) -> Multiple | None:
    """Return the first axis of which a size is a multiple, perhaps with a number added to it."""
    plus = constant_term(size)
    for axis, other in _axes(tensors):
        if isinstance(other, Dim):
            offset = constant_term(other)
            times = _ratio(size - plus, other - offset)
            if times:
                return Multiple(axis, times, plus - times * offset)
    return None


def _ratio(size: Size, other: Size) -> int:
    """Return the integer by which `other` is multiplied in `size`, 0 if there is none."""
    (first, _), (second, _) = printed_terms(size)[0], printed_terms(other)[0]
    return first // second if first // second * other == size else 0


def can_be_read(size: Dim, tensors: Sequence[TensorType]) -> bool:
    """Return whether a size known only at run time can be computed from the axes of these tensors."""
    if axis_of(size, tensors) is not None:
        return True
    if all(axis_that_tells(name, tensors) is not None for name in symbols(size)):
        return True
    return multiple_of_axis(size, tensors) is not None


# names of Python, numpy and torch's methods that are no names of dtypes here
_ALIASES = {
    "int": "int64",
    "long": "int64",
    "float": "float32",
    "half": "float16",
    "double": "float64",
}


def dtype_help(name: str) -> str:
    """Return the help for a name that no dtype has."""
    near = _ALIASES.get(name) or nearest(name, DTYPES)
    return did_you_mean(near) if near else f"one of {', '.join(DTYPES)}"
