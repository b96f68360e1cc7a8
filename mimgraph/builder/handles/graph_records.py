"""Make records of the inputs and nodes of an existing graph, as sources of new layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mimgraph.builder.blocks.spec_blocks import SpecBlocks
from mimgraph.builder.handles.pickled import sources_first
from mimgraph.builder.handles.records import Record, Reference
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.builder.user_line import spec_error, user_line
from mimgraph.diagnostics import Report, SpecError
from mimgraph.diagnostics.nearest import nearest
from mimgraph.infer.declared import input_types, params
from mimgraph.infer.graph import Given
from mimgraph.infer.reuse import graph_with_values
from mimgraph.infer.rewrites import choose
from mimgraph.infer.state import State
from mimgraph.infer.structure import outer_shares, shared_around, shared_by
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.rewrite import with_keys
from mimgraph.ir.typed_graph import TypedGraph, TypedNode
from mimgraph.ir.typed_operations import unwrap
from mimgraph.source import Span


class GraphHandles:
    """The handles of a graph, by the names of its inputs, nodes and ports; always the same records.

    They keep their names; the params of the spec are replaced by their values.
    """

    def __init__(self, declared: ir.Graph, typed: TypedGraph) -> None:
        self.typed = typed
        self.records = {record.label: record for record in _records(declared, typed)}

    def __getstate__(self) -> dict[str, Any]:
        """Return its parts, with all records in an order in which a pickle can hold them."""
        return {"order": sources_first(self.records.values()), **self.__dict__}

    def __getitem__(self, key: object) -> Tensor:
        """Return the handle of a source as a spec writes it, `fc` or `lstm.last`."""
        span = user_line()
        if not isinstance(key, str):
            message = f"{self.typed.name}[...] takes the name of an input or node, not {key!r:.40}"
            raise TypeError(message)
        name, dot, port = key.partition(".")
        record = self.records.get(name)
        if record is None:
            raise self._unknown(key, name, span)
        if not dot:
            return Tensor(record)
        found = Tensor(record, port)
        if isinstance(record.made, TypedNode) and _is_inside(record.made, port):
            raise _inner(record.made, port, span)
        found.typed()  # raises if there is no such port
        return found

    def _unknown(self, key: str, name: str, span: Span) -> SpecError:
        """Return the error for a name that no input or node has."""
        outputs = self.typed.body.outputs
        near = nearest(name, self.records)
        if key in outputs:  # a public name
            value = outputs[key]
            help = f"the output {key} is the result of {'.'.join(filter(None, value))}"
        elif near:
            help = f"did you mean {near}?"
        else:
            shown = [*self.records][:12]
            more = ", ..." if len(self.records) > len(shown) else ""
            help = f"known here: {', '.join(shown)}{more}"
        message = f"no input or node of {self.typed.name} is called {name!r}"
        return spec_error("unknown-source", message, span, help)


def _is_inside(node: TypedNode, port: str) -> bool:
    """Return whether a port is no result of a node, but the name of a node inside."""
    operation = unwrap(node.operation)
    is_result = port in node.results or operation.branches
    return not is_result and operation.part(port.partition(".")[0]) is not None


def _inner(node: TypedNode, port: str, span: Span) -> SpecError:
    """Return the error for a node inside a block, whose result only the block can give."""
    message = f"{port} is inside {node.name}, and its result is known only there"
    help = f"take the result of {node.name}, or make its items nodes of their own"
    if unwrap(node.operation).is_block:
        help = f"add it to the outputs of the block, or take the result of {node.name}"
    return spec_error("unknown-source", message, span, help)


def _records(declared: ir.Graph, typed: TypedGraph) -> Iterator[Record]:
    """Yield a record of every input and node, in the order of the spec."""
    state = State(declared.blocks, Report())
    values = params(state, declared.params)
    state.params = values
    _, sizes = input_types(state, declared.inputs)
    chosen = choose(declared, values, state.report)
    blocks = SpecBlocks(chosen, values)
    graph = graph_with_values(chosen, values, sizes)
    outer = outer_shares(graph.blocks, [node.name for node in graph.nodes])
    found: dict[str, Record] = {}
    for one in graph.inputs:
        given = Given(one, typed.body.inputs[one.name])
        found[one.name] = Record(given, one.span, one.name, one.name, None, graph=graph.name)
    for node in with_keys(graph.nodes, blocks.keys):
        made = replace(typed.body.by_name[node.name], declared=node)
        found[node.name] = Record(made, node.span, node.name, node.name, None, graph=graph.name)
    for node in graph.nodes:
        found[node.name].blocks = blocks.used((node,))
        found[node.name].sources = tuple(_sources(node, found))
        share = shared_by(node)
        shared = [*([share.target] if share else []), *shared_around(node, outer)]
        found[node.name].needs = tuple(found[name] for name in shared if name in found)
    yield from found.values()


def _sources(
    node: ir.Node, records: Mapping[str, Record]
) -> Iterator[tuple[str | None, Reference]]:
    for source in node.sources or ():
        yield source.argument, Reference(records[source.name], source.port)
