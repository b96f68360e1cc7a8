"""Choose a number for every named size, so that the constraints of a graph hold."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from mimgraph.cost.bind_sizes import named_sizes
from mimgraph.ir.dim import substitute
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.types import Constraint

SMALLEST, LARGEST = 8, 512  # values that are tried for named sizes


def choose_sizes(graph: TypedGraph, given: Mapping[str, int]) -> dict[str, int]:
    """Return a value for every named size that is not given, so that all constraints hold."""
    names = sorted(named_sizes(graph))
    free = [name for name in names if name not in given]
    in_a_row = (range(start, start + len(free)) for start in range(SMALLEST, LARGEST))
    any_small = itertools.islice(itertools.product(range(1, 65), repeat=len(free)), 100_000)
    for extents in itertools.chain[Sequence[int]](in_a_row, any_small):
        sizes = dict(given) | dict(zip(free, extents, strict=True))
        if all(holds(constraint, sizes) for constraint in graph.constraints):
            return sizes
    raise ValueError(
        f"no sizes of {', '.join(names)} meet {', '.join(map(str, graph.constraints))}"
    )


def holds(constraint: Constraint, sizes: Mapping[str, int]) -> bool:
    """Return whether a constraint holds for these sizes."""
    try:
        return constraint.holds(substitute(constraint.dim, sizes)) is True
    except ArithmeticError:  # beyond 64 bits, or a division by 0
        return False
