"""Type the part of a wrong graph that is known: what no fault concerns, nor follows from a fault."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mimgraph.diagnostics import Report, SpecError
from mimgraph.infer.declared import input_types
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.infer.graph import opened
from mimgraph.infer.sources import resolve_all
from mimgraph.infer.state import Context, State
from mimgraph.infer.structure import Scope
from mimgraph.infer.typer import type_nodes
from mimgraph.ir.declared.graph import Block, BlockInput, Graph, Node, Output, Source
from mimgraph.ir.declared.operations import Call, Chain
from mimgraph.ir.dims.dim import Dim
from mimgraph.ir.typed.graph import (
    Body,
    TypedGraph,
    TypedNode,
    Value,
    borrowed_by,
    single_nodes,
)
from mimgraph.ir.typed.operations import Shared


@dataclass(frozen=True, eq=False)
class KnownPart:
    """A wrong graph, or the inside of a block of it at one use, with the types that are known."""

    declared: Graph | Block
    context: Context

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return the declared nodes."""
        return tuple(self.context.scope.nodes.values())

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Return the declared outputs."""
        return self.context.scope.outputs

    @property
    def blocks(self) -> Mapping[str, Block]:
        """Return the blocks of the whole graph by key."""
        return self.context.state.blocks

    @cached_property
    def typed(self) -> TypedGraph:
        """Return the inputs and nodes of known types as a graph.

        Its outputs are the results that the other nodes and the outputs read, each called by the text
        of its source: `lstm.last`. A port that does not exist is the first result of its node.
        """
        context, declared = self.context, self.declared
        inputs = {name: type_ for name, type_ in context.inputs.items() if type_ is not None}
        order = tuple(self._known.values())
        nodes = tuple([self._known[name] for name in context.scope.nodes if name in self._known])
        body = Body(
            *("", context.state.params, {}, {}, inputs, nodes, order, self._read(), {}),
            doc=declared.doc,
            optional=context.optional & inputs.keys(),
        )
        if isinstance(declared, Block):
            return TypedGraph(declared.family, body, {}, {}, ())
        docs = {one.name: one.doc for one in declared.inputs if one.doc}
        return TypedGraph(declared.name, body, docs, {}, (), limits=context.state.limits)

    @cached_property
    def _known(self) -> Mapping[str, TypedNode]:
        """Return the typed nodes in running order, without those that share the module of another node,
        which is on a cycle or behind one."""
        found: dict[str, TypedNode] = {}
        names = {*self.context.inputs}
        for name, node in self.context.typed.items():
            if node is not None and all(_named(one, names) for one in _needed_for(node)):
                found[name] = node
                names.add(name)
        return found

    def _read(self) -> Mapping[str, Value]:
        """Return the known results that nodes of unknown type and the outputs read, by the text of the
        source."""
        context, known = self.context, self._known
        names = {*context.inputs, *known}
        found: dict[str, Value] = {}
        for source in self._sources():
            with suppress(SpecError):
                fed = [one for one in resolve_all(context, [source], "") if one.type is not None]
                if fed and _named(fed[0].value.name, names):
                    found[source.text] = fed[0].value
                elif source.name in known:
                    found[source.text] = Value(source.name, next(iter(known[source.name].results)))
                elif context.inputs.get(source.name) is not None:
                    found[source.text] = Value(source.name, "")
        return found

    def _sources(self) -> Iterator[Source]:
        """Yield what nodes of unknown type and the outputs read."""
        for node in self.nodes:
            if node.name not in self._known:
                yield from node.sources or ()
        yield from (output.source for output in self.outputs)

    def inside(self, node: Node) -> KnownPart | None:
        """Return the inside of a node of unknown type: of a chain, or of one use of a block; None if no
        type in it is known. A block that shares modules around it is not looked into."""
        operation, state = node.operation, self.context.state
        if isinstance(operation, Chain):
            return self._inside_chain(node, operation)
        if not isinstance(operation, Call) or state.outer.get(operation.block):
            return None
        context, block = state.unfinished.get(operation), state.blocks.get(operation.block)
        if context is None or block is None or context.left_out:
            return None
        part = KnownPart(block, context)
        if block.is_chain:
            return part.inside(part.nodes[0])
        return part if part._known else None

    def repeats(self, node: Node) -> Any:
        """Return how often a node repeats its block: a number, or a size known only at run time; 1 if it
        does not, or if its number is faulty."""
        operation = node.operation
        if not isinstance(operation, Call) or operation.repeat is None:
            return 1
        times, at = operation.repeat.times, Evaluation(self.context.env, Report())
        if times is not None:
            found = compute(times.value, at)
            is_number = isinstance(found, int | Dim) and not isinstance(found, bool)
            return found if is_number else 1
        columns = (compute(option.value, at) for option in operation.repeat.each.values())
        return next((len(values) for values in columns if isinstance(values, list)), 1)

    def _inside_chain(self, node: Node, chain: Chain) -> KnownPart | None:
        """Return a chain as a block with a node for each item, which reads the one before it."""
        state = self.context.state
        items = state.unfinished_items.get(id(chain))
        with suppress(SpecError):
            fed = resolve_all(self.context, node.sources or (), "")
        if not items or len(fed) != 1:
            return None
        given = BlockInput("input", node.span)
        reads = ("input", *(item.name for item in chain.items[:-1]))
        nodes = {
            item.name: replace(item, sources=(Source(name, None, item.span.part(0, 0)),))
            for name, item in zip(reads, chain.items, strict=True)
        }
        typed = {item.name: item for item in items}
        first = items[0]
        arguments = dict.fromkeys(first.arguments, Value("input", ""))
        typed[first.name] = replace(first, arguments=arguments)
        last = chain.items[-1]
        end = last.span.part(0, 0)  # the text of the item is not that of an output
        output = Output(last.name, Source(last.name, None, end), end)
        scope = Scope({"input": given}, nodes, (), (output,))
        path = self.context.path + node.name
        context = Context(
            state, self.context.env, {"input": fed[0].type}, scope, f"{path}.", typed={**typed}
        )
        return KnownPart(
            Block(path, node.span, {}, (given,), (*nodes.values(),), (output,)), context
        )


def _needed_for(node: TypedNode) -> Iterator[str]:
    """Yield what a node reads, and the nodes whose modules it or a block in it shares."""
    yield from (value.name for value in node.arguments.values())
    for one in single_nodes(node):
        if isinstance(one.operation, Shared):
            yield one.operation.target
        yield from borrowed_by(one.operation)


def _named(name: str, names: Container[str]) -> bool:
    """Return whether a name, or the node before its point, is among the names."""
    return name in names or name.partition(".")[0] in names


def known_part(graph: Graph, inferred: State | None = None) -> KnownPart:
    """Return a graph with the types that are known; `inferred` is the state of its inference, if it was
    inferred before."""
    if inferred is not None and inferred.whole is not None:
        return KnownPart(graph, inferred.whole)
    state = State({}, Report())
    names = {one.name: one for one in graph.inputs}, {one.name: one for one in graph.nodes}
    context = Context(state, {}, {}, Scope(*names, (), graph.outputs), "")
    with suppress(SpecError):  # a limit was reached: what was typed before is known
        whole = opened(state, graph)
        if whole is None:
            context.inputs = input_types(state, graph.inputs)[0]
        else:
            context = whole
            type_nodes(context, ())
    return KnownPart(graph, context)
