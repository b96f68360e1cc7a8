"""Check that sources agree in shape and dtype, find the odd one out, and compute broadcasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, permutations
from typing import TypeAlias

from mimgraph.diagnostics.text import code, insert, put
from mimgraph.ir.axes_help import as_vector, node, projected
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.types import Constraint, TensorType, promote
from mimgraph.ops.op import OpFault, Sources
from mimgraph.ops.rule_helpers import axis_index, cast, same_dims, same_size

Operands: TypeAlias = Mapping[str, TensorType]  # sources by operand key
MORE_AXES = "Unsqueeze the one that has fewer axes"
BROADCAST = put("broadcast: true")
IF_MEANT = f"if that is meant, write {BROADCAST}"
WITH_BROADCAST = f"with {code('broadcast: true')}"
SKIP_OF_EQUAL = f"{code('missing: skip')} needs equal shapes, so no {code('broadcast: true')}"
MOST_STRIDE = 32  # up to which a projection is proposed
MOST_AXES = 8  # up to which places for missing axes are searched


def operands(sources: Sources, name: str, least: int = 2, most: int | None = None) -> Operands:
    """Return the sources of a variadic merge by key; refuse too few or too many."""
    if len(sources) < least or len(sources) > (most or len(sources)):
        plural = "source" if least == 1 else "sources"
        wanted = f"{least} {plural}" if most == least else f"at least {least} {plural}"
        surplus = str(most) if len(sources) > least else None
        raise OpFault("wrong-arity", f"{name} takes {wanted}, not {len(sources)}", source=surplus)
    return {str(index): x for index, x in enumerate(sources)}


def agreed(sources: Operands, name: str, broadcast: bool) -> TensorType:
    """Return the type of an elementwise result of `name`, except for its dtype, which is of one source.

    Without `broadcast`, all shapes must be equal; with it, they are expanded as torch does.
    """
    try:
        if broadcast:
            message = f"{name} {WITH_BROADCAST} needs each axis equal or 1"
            return broadcast_type(sources, message)
        same_shapes(sources, f"{name} needs equal shapes")
    except OpFault as fault:
        fault.help = (
            broadcast_help(sources, broadcast)
            or _missing_axes(sources, fault.mentions, broadcast)
            or _with_broadcast(sources, fault, broadcast)
        )
        raise
    return next(iter(sources.values()))


def same_dtypes(sources: Operands, name: str) -> None:
    """Refuse sources of different dtypes."""
    pair = odd_one_out(sources, lambda x, y: x.dtype == y.dtype)
    if pair is not None:
        raise dtype_disagreement(sources, *pair, name)


def dtype_disagreement(sources: Operands, odd: str, other: str, name: str) -> OpFault:
    """Return the fault of a source with another dtype than a second one; its help casts the one that
    loses no precision."""
    x, y = sources[odd].dtype, sources[other].dtype
    both = promote(x, y)
    help = cast(odd if x != both else other, both)
    return OpFault(
        "dtype-mismatch",
        f"{name} takes sources of one dtype",
        source=odd,
        note=f"{x}, but {{{other}}} is {y}",
        help=help if both in (x, y) else f"cast both to {both} first",
        mentions=(odd, other),
    )


def same_shapes(sources: Operands, message: str, free: int | None = None) -> None:
    """Refuse sources of different sizes, except along the axis `free` of their dims."""

    def alike(x: TensorType, y: TensorType) -> bool:
        return x.batched == y.batched and same_dims(_without(x, free), _without(y, free))

    pair = odd_one_out(sources, alike)
    if pair is not None:
        raise disagreement(sources, *pair, message, free=free)


def same_ranks(sources: Operands, message: str, help: str = "", free: int | None = None) -> None:
    """Refuse sources of different ranks, or some with and some without a batch; `free` is the axis
    along which the help leaves their sizes alone."""
    pair = odd_one_out(sources, lambda x, y: (x.rank, x.batched) == (y.rank, y.batched))
    if pair is not None:
        raise disagreement(sources, *pair, message, help, free)


def within(
    sources: Operands, pair: tuple[str, str], axis: int, message: str
) -> tuple[Constraint, ...]:
    """Return the constraint that an axis of the first is not longer than that of the second."""
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
    """Return a source that differs and one that it differs from; None if all are alike.

    Among many it is the first that differs from most, of two the one with more axes, else the second.
    """
    first, *others = sources
    if all(alike(sources[first], sources[key]) for key in others):
        return None
    if len(others) == 1:
        second = others[0]
        more = sources[first].rank > sources[second].rank
        return (first, second) if more else (second, first)
    some = [*sources][:16]  # enough to find the majority without comparing all pairs
    usual = max(some, key=lambda key: sum(alike(sources[key], sources[x]) for x in some))
    return next(key for key in sources if not alike(sources[usual], sources[key])), usual


def disagreement(
    sources: Operands,
    odd: str,
    other: str,
    message: str,
    help: str = "",
    free: int | None = None,
) -> OpFault:
    """Return the fault of a source whose shape differs from another, except along the axis `free`."""
    x, y = sources[odd], sources[other]
    help = help or _made_equal(x, y, odd, other, free)
    return OpFault(
        "shape-mismatch",
        message,
        source=odd,
        note=f"{x if x.rank == y.rank else _axes(x)}, but {{{other}}} is {y}",
        help=help,
        mentions=(odd, other),
    )


def _made_equal(x: TensorType, y: TensorType, odd: str, other: str, free: int | None = None) -> str:
    """Return the help that makes two shapes equal, where one is likely; else ""."""
    if x.batched and y.batched and x.rank > y.rank == 2:
        return as_vector(x, f"{{{odd}}}", y.dims[0] if free is None else None)
    if len(x.dims) != len(y.dims):
        return ""
    axes = [i for i, pair in enumerate(zip(x.dims, y.dims, strict=True)) if not same_size(*pair)]
    axes = [axis for axis in axes if axis != free]
    size, wanted = (x.dims[axes[0]], y.dims[axes[0]]) if len(axes) == 1 else (0, 0)
    if str(size).isidentifier() and str(wanted).isidentifier():
        return f"if {size} and {wanted} are the same length, use one name for both"
    if axes == [len(x.dims) - 1] and (help := projected(x, y.dims, f"{{{odd}}}")):
        return help
    return _resized({odd: x, other: y}, axes, free) if x.batched == y.batched else ""


def _resized(pair: Operands, axes: Sequence[int], free: int | None) -> str:
    """Return the node that brings one of a pair to the sizes of the other along these axes."""
    (odd, x), (other, y) = pair.items()
    if axes == [0] and _has_channels(x) and x.dtype == "float32":
        return _projected(odd, x, y, 1)
    space = [axis for axis in axes if axis > 0] if len(x.dims) > 2 or axes != [0] else [0]
    if not space or not all(at_least(y.dims[axis], x.dims[axis]) for axis in space):
        (odd, x), (other, y) = (other, y), (odd, x)  # `x` is the shorter
    if not space or not all(at_least(y.dims[axis], x.dims[axis]) for axis in space):
        return ""
    step = _stride(y, x) if free is None and _has_channels(y) and y.dtype == "float32" else 0
    if step:
        return _projected(other, y, x, step)
    if space != [*axes]:
        return ""
    between = f"from: [{{{odd}}}, {{{other}}}]"
    if all(_is_little(y.dims[axis] - x.dims[axis], x.dims[axis]) for axis in space):
        dims = [axis + x.batched for axis in space]
        dim = dims[0] if len(dims) == 1 else dims
        return f"pad the shorter: {insert(f'{{merge: pad_like, {between}, dim: {dim}}}')}"
    resizable = x.batched and x.is_floating and 0 not in space and len(x.dims) < 5
    resized = insert(f"{{merge: resize_like, {between}}}")
    return f"resize the smaller: {resized}" if resizable else ""


def _is_little(missing: Size, size: Size) -> bool:
    """Return whether less than `size` is missing, so that padding is plausible."""
    return isinstance(missing, int) and (not isinstance(size, int) or missing < size)


def _has_channels(x: TensorType) -> bool:
    """Return whether a tensor probably has channels and then axes in space, not steps of features."""
    sizes = len(x.dims) in (3, 4) or (len(x.dims) == 2 and isinstance(x.dims[1], Dim))
    return x.batched and sizes and isinstance(x.dims[0], int)


def _stride(x: TensorType, y: TensorType) -> int:
    """Return the stride of a 1x1 convolution that gives `x` the sizes of `y` in space; 0 if none does."""
    for stride in range(2, MOST_STRIDE + 1):
        # `==` compares how sizes are written, which is enough here and fast
        if all(
            (size - 1) // stride + 1 == kept
            for size, kept in zip(x.dims[1:], y.dims[1:], strict=True)
        ):
            return stride
    return 0


def _projected(key: str, x: TensorType, wanted: TensorType, stride: int) -> str:
    """Return the help with the 1x1 convolution that gives a source the wanted channels."""
    if isinstance(wanted.dims[0], Dim):
        return ""
    options = f"out_channels: {wanted.dims[0]}, kernel_size: 1"
    options += f", stride: {stride}" if stride > 1 else ""
    return f"project it first: {node(f'Conv{len(x.dims) - 1}d', f'{{{key}}}', options)}"


def widest(sources: Operands, message: str) -> TensorType:
    """Return a source that has the rank of the broadcast; all tensors with a batch must have one rank.

    One without a batch is aligned at the right: it may have fewer axes, or a 1 for the batch.
    """
    batched = {key: x for key, x in sources.items() if x.batched}
    if batched:
        same_ranks(batched, message)
    frame = max((batched or sources).values(), key=lambda x: len(x.dims))
    for key, x in sources.items():
        meets_batch = x.rank == frame.rank and x.batched != frame.batched
        if x.rank > frame.rank or (meets_batch and not same_size(x.dims[0], 1)):
            raise disagreement(sources, key, next(iter(batched)), message)
    return frame


def broadcast_type(sources: Operands, message: str, dim: int | None = None) -> TensorType:
    """Return the type to which axes of size 1 and tensors without a batch are expanded, except
    along `dim`."""
    frame = widest(sources, message)
    rank, free = len(frame.dims), None if dim is None else axis_index(frame, dim)
    return frame.like(
        *(1 if index == free else _common(sources, index - rank, message) for index in range(rank))
    )


def broadcast_help(sources: Operands, broadcast: bool, dim: int | None = None) -> str:
    """Return the help by which sources broadcast: the option, or a batch axis of 1; else ""."""
    if broadcasts(sources, dim):
        return IF_MEANT
    ranks = {x.rank for x in sources.values() if x.batched}
    for key, x in sources.items():
        at_batch = not x.batched and x.rank in ranks
        if at_batch and broadcasts({**sources, key: x.like(1, *x.dims[1:])}, dim):
            help = f"the first axis of {{{key}}} meets the batch: make it 1, or remove it"
            return help if broadcast else f"{help}, and write {BROADCAST}"
    return ""


def broadcasts(sources: Operands, dim: int | None = None) -> bool:
    """Return whether the sources agree with `broadcast: true`."""
    try:
        broadcast_type(sources, "", dim)
    except OpFault:
        return False
    return True


def _missing_axes(sources: Operands, pair: tuple[str, ...], broadcast: bool) -> str:
    """Return the help that gives one of a pair axes with which it broadcasts; "" if there are none."""
    for key, other in permutations(pair, 2):
        x = sources[key]
        wanted = _with_axes_of(x, sources[other])
        layer = wanted and broadcasts({**sources, key: wanted}) and _reshape(x, wanted, key)
        if layer:
            help = f"give {{{key}}} its missing axes first: {layer}"
            return help if broadcast else f"{help}, and write {BROADCAST}"
    return ""


def _with_broadcast(sources: Operands, fault: OpFault, broadcast: bool) -> str:
    """Return the help of a fault, with `broadcast: true` where one source has no batch."""
    odd, other = fault.mentions
    enough = broadcast or sources[odd].batched == sources[other].batched
    return fault.help if enough or not fault.help else f"{fault.help}, and write {BROADCAST}"


def _with_axes_of(x: TensorType, wide: TensorType) -> TensorType | None:
    """Return `x` with axes of size 1 where `wide` has axes that it lacks; None if it does not fit.

    (N, 8) beside (N, 8, 4, 4) becomes (N, 8, 1, 1); where several places fit, the last is taken.
    """
    target = wide.dims[1:] if x.batched and not wide.batched else wide.dims
    if not len(x.dims) < len(target) <= MOST_AXES:
        return None
    for places in reversed([*combinations(range(len(target)), len(x.dims))]):
        pairs = zip(x.dims, (target[place] for place in places), strict=True)
        if all(same_size(a, b) or same_size(a, 1) or same_size(b, 1) for a, b in pairs):
            by_place = dict(zip(places, x.dims, strict=True))
            first = 0 if x.batched else min(places, default=len(target))
            return x.like(*(by_place.get(index, 1) for index in range(first, len(target))))
    return None


def _reshape(x: TensorType, wanted: TensorType, key: str) -> str:
    """Return the node that adds axes of size 1 to a source; "" if no single node can."""
    if len(wanted.dims) == len(x.dims) + 1:
        new = next(i for i in range(len(wanted.dims)) if _without(wanted, i) == x.dims)
        return node("Unsqueeze", f"{{{key}}}", f"dim: {new + x.batched}")
    if sum(isinstance(size, Dim) for size in wanted) > 1:
        return ""  # a size known only at run time is written -1, and there can be one
    shape = ", ".join("-1" if isinstance(size, Dim) else str(size) for size in wanted)
    return node("Reshape", f"{{{key}}}", f"shape: [{shape}]")


def _common(sources: Operands, index: int, message: str) -> Size:
    """Return the broadcast size of an axis, counted from the right; refuse sizes that do not broadcast."""
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
    """Return the dims without one axis."""
    return tuple(size for i, size in enumerate(x) if i != index)


def _axes(x: TensorType) -> str:
    """Return the number of axes, as text."""
    return "1 axis" if x.rank == 1 else f"{x.rank} axes"
