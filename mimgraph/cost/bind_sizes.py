"""Bind named sizes to numbers: check that the graph has them and that its constraints hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mimgraph.infer.requirements import needed_by
from mimgraph.ir.dim import MAX_COEFFICIENT, Dim, Size, substitute, symbols
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.types import Constraint, TensorType


def named_sizes(graph: TypedGraph) -> list[str]:
    """Return the named sizes, in the order of the inputs; the batch is none.

    Those of a concat that skips missing sources, which no input has, come last.
    """
    made = (type_ for node in graph.body.order for type_ in node.results.values())
    dims = (dim for type_ in (*graph.body.inputs.values(), *made) for dim in type_.dims)
    names = (name for dim in dims if isinstance(dim, Dim) for name in sorted(symbols(dim)))
    return list(dict.fromkeys(name for name in names if name != "N"))


def checked(graph: TypedGraph, sizes: Mapping[str, int]) -> tuple[Constraint, ...]:
    """Return the constraints that are left once sizes are given; a `ValueError` says which one fails."""
    known = named_sizes(graph)
    for name, size in sizes.items():
        if name not in known:
            every = ", ".join(known) or "none"
            raise ValueError(f"the graph has no size named {name!r}; its sizes: {every}")
        check_size(name, size)
    rest = [_left(graph, constraint, sizes) for constraint in graph.constraints]
    return tuple(dict.fromkeys(one for one in rest if one is not None))


def check_size(name: str, size: int) -> None:
    """Raise a `ValueError` for a size that is no positive integer, or is too large for torch."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(f"{name} must be an integer of at least 1, not {size!r}")
    if size > MAX_COEFFICIENT:
        raise ValueError(f"{name} is too large: a size is at most {MAX_COEFFICIENT:,}")


def _left(graph: TypedGraph, constraint: Constraint, sizes: Mapping[str, int]) -> Constraint | None:
    """Return a constraint with sizes filled in, or None if it holds now."""
    used = {name: sizes[name] for name in sorted(symbols(constraint.dim)) if name in sizes}
    try:
        dim = substitute(constraint.dim, sizes)
    except ArithmeticError:  # beyond 64 bits, or a division by 0
        raise ValueError(f"with {_text(used)}, {constraint.dim} does not fit in 64 bits") from None
    holds = constraint.holds(dim)
    if holds is False:
        raise ValueError(f"{_text(used)} breaks {constraint}{_why(graph, constraint)}")
    return replace(constraint, dim=dim) if isinstance(dim, Dim) and not holds else None


def _why(graph: TypedGraph, constraint: Constraint) -> str:
    """Return `, which conv needs (spec.yaml:12)`, or "" if no node is found."""
    found = needed_by(graph.body, constraint)
    if found is None:
        return ""
    path, span = found
    return f", which {path} needs ({span.file.name}:{span.line})"


def _text(sizes: Mapping[str, Size]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def filled(type_: TensorType, sizes: Mapping[str, Size]) -> TensorType:
    """Return a type with numbers for named sizes, also for the batch `N`; a `ValueError` says that a
    size is too large."""
    try:
        dims = tuple(substitute(dim, sizes) for dim in type_.shape)
    except ArithmeticError:
        raise ValueError(
            f"with {_text(sizes)}, a size of {type_} does not fit in 64 bits"
        ) from None
    batched = type_.batched and "N" not in sizes
    return replace(type_, dims=dims[1:] if batched else dims, batched=batched)
