"""Sizes known only at run time, given beforehand: whether the graph has them and takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mimgraph.ir.dim import Dim, at_least, divisible, substitute, symbols
from mimgraph.ir.typed import TypedGraph
from mimgraph.ir.types import Constraint, TensorType


def named_sizes(graph: TypedGraph) -> list[str]:
    """The names of sizes, in the order of the inputs."""
    dims = (dim for type_ in graph.body.inputs.values() for dim in type_.dims)
    return list(dict.fromkeys(name for dim in dims for name in sorted(symbols(dim))))


def checked(graph: TypedGraph, sizes: Mapping[str, int]) -> tuple[Constraint, ...]:
    """What must still hold once these sizes are given; a `ValueError` tells what does not."""
    known = named_sizes(graph)
    for name, size in sizes.items():
        if name not in known:
            told = ", ".join(known) or "none"
            raise ValueError(f"no size is called {name!r}; the graph's sizes: {told}")
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} is a size, an integer of at least 1, not {size!r}")
    try:
        rest = [_left(constraint, sizes) for constraint in graph.constraints]
    except ArithmeticError:  # beyond 64 bits, or a division by what is 0 then
        raise ValueError(f"{_told(sizes)}: no size that follows fits 64 bits") from None
    return tuple(dict.fromkeys(one for one in rest if one is not None))


def _left(constraint: Constraint, sizes: Mapping[str, int]) -> Constraint | None:
    """A constraint where it still depends on a size."""
    dim = substitute(constraint.dim, sizes)
    if constraint.minimum is not None:
        holds = at_least(dim, constraint.minimum)
    else:
        assert constraint.divisor is not None
        holds = divisible(dim, constraint.divisor)
    if holds is False:
        used = {name: sizes[name] for name in sorted(symbols(constraint.dim)) if name in sizes}
        raise ValueError(f"{_told(used)} breaks {constraint}")
    return replace(constraint, dim=dim) if isinstance(dim, Dim) and not holds else None


def _told(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def filled(type_: TensorType, sizes: Mapping[str, int]) -> TensorType:
    """A type with sizes in place of names, that of the batch `N` too."""
    dims = tuple(substitute(dim, sizes) for dim in type_.shape)
    batched = type_.batched and "N" not in sizes
    return replace(type_, dims=dims[1:] if batched else dims, batched=batched)
