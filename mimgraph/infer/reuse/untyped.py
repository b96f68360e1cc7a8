"""Check a spec without types: a part, whose params and inputs differ from use to use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.diagnostics import Report
from mimgraph.infer.advice.unknown_names import OtherScopes, SpecNames
from mimgraph.infer.declared import check_blocks, check_nodes_text, params
from mimgraph.infer.evaluation import Evaluation, check_names
from mimgraph.infer.names_read import in_value
from mimgraph.infer.presence import check_inputs
from mimgraph.infer.state import State
from mimgraph.infer.structure import Around, check_scope
from mimgraph.ir.declared.graph import Graph, operations
from mimgraph.ir.declared.values import FAULTY, OTHERS, Chosen
from mimgraph.ir.names import NODE_WORDS


def check_untyped(graph: Graph, report: Report) -> None:
    """Report the faults of a graph that need no types to be found."""
    state = State(graph.blocks, report, graph.params)
    above = dict[str, Any]()
    for name, option in graph.params.items():
        check_names(option.value, Evaluation(above, report))
        above[name] = option
    names = SpecNames(graph)
    # the private ones were checked with their part
    own = {key: block for key, block in graph.blocks.items() if not block.is_private}
    check_blocks(state, names, [node.name for node in graph.nodes], own)
    sizes = {name: None for one in graph.inputs if one.shape for name in one.shape.names}
    known: dict[str, Any] = {**graph.params, **sizes}
    if any(one.shape is None for one in graph.inputs) or not (graph.inputs and graph.nodes):
        known[OTHERS] = FAULTY
    if graph.inputs and graph.nodes:
        check_scope(
            *(graph.inputs, graph.nodes, graph.outputs, report),
            elsewhere=OtherScopes(names),
            lost=graph.lost,
            around=Around((), state.outer),
        )
    optional = [one.name for one in graph.inputs if one.optional is True]
    check_inputs(state, graph.inputs, optional)
    check_nodes_text(state, graph.nodes, known, "")
    report.drop_mentioned()


def fixed_params(graph: Graph, report: Report) -> Mapping[str, Any]:
    """Return the values of the params that no use of the graph as a block can give.

    They name an op, or are called as a key of a node or as a size of an input is.
    """
    nodes = [*graph.nodes, *(node for block in graph.blocks.values() for node in block.nodes)]
    chosen = {
        word
        for operation in operations(nodes)
        for name in operation.names()
        if isinstance(name, Chosen)
        for word in in_value(name.written)
    }
    sizes = {name for one in graph.inputs if one.shape for name in one.shape.names}
    fixed = {name for name in graph.params if name in chosen | sizes or name in NODE_WORDS}
    read = {*fixed}
    for name in reversed([*graph.params]):  # a value may read those above it
        if name in read:
            read.update(in_value(graph.params[name].value))
    needed = {name: option for name, option in graph.params.items() if name in read}
    values = params(State({}, report), needed)
    return {name: values[name] for name in graph.params if name in fixed}
