"""Type the part of a wrong graph that is known: what no fault concerns, nor follows from a fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from mimgraph.diagnostics import Report, SpecError
from mimgraph.infer.declared import input_types
from mimgraph.infer.graph import opened
from mimgraph.infer.nodes.node import type_nodes
from mimgraph.infer.nodes.sources import resolve_all
from mimgraph.infer.scope import Context, State
from mimgraph.infer.structure import Scope
from mimgraph.ir.declared.graph import Graph, Source
from mimgraph.ir.typed.graph import Body, TypedGraph, Value


def known_part(graph: Graph) -> TypedGraph:
    """Return the inputs and nodes whose types are known, as a graph.

    Its outputs are the results that the other nodes and the outputs read, each called by the text of
    its source: `lstm.last`. A port that does not exist is the first result of its node.
    """
    context = _typed(State({}, Report()), graph)
    inputs = {name: type_ for name, type_ in context.inputs.items() if type_ is not None}
    order = tuple([node for node in context.typed.values() if node is not None])
    written = [context.typed.get(name) for name in context.scope.nodes]
    nodes = tuple([node for node in written if node is not None])
    outputs = _read(context, graph)
    body = Body(
        *("", context.state.params, {}, {}, inputs, nodes, order, outputs, {}),
        doc=graph.doc,
        optional=context.optional & inputs.keys(),
    )
    docs = {declared.name: declared.doc for declared in graph.inputs if declared.doc}
    return TypedGraph(graph.name, body, docs, {}, ())


def _typed(state: State, graph: Graph) -> Context:
    """Return the context with all nodes typed that can be; the faults are in the report of the state."""
    context = Context(state, {}, {}, Scope({}, {}, (), ()), "")
    with suppress(SpecError):  # a limit was reached: what was typed before is known
        whole = opened(state, graph)
        if whole is None:
            context.inputs = input_types(state, graph.inputs)[0]
        else:
            context = whole
            type_nodes(context, ())
    return context


def _read(context: Context, graph: Graph) -> Mapping[str, Value]:
    """Return the known results that nodes of unknown type and the outputs read, by the text of the
    source; for a port that does not exist the first result of its node."""
    found: dict[str, Value] = {}
    for source in _sources(context, graph):
        node = context.typed.get(source.name)
        ports = [*node.results] if node is not None else [""]
        with suppress(SpecError):
            fed = [one for one in resolve_all(context, [source], "") if one.type is not None]
            if fed:
                found[source.text] = fed[0].value
            elif node is not None or context.inputs.get(source.name) is not None:
                found[source.text] = Value(source.name, ports[0])
    return found


def _sources(context: Context, graph: Graph) -> Iterator[Source]:
    """Yield what nodes of unknown type and the outputs read."""
    for node in graph.nodes:
        if context.typed.get(node.name) is None:
            yield from node.sources or ()
    yield from (output.source for output in graph.outputs)
