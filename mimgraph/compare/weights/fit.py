"""Check by keys and shapes that tensors fit a model of the old graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mimgraph.compare.weights.plan import Plan
from mimgraph.support.columns import lists


def check_weights(plan: Plan, given: Mapping[str, tuple[int, ...]], what: str) -> None:
    """Raise a `ValueError` that names missing and unexpected tensors, and tensors of another shape."""
    odd = [key for key in given if key not in plan.old and plan.foreign.isdisjoint(_around(key))]
    sizes = [
        f"{key} {given[key]}, not {shape}"
        for key, shape in plan.old.items()
        if key in given and given[key] != shape
    ]
    missing = [key for key in plan.old if key not in given and key not in plan.unsure]
    named = ("missing", missing), ("unexpected", odd), ("of another shape", sizes)
    if faults := "; ".join(lists(*named)):
        raise ValueError(f"{what} are not of the old graph: {faults}")


def _around(key: str) -> Iterator[str]:
    """Yield the paths that a key is inside of."""
    while key:
        yield key
        key = key.rpartition(".")[0]
