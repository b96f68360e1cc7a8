"""One edit of a graph: the scopes inside its nodes, and the checked graph that it returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from mimgraph.builder.blocks.call import new_key
from mimgraph.builder.edits.block_names import CopyKey, Resolve, name_blocks, used_blocks
from mimgraph.builder.edits.scope import NO_NODES, NO_TYPES, Scope
from mimgraph.builder.user_line import raise_at_call, spec_error, user_line
from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.diagnostics import Diagnostic, Report, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.declared import params
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.infer.state import State
from mimgraph.infer.warnings import unread_params
from mimgraph.ir.declared_graph import Block, BlockInput, Call, Chain, Graph, Input, Node
from mimgraph.ir.declared_values import Chosen, Option
from mimgraph.ir.expression import plain
from mimgraph.ir.typed_graph import TypedGraph, TypedNode
from mimgraph.ir.typed_operations import Each, TypedOperation, unwrap
from mimgraph.ir.types import TensorType
from mimgraph.picture.faulty.sketch import sketch_of
from mimgraph.source import Span


def without_unused(graph: Graph, before: Graph, resolve: Resolve) -> Graph:
    """Return the graph without the blocks and params that only the graph `before` the edit used."""
    if before.blocks:
        used = used_blocks(before, {}, resolve)
        dropped = used - used_blocks(graph, {}, resolve, graph.blocks.keys() - used)
        blocks = {name: block for name, block in graph.blocks.items() if name not in dropped}
        graph = replace(graph, blocks=blocks) if len(blocks) < len(graph.blocks) else graph
    unread = {*unread_params(before)} if graph.params else set()
    while graph.params and (dropped := {*unread_params(graph)} - unread):
        kept = {name: option for name, option in graph.params.items() if name not in dropped}
        graph = replace(graph, params=kept)
    return graph


def with_known_sizes(graph: Graph, before: Graph) -> Graph:
    """Return the graph with limits that state no sizes which only inputs of the graph `before` the edit
    had."""
    if graph.limits is None or not graph.limits.sizes:
        return graph
    lost = {*_sizes(before)} - {*_sizes(graph)}
    sizes = {name: option for name, option in graph.limits.sizes.items() if name not in lost}
    return replace(graph, limits=replace(graph.limits, sizes=sizes))


def _sizes(graph: Graph) -> Iterator[str]:
    for one in graph.inputs:
        yield from one.shape.names if one.shape else ()


class EditedGraph(NamedTuple):
    """A graph as declared and as inferred."""

    declared: Graph
    typed: TypedGraph


@dataclass
class Edit:
    """An edit of a graph at the user's line `span`; `made` are the blocks that it adds, by temporary
    keys, inner ones first."""

    graph: Graph
    typed: TypedGraph
    span: Span = field(default_factory=user_line)
    made: dict[str, Block] = field(default_factory=dict)

    @cached_property
    def whole(self) -> Scope:
        """The scope of the graph itself."""
        body, graph = self.typed.body, self.graph
        inputs = graph.inputs
        return Scope("", graph.nodes, graph.outputs, inputs, False, body.inputs, body.by_name)

    # --- scopes inside nodes ----------------------------------------------------------------------

    def inside(self, scope: Scope, node: Node) -> Scope | None:
        """Return the scope inside a node: the items of its seq, or the nodes of its block."""
        operation, path = node.applied, f"{scope.path}{node.name}."
        typed = scope.typed.get(node.name)
        applied = None if typed is None else _applied(typed.operation)
        if isinstance(operation, Chain):
            return _items(path, operation.items, applied, _source_type(scope, typed))
        if not isinstance(operation, Call):
            return None
        block = self.block(operation)
        body = applied.bodies[0] if applied is not None and applied.bodies else None
        if block.is_chain:
            chain = block.nodes[0].operation
            assert isinstance(chain, Chain)
            if body is None:
                return _items(path, chain.items, None, None)
            source = next(iter(body.inputs.values()), None)
            return _items(path, chain.items, unwrap(body.nodes[0].operation), source)
        known = (NO_TYPES, NO_NODES) if body is None else (body.inputs, body.by_name)
        return Scope(path, block.nodes, block.outputs, block.inputs, False, *known)

    def with_inside(self, node: Node, inner: Scope) -> Node:
        """Return a node with a changed scope inside it; its block becomes a copy."""
        operation = node.applied
        if isinstance(operation, Chain):
            return node.with_applied(replace(operation, items=inner.nodes))
        assert isinstance(operation, Call)
        block = self.block(operation)
        nodes = inner.nodes
        if block.is_chain:
            (whole,) = block.nodes
            assert isinstance(whole.operation, Chain)
            nodes = (replace(whole, operation=replace(whole.operation, items=inner.nodes)),)
        changed = replace(block, nodes=nodes, outputs=inner.outputs or block.outputs, function=None)
        if not block.is_chain:
            inputs = tuple([one for one in inner.inputs if isinstance(one, BlockInput)])
            changed = replace(changed, inputs=inputs)
        key = CopyKey(new_key(block.family), self.resolved(operation.block), operation.block)
        self.made[key] = changed
        return node.with_applied(replace(operation, block=key))

    def block(self, call: Call) -> Block:
        """Return the block that a node uses."""
        return self.graph.blocks[self.resolved(call.block)]

    def resolved(self, name: str) -> str:
        """Return a name of a layer, merge or block with the value of a param in its place."""
        if not isinstance(name, Chosen):
            return name
        return str(self._computed(name.written))

    def value(self, given: Option) -> object:
        """Return the value of an option in which params may stand."""
        return self._computed(given.value)

    def _computed(self, value: object) -> object:
        return plain(compute(value, Evaluation(self._params, Report())))

    @cached_property
    def _params(self) -> Mapping[str, object]:
        return params(State(self.graph.blocks, Report()), self.graph.params)

    # --- the result -------------------------------------------------------------------------------

    def fault(
        self, code: DiagnosticCode, message: str, help: str = "", at: Span | None = None
    ) -> SpecError:
        """Return the error for an edit that cannot be made, with the place in the spec as a label."""
        if at is None:
            return spec_error(code, message, self.span, help)
        try:
            raise_at_call([Diagnostic(code, message, at, help=help)], self.span)
        except SpecError as error:
            return error

    def changed(self, around: Sequence[tuple[Scope, Node]], scope: Scope) -> EditedGraph:
        """Return the checked graph with a changed scope, inside the nodes of the scopes `around` it."""
        for outer, node in reversed(around):
            scope = outer.with_node(node.name, self.with_inside(node, scope))
        return self.checked(scope)

    def checked(self, whole: Scope) -> EditedGraph:
        """Return the checked graph with these nodes and outputs."""
        inputs = tuple([one for one in whole.inputs if isinstance(one, Input)])
        graph = replace(self.graph, inputs=inputs, nodes=whole.nodes, outputs=whole.outputs)
        graph = with_known_sizes(graph, self.graph)
        graph = name_blocks(graph, self.graph, self.made, self.resolved)
        graph = without_unused(graph, self.graph, self.resolved)
        report = Report()
        try:
            typed, faults = infer_within_limits(graph, report), report.diagnostics
        except SpecError as error:  # a limit
            typed, faults = None, error.diagnostics
        if faults:
            raise_at_call(faults, self.span, sketch_of(graph))
        assert typed is not None
        return EditedGraph(graph, typed)


def _applied(operation: TypedOperation) -> TypedOperation:
    """Return the operation itself, in an `each` that of its first module."""
    whole = unwrap(operation)
    return unwrap(whole.items[0].operation) if isinstance(whole, Each) else whole


def _items(
    path: str,
    items: tuple[Node, ...],
    typed: TypedOperation | None,
    source: TensorType | None,
) -> Scope:
    """Return the scope of the items of a seq; its source is the input `input`."""
    types = NO_TYPES if source is None else {"input": source}
    known = NO_NODES if typed is None else {item.name: item for item in typed.items}
    return Scope(path, items, is_seq=True, types=types, typed=known)


def _source_type(scope: Scope, typed: TypedNode | None) -> TensorType | None:
    """Return the type that the seq of a node reads."""
    if typed is None or not typed.arguments:
        return None
    value = next(iter(typed.arguments.values()))
    name, _, item = value.name.partition(".")
    found: TensorType | None
    if value.name in scope.types:
        found = scope.types[value.name]
    elif name in scope.typed and not item:
        found = scope.typed[name].results.get(value.port)
    else:
        found = None
    return found if typed.over is None or found is None else typed.over.fold(found)
