"""Infer a whole graph, and check that its cost stays within its limits."""

from __future__ import annotations

from mimgraph.diagnostics import Report
from mimgraph.infer.graph import infer
from mimgraph.infer.state import State
from mimgraph.ir.declared_graph import Graph
from mimgraph.ir.typed_graph import TypedGraph


def infer_within_limits(
    graph: Graph, report: Report, state: State | None = None
) -> TypedGraph | None:
    """Return the typed graph; None if the graph is wrong or costs too much, with every fault in the
    report.

    `state` is that of `infer`.
    """
    typed = infer(graph, report, state)
    if graph.limits is None or typed is None:
        return typed
    from mimgraph.cost.limits import check_limits  # few specs have limits

    before = len(report.diagnostics)
    check_limits(graph.limits, typed, report)
    return typed if len(report.diagnostics) == before else None
