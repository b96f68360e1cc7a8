"""Write the code that makes up a sample of each input of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from mimgraph.graph import Graph
from mimgraph.ir.dim import Size
from mimgraph.ir.types import BATCH, COMPLEX, TensorType
from mimgraph.runtime.input_ranges import lengths, limits, positions

if TYPE_CHECKING:
    from mimgraph.project.plan import Sizes

RANDOM = "generator=rng"


class Sample(NamedTuple):
    """An input or target of one sample: the code of its value, and what it means."""

    name: str
    code: str
    doc: str = ""


class Ranges(NamedTuple):
    """What the numbers of integer inputs may be, by input."""

    categories: Mapping[str, int]
    longest: Mapping[str, Size]
    axes: Mapping[str, Size]


def samples(graph: Graph, sizes: Sizes) -> list[Sample]:
    """Return a made-up sample for each input, without the batch."""
    body = graph.typed.body
    ranges = Ranges(dict(limits(body)), dict(lengths(body)), dict(positions(body)))
    return [
        Sample(name, _value(name, type_, ranges, sizes), graph.inputs[name].doc)
        for name, type_ in body.inputs.items()
    ]


def _value(name: str, type_: TensorType, ranges: Ranges, sizes: Sizes) -> str:
    dims = [sizes.code(dim) for dim in type_.dims]
    if type_.dtype == "bool":
        return mask(dims, [sizes.number(dim) for dim in type_.dims])
    if not type_.is_integer:
        return normal(dims, type_.dtype)
    if name in ranges.longest:
        return integers(f"1, {sizes.code(ranges.longest[name])} + 1", dims, type_.dtype)
    limit: Size = ranges.categories.get(name, 2)
    if name in ranges.axes and name not in ranges.categories:
        limit = ranges.axes[name]
    return integers(sizes.code(limit), dims, type_.dtype)


def normal(dims: list[str], dtype: str) -> str:
    """Return the code of normal numbers: `torch.randn(3, 32, 32, generator=rng)`."""
    shape = ", ".join(dims) or "()"
    given = "" if dtype in ("float32", *COMPLEX) else f", dtype=torch.{dtype}"
    if dtype in COMPLEX:
        return f"torch.randn({shape}, {RANDOM}, dtype=torch.{dtype})"
    return f"torch.randn({shape}, {RANDOM}{given})"


def integers(limits: str, dims: list[str], dtype: str = "int64") -> str:
    """Return the code of integers from 0, or a first one, to below a limit."""
    given = "" if dtype == "int64" else f", dtype=torch.{dtype}"
    return f"torch.randint({limits}, {shape_of(dims)}, {RANDOM}{given})"


def mask(dims: list[str], numbers: list[int]) -> str:
    """Return the code of booleans: true behind a random step, so that no row is all true or all false."""
    if not dims or numbers[-1] < 2:
        return f"torch.randint(2, {shape_of(dims)}, {RANDOM}).bool()"
    *outer, last = dims
    row = f"torch.arange({last}) >= torch.randint(1, {last}, (), {RANDOM})"
    return f"({row}).expand({', '.join(dims)})" if outer else row


def shape_of(dims: list[str]) -> str:
    """Return a shape as a tuple of Python."""
    return f"({dims[0]},)" if len(dims) == 1 else f"({', '.join(dims)})"


def is_of_samples(type_: TensorType) -> bool:
    """Return whether each sample has a part of such a tensor, its first axis, and no other axis is the
    batch."""
    return type_.batch_axes == (0,) and type_.shape[0] == BATCH
