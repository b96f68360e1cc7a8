"""Collect the warnings of a legal spec; each kind is a function, listed in `CHECKS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mimgraph.diagnostics import Diagnostic, in_order
from mimgraph.infer.advice.unused_params import unused_params
from mimgraph.ir.graph import Graph

CHECKS: tuple[Callable[[Graph], Iterable[Diagnostic]], ...] = (unused_params,)


def warnings(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return the warnings of a declared graph in the order of the text."""
    return tuple(in_order([found for check in CHECKS for found in check(graph)]))
