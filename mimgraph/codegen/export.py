"""What `torch.export` is told of the sizes that are known only at run time: torch's Dims of their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import gcd
from typing import Any, NamedTuple, TypeAlias

from torch.export import Dim as TorchDim

from mimgraph.ir.dim import Dim, Size, constant_term, substitute, symbol
from mimgraph.ir.typed import TypedGraph
from mimgraph.ir.types import Constraint

DynamicShapes: TypeAlias = dict[str, dict[int, Any] | None]  # its Dims have no common class


def dynamic_shapes(graph: TypedGraph, given: Iterable[str] | Mapping[str, Any]) -> DynamicShapes:
    """Of each input given, the axes that have no fixed size; None of one that is None."""
    inputs = graph.body.inputs
    if isinstance(given, str):
        given = [given]
    unknown = [name for name in given if name not in inputs]
    if unknown:
        raise ValueError(f"there is no input {unknown[0]!r}; the inputs: {', '.join(inputs)}")
    absent = (
        [n for n, value in given.items() if value is None] if isinstance(given, Mapping) else []
    )
    dims: dict[Size, Any] = {}  # one object a name, as torch would have it

    def axes(name: str) -> dict[int, Any]:
        unfixed = {axis: s for axis, s in enumerate(inputs[name].shape) if isinstance(s, Dim)}
        for size in unfixed.values():
            if size not in dims:
                dims[size] = _torch_dim(str(size), graph.constraints)
        return {axis: dims[size] for axis, size in unfixed.items()}

    return {name: None if name in absent else axes(name) for name in given}


def _torch_dim(name: str, constraints: Iterable[Constraint]) -> Any:
    """The named size `T`, or `4*_T` where only its multiples are legal, with its bounds.

    Where a window must fit into it (`T >= 3`) it is `Dim.DYNAMIC` within them: torch refuses lengths
    for which a size inside is 1, and finds out itself which those are.
    """
    size = _Line(1, 0)
    for constraint in constraints:
        line = _line(constraint.dim, name, size)
        if line is not None and constraint.divisor is not None:
            step, start = _zeros(line, constraint.divisor)
            size = _Line(size.factor * step, size.at(start))
    low, high = -((size.offset - 1) // size.factor), None
    for constraint in constraints:
        line = _line(constraint.dim, name, size)
        if line is None or constraint.minimum is None:
            continue
        missing = constraint.minimum - line.offset
        if line.factor > 0:
            low = max(low, -(-missing // line.factor))
        else:
            most = missing // line.factor
            high = most if high is None else min(high, most)
    if low > 1:
        return TorchDim.DYNAMIC(min=size.at(low), max=None if high is None else size.at(high))
    if size == _Line(1, 0):
        return TorchDim(name, min=low, max=high)
    multiple = size.factor * TorchDim(f"_{name}", min=low, max=high)
    return multiple + size.offset if size.offset else multiple


class _Line(NamedTuple):
    """`factor * x + offset`."""

    factor: int
    offset: int

    def at(self, x: int) -> int:
        return self.factor * x + self.offset


def _line(dim: Dim, name: str, size: _Line) -> _Line | None:
    """What a constraint is about as a line in x, for the named `size` of x; else torch has no word for it."""
    x = symbol(name)
    inside = substitute(dim, {name: size.factor * x + size.offset})
    if not isinstance(inside, Dim):
        return None
    offset = constant_term(inside)
    factor = substitute(inside - offset, {name: 1})
    return (
        _Line(factor, offset) if isinstance(factor, int) and inside == factor * x + offset else None
    )


def _zeros(line: _Line, divisor: int) -> tuple[int, int]:
    """The step and the first of all x for which a line is a multiple of `divisor`."""
    common = gcd(line.factor, divisor)
    step = divisor // common
    return step, -line.offset // common * pow(line.factor // common, -1, step) % step
