"""Collect the warnings of a legal spec; each kind is a function, listed in `CHECKS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mimgraph.diagnostics import Diagnostic, in_order
from mimgraph.infer.advice.deprecated_ops import deprecated_ops
from mimgraph.infer.advice.partly_frozen import partly_frozen
from mimgraph.infer.advice.unused_params import unused_params
from mimgraph.ir.declared.graph import Graph
from mimgraph.source import PythonFile

CHECKS: tuple[Callable[[Graph], Iterable[Diagnostic]], ...] = (
    partly_frozen,
    unused_params,
    deprecated_ops,
    lambda graph: graph.renamed,
)


def warnings(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return the warnings of a spec in the order of its text; a graph made in Python has none."""
    found = [one for check in CHECKS for one in check(graph)]
    return tuple(in_order([one for one in found if not isinstance(one.span.file, PythonFile)]))
