"""Settle a search: give params their values, and keep what the graph needs at this point alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from mimgraph.diagnostics import Report
from mimgraph.infer.advice.unused_params import unread_params
from mimgraph.infer.declared import params
from mimgraph.infer.other_choices import without_other_choices
from mimgraph.infer.state import State
from mimgraph.ir.declared.graph import Graph
from mimgraph.ir.declared.values import Option


def settled(graph: Graph, given: Mapping[str, Option], names: Collection[str]) -> Graph:
    """Return the graph with these params, and with no search of the params `names`.

    The options of other choices are gone, and so are the params that only they read.
    """
    found = replace(graph, params={**graph.params, **given})
    values = params(State({}, Report()), found.params)
    searched = {
        name: one if name in names else one._replace(space=None)
        for name, one in found.params.items()
    }
    fixed = replace(found, params=searched)
    kept = without_other_choices(fixed, values, Report())
    plain = {
        name: one._replace(space=None) if name in names else one
        for name, one in found.params.items()
    }
    return _without_unread(replace(kept, params=plain), graph)


def _without_unread(graph: Graph, before: Graph) -> Graph:
    """Return the graph without the params that nothing reads and something did before."""
    known = {*unread_params(before)}
    while unread := {*unread_params(graph)} - known:
        kept = {name: one for name, one in graph.params.items() if name not in unread}
        graph = replace(graph, params=kept)
    return graph
