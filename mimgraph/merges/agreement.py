"""What sources must have in common: which is the odd one out, and what a broadcast gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mimgraph.catalogue import OpFault, Sources, same_dims, same_size
from mimgraph.ir.axes_help import as_vector
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.types import Constraint, TensorType

Operands: TypeAlias = Mapping[str, TensorType]  # sources by operand key
MORE_AXES = "Unsqueeze the one that has fewer axes"


def operands(sources: Sources, name: str, least: int = 2, most: int | None = None) -> Operands:
    """The sources of a variadic merge by key, if there are enough of them and not too many."""
    if len(sources) < least or len(sources) > (most or len(sources)):
        plural = "source" if least == 1 else "sources"
        wanted = f"{least} {plural}" if most == least else f"at least {least} {plural}"
        surplus = str(most) if len(sources) > least else None
        raise OpFault("wrong-arity", f"{name} takes {wanted}, not {len(sources)}", source=surplus)
    return {str(index): x for index, x in enumerate(sources)}


def agreed(sources: Operands, message: str, broadcast: bool, help: str = "") -> TensorType:
    """The type of what is computed element by element; its dtype is that of one of the sources.

    `help` is for what even a broadcast would not mend.
    """
    try:
        if broadcast:
            return broadcast_type(sources, message)
        same_shapes(sources, message)
    except OpFault as fault:
        fault.help = ("" if broadcast else _broadcast_help(sources)) or help or fault.help
        raise
    return next(iter(sources.values()))


def same_dtypes(sources: Operands, name: str) -> None:
    """Refuse sources of different dtypes."""
    pair = odd_one_out(sources, lambda x, y: x.dtype == y.dtype)
    if pair is not None:
        odd, other = pair
        raise OpFault(
            "dtype-mismatch",
            f"{name} takes sources of one dtype",
            source=odd,
            note=f"{sources[odd].dtype}, but {{{other}}} is {sources[other].dtype}",
            help=f"cast it first: {{layer: Cast, from: {{{odd}}}, dtype: {sources[other].dtype}}}",
            speaks_of=(odd, other),
        )


def same_shapes(sources: Operands, message: str, free: int | None = None) -> None:
    """Refuse sources of different sizes, the axis `free` of their dims not counted."""

    def alike(x: TensorType, y: TensorType) -> bool:
        return x.batched == y.batched and same_dims(_without(x, free), _without(y, free))

    pair = odd_one_out(sources, alike)
    if pair is not None:
        raise disagreement(sources, *pair, message)


def same_ranks(sources: Operands, message: str, help: str = "") -> None:
    """Refuse sources of different numbers of axes, or some with a batch and some without."""
    pair = odd_one_out(sources, lambda x, y: (x.rank, x.batched) == (y.rank, y.batched))
    if pair is not None:
        raise disagreement(sources, *pair, message, help)


def within(
    sources: Operands, pair: tuple[str, str], axis: int, message: str
) -> tuple[Constraint, ...]:
    """What must hold for an axis of the first not to be longer than that of the second."""
    shorter, longer = pair
    low, high = sources[shorter].dims[axis], sources[longer].dims[axis]
    fits = at_least(high, low)
    if fits is False:
        raise disagreement(sources, shorter, longer, message)
    difference = high - low
    return (Constraint(difference, 0),) if isinstance(difference, Dim) and not fits else ()


def odd_one_out(
    sources: Operands, alike: Callable[[TensorType, TensorType], bool]
) -> tuple[str, str] | None:
    """The source that differs and one that it differs from.

    Of many, the first that is not like most; of two, the one with more axes, else the second.
    """
    first, *others = sources
    if all(alike(sources[first], sources[key]) for key in others):
        return None
    if len(others) == 1:
        second = others[0]
        more = sources[first].rank > sources[second].rank
        return (first, second) if more else (second, first)
    some = [*sources][:16]  # enough to tell what is usual, without comparing each to each
    usual = max(some, key=lambda key: sum(alike(sources[key], sources[x]) for x in some))
    return next(key for key in sources if not alike(sources[usual], sources[key])), usual


def disagreement(sources: Operands, odd: str, other: str, message: str, help: str = "") -> OpFault:
    """The fault of a source whose shape is not that of the others."""
    x, y = sources[odd], sources[other]
    help = help or _brought_together(x, y, odd, other)
    return OpFault(
        "shape-mismatch",
        message,
        source=odd,
        note=f"{x if x.rank == y.rank else _axes(x)}, but {{{other}}} is {y}",
        help=help,
        speaks_of=(odd, other),
    )


def _brought_together(x: TensorType, y: TensorType, odd: str, other: str) -> str:
    """What makes one shape of two, where that is easily told."""
    if x.batched and y.batched and x.rank > y.rank == 2:
        return as_vector(x, f"{{{odd}}}")
    pairs = [(a, b) for a, b in zip(x.dims, y.dims, strict=False) if not same_size(a, b)]
    if len(x.dims) != len(y.dims) or len(pairs) != 1:
        return ""
    ((size, wanted),) = pairs
    if isinstance(size, Dim) and isinstance(wanted, Dim):
        return f"if {size} and {wanted} are one length, give both one name"
    if x.is_floating and isinstance(wanted, int) and not same_size(x.dims[-1], y.dims[-1]):
        return f"project it first: {{layer: Linear, from: {{{odd}}}, out_features: {wanted}}}"
    return ""


def widest(sources: Operands, message: str) -> TensorType:
    """A source of the rank that a broadcast gives: tensors with a batch are of one rank.

    One without is aligned at the right, so it may not be wider than their dims.
    """
    batched = {key: x for key, x in sources.items() if x.batched}
    if batched:
        same_ranks(batched, message)
    frame = max((batched or sources).values(), key=lambda x: len(x.dims))
    for key, x in sources.items():
        if len(x.dims) > len(frame.dims):
            raise disagreement(sources, key, next(iter(batched)), message)
    return frame


def broadcast_type(sources: Operands, message: str, free: int | None = None) -> TensorType:
    """What size-1 axes and tensors without a batch are expanded to, but for the axis `free`."""
    frame = widest(sources, message)
    rank = len(frame.dims)
    return frame.like(
        *(1 if index == free else _common(sources, index - rank, message) for index in range(rank))
    )


def _broadcast_help(sources: Operands) -> str:
    """What to say if the sources would agree with `broadcast: true`."""
    try:
        broadcast_type(sources, "")
    except OpFault:
        return ""
    return "if that is meant, say broadcast: true"


def _common(sources: Operands, index: int, message: str) -> Size:
    """The size of an axis, counted from the right, that is not 1; all others are 1 or equal."""
    wide = {
        key: x
        for key, x in sources.items()
        if len(x.dims) >= -index and not same_size(x.dims[index], 1)
    }
    if not wide:
        return 1
    pair = odd_one_out(wide, lambda x, y: same_size(x.dims[index], y.dims[index]))
    if pair is not None:
        raise disagreement(sources, *pair, message)
    return next(iter(wide.values())).dims[index]


def _without(x: TensorType, index: int | None) -> tuple[Size, ...]:
    return tuple(size for i, size in enumerate(x) if i != index)


def _axes(x: TensorType) -> str:
    return "1 axis" if x.rank == 1 else f"{x.rank} axes"
