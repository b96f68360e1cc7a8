"""Return the help for a tensor with another number of axes than an op takes.

Each help has one or more nodes to paste in front of the op, or another op in its place;
`{input}` in it stands for the name of the source.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from math import prod

from mimgraph.diagnostics.text import code, insert, put
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.types import TensorType

NO_BATCH = (
    f"it has no batch: a tensor of the model gets one by {code('batched: true')}, anything else in a"
    f" merge with what has one, by {code('broadcast: true')}"
)
_LETTERS = "abcdefghijklm"
_NUMBERED = re.compile(r"(\w+)[123]d")
# layers that compute each channel alone, so that a further axis can be folded into the channels
_EACH_CHANNEL = re.compile(r"\w*(Pool|Pad|Dropout|InstanceNorm)[123]d|Upsampling\w+2d|Unfold")
# layers with weights for each channel, whose number must be known
_WEIGHTED = re.compile(r"(Conv|ConvTranspose|BatchNorm|InstanceNorm)[123]d")
_RECURRENT = ("RNN", "LSTM", "GRU")

# What a tensor may be, the pattern that makes a sequence of it, the number of its dims, and the dims
# that become the width of a step, which must be known. The first two that fit are proposed.
_TOKENS = (
    ("an image", "n c h w -> n (h w) c", 3, (0,)),
    ("steps in two axes", "n t s d -> n (t s) d", 3, (2,)),
    ("frames", "n t c h w -> n (t h w) c", 4, (1,)),
    ("frames, channels first", "n c t h w -> n (t h w) c", 4, (0,)),
)
_STEPS = (
    ("an image, column by column", "n c h w -> n w (c h)", 3, (0, 1)),
    ("an image, pixel by pixel", "n c h w -> n (h w) c", 3, (0,)),
    ("vectors in each step", "n t s d -> n t (s d)", 3, (1, 2)),
    ("steps in two axes", "n t s d -> n (t s) d", 3, (2,)),
    ("frames", "n t c h w -> n t (c h w)", 4, (1, 2, 3)),
    ("frames, channels first", "n c t h w -> n t (c h w)", 4, (0, 2, 3)),
    ("the pixels of frames", "n t c h w -> n (t h w) c", 4, (1,)),
)
_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}  # by the number of axes to resize


def node(layer: str, source: str, options: str) -> str:
    """Return a node that applies a layer to the source, to insert before its reader."""
    return insert(f"{{layer: {layer}, from: {source}, {options}}}")


def flatten(source: str) -> str:
    """Return the help that flattens the source."""
    return f"flatten it first: {insert(f'{{layer: Flatten, from: {source}}}')}"


def rearranged(source: str, pattern: str) -> str:
    """Return a node that applies Rearrange to the source."""
    return node("Rearrange", source, f'pattern: "{pattern}"')


def cut(source: str, dim: int, size: Size) -> str:
    """Return the help that makes an axis as short as a size known at run time."""
    end = f"${size}" if str(size).isidentifier() else f"$({size})"
    return f"cut it to {size}: {node('Slice', source, f'dim: {dim}, end: {end}')}"


def moved_axis(x: TensorType, axis: int, to: int, source: str) -> tuple[str, TensorType]:
    """Return the node that moves a dim to another position, and the type of its result."""
    order = [index for index in range(len(x.dims)) if index != axis]
    order.insert(to, axis)
    moved = x.like(*(x.dims[index] for index in order))
    if abs(axis - to) == 1:
        one, two = sorted((axis + x.batched, to + x.batched))
        return node("Transpose", source, f"dim0: {one}, dim1: {two}"), moved
    dims = [*range(x.batched), *(index + x.batched for index in order)]
    return node("Permute", source, f"dims: {dims}"), moved


def one_more_axis(source: str, dim: int = 1) -> str:
    """Return the help that adds an axis of size 1."""
    return f"give it one more axis first: {node('Unsqueeze', source, f'dim: {dim}')}"


def to_axes(x: TensorType, axes: int, name: str, source: str, layers: Collection[str]) -> str:
    """Return the help that gives `x` this number of axes without the batch, for the op `name`, or
    the help with one of `layers` that takes `x` as it is."""
    if not x.batched:
        return NO_BATCH
    if axes == 0:
        return _to_number(x, source)
    if axes == 1:
        return to_vector(x, name, source)
    if name in ("Softmax2d", "Fold", "Unfold") or _NUMBERED.fullmatch(name):
        return "; ".join(_to_channels(x, axes, name, source, layers))
    return to_sequence(x, name, source)


def projected(x: TensorType, dims: Sequence[Size], source: str) -> str:
    """Return the help that gives `x` the sizes `dims` where only its width, or its channels, differ."""
    unlike = [i for i, (one, other) in enumerate(zip(x.dims, dims, strict=False)) if one != other]
    if len(x.dims) != len(dims) or len(unlike) != 1 or not x.is_floating:
        return ""
    axis, spaces = unlike[0], len(dims) - 1
    if isinstance(x.dims[axis], Dim) or isinstance(dims[axis], Dim) or 0 < axis < spaces:
        return ""
    layer, options = f"Conv{spaces}d", f"out_channels: {dims[axis]}, kernel_size: 1"
    if axis == spaces:
        layer, options = "Linear", f"out_features: {dims[axis]}"
    return f"project it first: {node(layer, source, options)}"


def as_vector(x: TensorType, source: str, width: Size | None = None) -> str:
    """Return the help that turns a tensor of more axes into a vector, of this width if one is
    given; an axis of a run-time size is reduced. Return "" if there is none."""
    sizes = [dim for dim in x.dims if not isinstance(dim, Dim)]
    size: Size = prod(sizes)
    if len(sizes) == len(x.dims):
        what, item, whole = "flatten it first", "Flatten", flatten(source)
    else:
        kept = next((i for i in (-1, 0) if not isinstance(x.dims[i], Dim)), -1) % len(x.dims)
        reduced = [index + 1 for index in range(len(x.dims)) if index != kept]
        dim = reduced[0] if len(reduced) == 1 else reduced
        port = ", or a port such as last" if reduced == [1] else ""
        name = "Mean" if x.is_floating else "Max"  # integers have no mean
        size, item = x.dims[kept], f"{{{name}: {dim}}}"
        what = "take one vector of it first"
        whole = f"{what}: {node(name, source, f'dim: {dim}')}{port}"
    if width is None or size == width:
        return whole
    if isinstance(size, Dim) or isinstance(width, Dim) or x.dtype != "float32":
        return ""
    projected = code(f"{{from: {source}, seq: [{item}, {{Linear: {width}}}]}}")
    return f"{what}: {projected}"


def to_vector(x: TensorType, name: str, source: str) -> str:
    """Return the help for an op that takes (N, D)."""
    if not x.batched:
        return NO_BATCH
    if not x.dims:
        return one_more_axis(source)
    if name == "EmbeddingBag":  # its bags may have any length
        return flatten(source)
    if name.endswith("Cell") and len(x.dims) == 2:
        step = node("Select", source, "dim: 1, index: -1")
        whole = f"; {name.removesuffix('Cell')} takes a whole sequence" if "input" in source else ""
        return f"take one step of it: {step}{whole}"
    return as_vector(x, source)


def to_sequence(x: TensorType, name: str, source: str) -> str:
    """Return the help for an op that takes steps or tokens, (N, T, D)."""
    if not x.batched:
        return NO_BATCH
    by_step = name in _RECURRENT
    if len(x.dims) == 1:
        if isinstance(x.dims[0], Dim):
            return one_more_axis(source, 2)
        of_numbers = f", or of one number a step {code('dim: 2')}" if by_step else ""
        return one_more_axis(source) + of_numbers
    found = _STEPS if by_step else _TOKENS
    patterns = [
        f"of {what}: {rearranged(source, pattern)}"
        for what, pattern, axes, known in found
        if axes == len(x.dims) and all(isinstance(x.dims[index], int) for index in known)
    ]
    alone = [f"of each row alone with {put('over: 1')}"] if len(x.dims) == 3 else []
    return "; ".join([*patterns[:2], *alone])


def _to_number(x: TensorType, source: str) -> str:
    """Return the help for an op that takes one number a sample, (N,): lengths, or an index."""
    if len(x.dims) != 1:
        return ""
    if x.dims[0] == 1:
        return f"take its axis of size 1 away: {node('Squeeze', source, 'dim: 1')}"
    if "lengths" in source:
        return f"of a mask, count the real steps: {node('Sum', source, 'dim: 1')}"
    return f"take one of each sample: {node('Select', source, 'dim: 1, index: 0')}"


def _to_channels(
    x: TensorType, axes: int, name: str, source: str, layers: Collection[str]
) -> list[str]:
    """Return the help for an op that takes channels and then axes in space, (N, C, H, W)."""
    rank, found = len(x.dims), list[str]()
    stem = numbered[1] if (numbered := _NUMBERED.fullmatch(name)) else ""
    if rank == 4 and axes == 3 and stem != "MaxUnpool":
        return _per_frame(x, name, source, f"{stem}3d" if f"{stem}3d" in layers else "")
    if name == "Softmax2d" and rank > 0:
        return [_softmax(source, 1)]
    if rank == 1 and axes > 2 and stem in ("BatchNorm", "Dropout"):
        return [f"{'BatchNorm1d' if stem == 'BatchNorm' else 'Dropout'} takes {x}"]
    if stem and rank > 1 and (other := f"{stem}{rank - 1}d") in layers:
        found.append(f"{other} takes {x}")
        if isinstance(x.dims[0], Dim) and _WEIGHTED.fullmatch(name) and stem != "MaxUnpool":
            found = [_channels_first(x, other, source)] if isinstance(x.dims[-1], int) else []
    if stem == "MaxUnpool" or name == "Fold":
        return found  # the indices or windows would have to be reshaped as well
    if rank == axes - 1 > 0:
        found.append(_one_channel(source))
    elif rank == 1 and isinstance(x.dims[0], int):
        sizes = _unflattened(x.dims[0], axes)
        given = node("Unflatten", source, f"dim: 1, unflattened_size: {sizes}")
        found.append(f"give it its axes first, such as {given}")
    elif rank > axes and not found:
        found = _folded(x, axes, name, source)
    return found


def _one_channel(source: str) -> str:
    return f"if it has one channel, give it that axis: {node('Unsqueeze', source, 'dim: 1')}"


def _channels_first(x: TensorType, layer: str, source: str) -> str:
    """Return the help for steps with features, where a layer takes the features first."""
    steps = " ".join("rst"[1 - len(x.dims) :])
    moved = rearranged(source, f"n {steps} c -> n c {steps}")
    return f"{layer} takes {x.like(x.dims[-1], *x.dims[:-1])}, after {moved}"


def _folded(x: TensorType, axes: int, name: str, source: str) -> list[str]:
    """Return the help that folds the first axes into the channels; a layer with weights must know
    their number."""
    count, rank = len(x.dims) - axes + 1, len(x.dims)
    known = all(isinstance(dim, int) for dim in x.dims[:count])
    is_free = _EACH_CHANNEL.fullmatch(name) and not _WEIGHTED.fullmatch(name)
    if not (known or is_free) or rank > len(_LETTERS):
        return []
    letters = _LETTERS[:rank]
    pattern = (
        f"n {' '.join(letters)} -> n ({' '.join(letters[:count])}) {' '.join(letters[count:])}"
    )
    return [f"fold axes into the channels first: {rearranged(source, pattern)}"]


def _per_frame(x: TensorType, name: str, source: str, volume: str) -> list[str]:
    """Return the help that applies an image layer to each frame of a video."""
    first, second = x.dims[:2]
    time_first = isinstance(first, Dim) or first not in (1, 3) or second in (1, 3)
    moved = rearranged(source, "n t c h w -> n c t h w")
    found = [f"{volume} takes (N, C, T, H, W)"] if volume else []
    if volume and time_first:
        found[0] += f", after {moved}"
    if name == "Softmax2d":
        return [_softmax(source, 2 if time_first else 1)]
    return [*found, _of_each_frame(1 if time_first else 2)]


def _softmax(source: str, dim: int) -> str:
    return f"{put(f'{{layer: Softmax, from: {source}, dim: {dim}}}')} takes any axes"


def _of_each_frame(axis: int) -> str:
    return f"of each frame alone with {put(f'over: {axis}')}"


def to_resized(x: TensorType, axes: int | None, source: str) -> str:
    """Return the help for an op that resizes this many axes in space, or 1 to 3 (None)."""
    if not x.batched:
        return NO_BATCH
    rank, found = len(x.dims), list[str]()
    wanted = axes + 1 if axes is not None else min(max(rank, 2), 4)
    if axes is not None and rank - 1 in _MODES:
        found.append(f"{put(f'mode: {_MODES[rank - 1]}')} takes {x}")
    if rank == wanted - 1 > 0:
        found.append(_one_channel(source))
    elif rank == 4 and wanted == 3:
        found.append(_of_each_frame(1))
    elif rank > wanted and not found:
        found = _folded(x, wanted, "Unfold", source)
    return "; ".join(found)


def _unflattened(size: int, axes: int) -> list[int]:
    """Return sizes with this product: a square image of 3 channels or 1, if there is one."""
    if axes == 3:
        for channels in (3, 1):
            side = round((size / channels) ** 0.5)
            if side > 1 and channels * side * side == size:
                return [channels, side, side]
    return [size, *[1] * (axes - 1)]


def along_the_last(left: int, right: int) -> str:
    """Return the equation that multiplies two tensors and sums their last axis; one without other
    axes meets each place of the other."""
    others = " ".join("opqrst"[-(max(left, right) - 1) :])
    one, other = ("n d" if dims == 1 else f"n {others} d" for dims in (left, right))
    return f"{one}, {other} -> n {others}"
