"""Merges that join tensors, fill them, fit them to another, or pick from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from mimgraph.diagnostics.text import put
from mimgraph.ir.axes_help import node
from mimgraph.ir.code import (
    Attribute,
    Binary,
    Code,
    Constant,
    Operand,
    Slice,
    Tuple,
    by_position,
    call,
    named_constant,
)
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import BATCH, FLOATING, INTEGER, Constraint, TensorType
from mimgraph.ops.layer_call import merge
from mimgraph.ops.layers.resize import AXES, BYTES, Mode, check_corners
from mimgraph.ops.merges.agreement import (
    MORE_AXES,
    SKIP_OF_EQUAL,
    WITH_BROADCAST,
    Operands,
    agreed,
    broadcast_help,
    broadcast_type,
    operands,
    same_dtypes,
    same_ranks,
    same_shapes,
    within,
)
from mimgraph.ops.merges.elementwise import Missing
from mimgraph.ops.op import OpFault, Sources
from mimgraph.ops.rule_helpers import (
    AFTER_BATCH,
    TRUE,
    axis_index,
    axis_indices,
    bad_option,
    changed,
    dtype_fault,
    largest,
    lowest,
    same_size,
    truth_fault,
    with_rank,
)


@merge(family="join", alone="Identity")
def concat(
    sources: Sources, /, dim: int = 1, *, broadcast: bool = False, missing: Missing = None
) -> Lowering:
    """Concatenated along `dim`, equal on all other axes: (N, A), (N, B) -> (N, A + B).

    `missing: skip` leaves out missing optional sources; the size along `dim` is then known only at
    run time.

    Example:
        image: [64]
        text: [32]
        {merge: concat, from: [image, text]}
    """
    named = operands(sources, "concat")
    if dim == 0 and any(x.batched for x in sources):
        help = f"{AFTER_BATCH}; to join samples, Transpose each source first"
        raise bad_option("dim", "dim 0 is the batch", help)
    frame = _frame(named, dim, broadcast)
    index = axis_index(frame, dim)
    same_dtypes(named, "concat")
    total: Size = 0
    for x in sources:
        total = total + _aligned(x, frame)[index]
    dims = (*frame.dims[:index], total, *frame.dims[index + 1 :])
    parts = tuple(_expanded(key, x, frame, index) for key, x in named.items())
    joined = frame.like(*dims, dtype=sources[0].dtype)
    axis = named_constant("dim", dim)
    lowering = Lowering(joined, call=call("torch.cat", parts, axis))
    if missing is None:
        return lowering
    if broadcast:
        raise bad_option("missing", SKIP_OF_EQUAL)
    given = call("torch.cat", call("_present", *map(Operand, named)), axis)
    return replace(lowering, skipping=given, adds=index)


@merge(family="join", alone="Unsqueeze")
def stack(sources: Sources, /, dim: int = 1, *, broadcast: bool = False) -> Lowering:
    """Stacked along a new axis, all of one shape: (N, D), (N, D) -> (N, 2, D).

    Example:
        image: [64]
        text: [64]
        {merge: stack, from: [image, text]}
    """
    named = operands(sources, "stack")
    frame = agreed(named, "stack", broadcast)
    same_dtypes(named, "stack")
    index = axis_index(frame, dim, new=1)
    parts = tuple(_expanded(key, x, frame) for key, x in named.items())
    return Lowering(
        frame.like(*frame.dims[:index], len(sources), *frame.dims[index:]),
        call=call("torch.stack", parts, named_constant("dim", dim)),
    )


def _frame(sources: Operands, dim: int, broadcast: bool) -> TensorType:
    """Return the type that all sources have, or are expanded to, except along `dim`."""
    try:
        if broadcast:
            needs = f"{WITH_BROADCAST} needs every other axis equal or 1"
            return broadcast_type(sources, f"concat along dim {dim} {needs}", dim)
        message = f"concat along dim {dim} needs equal sizes on every other axis"
        same_ranks(sources, message, free=0)
        first = next(iter(sources.values()))
        same_shapes(sources, message, axis_index(first, dim))
        return first
    except OpFault as fault:
        if fault.code == "shape-mismatch":
            help = broadcast_help(sources, broadcast, dim) or fault.help
            fault.help = help or _as_column(sources, *fault.mentions)
        raise


def _as_column(sources: Operands, odd: str, other: str) -> str:
    """Return the help for a source (N,) beside vectors; else ""."""
    ranks = {key: sources[key].rank for key in (odd, other) if sources[key].batched}
    lone = next((key for key, rank in ranks.items() if rank == 1), None)
    if lone is None or 2 not in ranks.values():
        return ""
    return f"give {{{lone}}} one more axis first: {node('Unsqueeze', f'{{{lone}}}', 'dim: 1')}"


def _aligned(x: TensorType, frame: TensorType) -> tuple[Size, ...]:
    """Return the dims in the rank of the frame: with 1 for each axis missing at the left."""
    missing = len(frame.dims) - len(x.dims)
    return (1,) * missing + x.dims[max(-missing, 0) :]


def _expanded(key: str, x: TensorType, frame: TensorType, index: int | None = None) -> Code:
    """Return the code of a source expanded to the frame, except along `index`; -1 keeps a size."""
    missing = len(frame.dims) - len(x.dims)
    sizes: list[Size] = []
    for i, (size, target) in enumerate(zip(_aligned(x, frame), frame, strict=True)):
        wanted = size if i == index else target
        sizes.append(-1 if i >= missing and same_size(wanted, size) else wanted)
    if x.batched == frame.batched and not missing and all(size == -1 for size in sizes):
        return Operand(key)
    batch = ((-1 if x.batched else BATCH),) if frame.batched else ()
    return Operand(key).method("expand", *batch, *sizes)


# Define masked_fill and pad_like, which write a value where another source says.


Number: TypeAlias = bool | int | float


class MaskedFillInputs(NamedTuple):
    input: TensorType
    mask: TensorType


@merge(family="fill")
def masked_fill(inputs: MaskedFillInputs, /, value: Number, *, broadcast: bool = False) -> Lowering:
    """`value` where `mask` is true, else `input`: (*), (*) -> (*).

    Example:
        scores: [4, 6]
        hidden: {shape: [4, 6], dtype: bool}
        {merge: masked_fill, from: [scores, hidden], value: -.inf}
    """
    input, mask = inputs
    if mask.dtype != "bool":
        raise truth_fault(mask, f"masked_fill takes a bool mask, {TRUE} where it fills", "mask")
    frame = agreed(inputs._asdict(), "masked_fill", broadcast)
    return Lowering(
        filled(input, frame.dims, value, frame.batched),
        call=INPUT.method("masked_fill", Operand("mask"), *by_position(value=value)),
    )


class PadLikeInputs(NamedTuple):
    input: TensorType
    like: TensorType


@merge(family="fill")
def pad_like(
    inputs: PadLikeInputs,
    /,
    dim: int | tuple[int, ...],
    *,
    side: Literal["end", "start", "both"] = "end",
    value: Number = 0,
) -> Lowering:
    """`input` padded by `value` to the size of `like` along `dim`: (N, T, *), (N, S, *) -> (N, S, *).

    With `side: both` the end gets the odd one. The other axes of `like` are ignored.

    Example:
        decoded: [8, 14, 14]
        skip: [4, 15, 15]
        {merge: pad_like, from: [decoded, skip], dim: [2, 3], side: both}
    """
    input, like = inputs
    same_ranks(inputs._asdict(), "pad_like needs the same number of axes in both", MORE_AXES)
    axes = axis_indices(input, dim)
    dims: list[Size] = list(input)
    requires: list[Constraint] = []
    for axis in axes:
        message = "pad_like can only make its input longer"
        requires += within(inputs._asdict(), ("input", "like"), axis, message)
        dims[axis] = like.dims[axis]
    widths: list[Code | int] = []
    for axis in range(len(dims) - 1, min(axes) - 1, -1):  # torch lists the last axis first
        missing = _missing(axis + input.batched) if axis in axes else None
        widths += _sides(missing, side) if missing else (0, 0)
    keywords = {"value": value} if value != 0 else {}
    return Lowering(
        filled(input, tuple(dims), value, input.batched),
        call=call("F.pad", INPUT, tuple(widths), **keywords),
        requires=tuple(requires),
    )


def filled(input: TensorType, dims: tuple[Size, ...], value: Number, batched: bool) -> TensorType:
    """Return the type of the input with `value` among its values; refuse a value out of range."""
    dtype = input.dtype
    whole = dtype == "bool" or input.is_integer
    fits = lowest(dtype) <= value <= largest(dtype)
    fits = fits or (not whole and not abs(value) < float("inf"))
    if not fits or (whole and value != int(value)):
        raise bad_option("value", f"value {value} is out of range for {dtype}")
    kept = input.vocab is not None and 0 <= value < input.vocab
    vocab = input.vocab if kept else None
    changed = replace(input, vocab=vocab, below=None, cast_from=None, marks=None)
    return replace(changed, dims=dims, batched=batched)


def _missing(axis: int) -> Code:
    """Return the code of how much shorter the input is along an axis."""
    like, input = (Attribute(Operand(key), "shape").at(Constant(axis)) for key in ("like", "input"))
    return Binary("-", like, input)


def _sides(missing: Code, side: str) -> tuple[Code | int, Code | int]:
    """Return the padding before and after an axis."""
    if side == "both":
        more = Binary("+", missing, Constant(1))
        return Binary("//", missing, Constant(2)), Binary("//", more, Constant(2))
    return (missing, 0) if side == "start" else (0, missing)


# Define resize_like, which resizes an image, sequence or volume to the size of another.


class ResizeLikeInputs(NamedTuple):
    input: TensorType
    like: TensorType


@merge(family="resize")
def resize_like(
    inputs: ResizeLikeInputs,
    /,
    mode: Mode = "nearest",
    *,
    align_corners: bool | None = None,
    antialias: bool = False,
) -> Lowering:
    """`input` interpolated to the size of `like`: (N, C, H, W), (N, *, K, L) -> (N, C, K, L).

    As torch's `interpolate`, for one to three axes behind the channels.

    Example:
        coarse: [8, 7, 7]
        fine: [4, 14, 14]
        {merge: resize_like, from: [coarse, fine], mode: bilinear}
    """
    input, like = inputs
    same_ranks(inputs._asdict(), "resize_like needs the same number of axes in both", MORE_AXES)
    _check(input, mode, align_corners, antialias)
    given = changed(
        mode=(mode, "nearest"),
        align_corners=(align_corners, None),
        antialias=(antialias, False),
    )
    size = Attribute(Operand("like"), "shape").at(Slice(Constant(2)))
    return Lowering(
        input.like(input.dims[0], *like.dims[1:]),
        call=call("F.interpolate", INPUT, size=size, **given),
    )


def _check(input: TensorType, mode: str, align_corners: bool | None, antialias: bool) -> None:
    """Refuse a mode, dtype or option that torch does not take for that many axes."""
    axes = len(input.dims) - 1
    if not input.batched or axes not in (1, 2, 3):
        raise OpFault(
            "rank-mismatch",
            "resize_like takes (N, C, L), (N, C, H, W) or (N, C, D, H, W)",
            source="input",
            note=str(input),
        )
    if AXES.get(mode, axes) != axes:
        fitting = " or ".join(put(name) for name, number in AXES.items() if number == axes)
        raise bad_option("mode", f"mode {mode} does not fit {input}", f"use {fitting}")
    check_corners(mode, align_corners)
    if antialias and mode not in ("bilinear", "bicubic"):
        raise bad_option("antialias", f"mode {mode} has no antialias", "use bilinear or bicubic")
    dtypes = FLOATING[2:] if antialias else FLOATING
    if input.dtype not in (*dtypes, *(("uint8",) if mode in BYTES else ())):
        wants = "float32 or float64" if antialias else "a floating-point tensor"
        raise dtype_fault(input, "resize_like", wants, "input")


# Define gather, pick, take and scatter_add, which read or write where an index says.


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
        help = f"for several indices of each sample write {put('merge: take')}"
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
