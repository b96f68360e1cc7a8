"""Use an existing graph in Python: call its blocks, or itself as a block, and take handles on its nodes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from mimgraph.builder.block_call import BlockCall, DeclaredBlock, Family, InputTypes, new_key
from mimgraph.builder.declare_layer import option
from mimgraph.builder.names import content_key
from mimgraph.builder.records import CallContext, Record, Reference, sources_first
from mimgraph.builder.tensor import Tensor
from mimgraph.builder.user_line import raise_faults, spec_error, user_line
from mimgraph.builder.watched import Watched, unwatched
from mimgraph.diagnostics import Report, SpecError
from mimgraph.diagnostics.nearest import no_such_name
from mimgraph.infer.declared import input_types, params
from mimgraph.infer.graph import Given
from mimgraph.infer.reuse import Values, as_block, block_inputs, graph_with_values, with_values
from mimgraph.infer.rewrites import choose
from mimgraph.infer.state import State
from mimgraph.infer.structure import (
    calls,
    inner_blocks,
    ordered,
    outer_shares,
    shared_around,
    shared_by,
)
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import plain
from mimgraph.ir.grammar import NODE_WORDS
from mimgraph.ir.names import snake_case
from mimgraph.ir.rewrite import with_keys
from mimgraph.ir.typed_graph import TypedGraph, TypedNode
from mimgraph.ir.typed_operations import unwrap
from mimgraph.ops import registry
from mimgraph.ops.layer_call import is_source, items_of
from mimgraph.ops.op import REQUIRED
from mimgraph.source import Span


class SpecBlock(Family):
    """A block of a spec that can be called; the spec's params are replaced by their values."""

    def __init__(self, declared: DeclaredBlock) -> None:
        block = declared.blocks[declared.key]
        self.declared = declared
        self.name, self.span = block.family, block.span
        self.inputs = tuple(i.name for i in block.inputs)
        self.optional = frozenset(i.name for i in block.inputs if i.optional is not False)
        required = {name: REQUIRED for name, o in block.params.items() if o.value is None}
        self.defaults = {**block.params, **required}

    def declare(
        self,
        arguments: list[Mapping[str, object]],
        types: InputTypes,
        context: CallContext,
        counter: str = "",
    ) -> DeclaredBlock:
        return self.declared


def spec_blocks(graph: ir.Graph) -> dict[str, Family]:
    """Return the blocks of a graph by name, to be called in Python.

    A block that a Python function declared calls that function again.
    """
    values = params(graph.params, Report())
    blocks = SpecBlocks(choose(graph, values, Report()), values)
    return {
        name: block.function or SpecBlock(blocks.declared(blocks.blocks[name], blocks.keys[name]))
        for name, block in graph.blocks.items()
    }


class SpecBlocks:
    """The blocks of a spec for use in another graph: with new keys, and values for the spec's params."""

    def __init__(self, graph: ir.Graph, values: Values) -> None:
        self.keys = {name: new_key(block.family) for name, block in graph.blocks.items()}
        self.blocks = {name: with_values(block, values) for name, block in graph.blocks.items()}
        inner = inner_blocks(graph.blocks)
        order = ordered(graph.blocks, [(used, user) for user, used in inner])
        self.position = {name: position for position, name in enumerate(order)}
        self.inner: dict[str, list[str]] = {}
        for user, used in inner:
            self.inner.setdefault(user, []).append(used)
        self.known: dict[frozenset[str], dict[str, ir.Block]] = {}

    def declared(self, block: ir.Block, key: str = "") -> DeclaredBlock:
        """Return a block with all blocks that it uses, by key."""
        key = key or new_key(block.family)
        return DeclaredBlock(key, {**self.used(block.nodes), key: self._with_keys(block)})

    def used(self, nodes: Iterable[ir.Node]) -> dict[str, ir.Block]:
        """Return all blocks that these nodes use, by key, inner ones first."""
        named = frozenset([call.block for call in calls(nodes)])
        if named not in self.known:
            found, stack = set[str](), [*named]
            while stack:
                name = stack.pop()
                if name not in found:
                    found.add(name)
                    stack += self.inner.get(name, ())
            inner_first = sorted(found, key=self.position.__getitem__)
            self.known[named] = {self.keys[n]: self._with_keys(self.blocks[n]) for n in inner_first}
        return self.known[named]

    def _with_keys(self, block: ir.Block) -> ir.Block:
        return replace(block, nodes=with_keys(block.nodes, self.keys))


_PARAMS = (Watched, bool, int, float, str, Dim, list, tuple, Mapping, type(None))


class GraphLayer(Family):
    """A graph that is called like a block; its params are the block's.

    All calls on handles with the same params share one module. Outputs for training only are left
    out. Optional inputs come last, as a block runs on its first input.
    """

    def __init__(self, graph: ir.Graph) -> None:
        self.graph = graph
        is_layer = registry.find("layer", graph.name) is not None
        self.name = f"{graph.name}_" if is_layer else graph.name
        self.span = graph.origin
        self.inputs = tuple(i.name for i in block_inputs(graph))
        self.optional = frozenset(i.name for i in graph.inputs if i.optional is not False)
        self.defaults = graph.params
        self.declared: dict[Hashable, DeclaredBlock] = {}  # by params
        self.calls: dict[Hashable, BlockCall] = {}  # by params

    def call(self, args: tuple[object, ...], keywords: dict[str, Any]) -> Tensor | BlockCall:
        """Call the graph; raise a `TypeError` if an argument is neither a handle nor plain data."""
        for value in chain.from_iterable(map(items_of, (*args, *keywords.values()))):
            if not (is_source(value) or isinstance(value, _PARAMS)):
                message = "a graph is called on handles, and the module that it compiles to on"
                raise TypeError(f"{message} {type(value).__name__}s: graph.compile()(...)")
        return super().call(args, keywords)

    def __getstate__(self) -> dict[str, Any]:
        """Return all but what blocks in other graphs made of it."""
        kept = {key: call for key, call in self.calls.items() if None in call.uses}
        return {**self.__dict__, "calls": kept, "declared": {}}

    @property
    def stem(self) -> str:
        return snake_case(self.graph.name)

    def applied(self, params: Mapping[str, object]) -> BlockCall:
        """Return the layer for these params, the same for equal ones."""
        key = tuple(sorted((name, _key_of(value)) for name, value in params.items()))
        return self.calls.setdefault(key, super().applied(params))

    def declare(
        self,
        arguments: list[Mapping[str, object]],
        types: InputTypes,
        context: CallContext,
        counter: str = "",
    ) -> DeclaredBlock:
        """Return the graph as a block."""
        given = {name: plain(value) for name, value in arguments[0].items()}
        if any(content_key(other) != content_key(arguments[0]) for other in arguments):
            raise spec_error("bad-option", "a graph has the same params each time", context.span)
        key = content_key(given)
        if key not in self.declared:
            self.declared[key] = self._declare(given, context.span)
        return self.declared[key]

    def _declare(self, given: Values, span: Span) -> DeclaredBlock:
        """Return the graph as a block for these params."""
        own = {name: option(value, span) for name, value in given.items()}
        state = State(self.graph.blocks, Report())
        state.params = params({**self.graph.params, **own}, state.report)
        _, sizes = input_types(state, self.graph.inputs)
        graph = choose(self.graph, state.params, state.report)
        raise_faults(state.report, span)
        blocks = SpecBlocks(graph, state.params)
        # not a param of the block: one hidden by a size of its name, or named as a key of a node
        hidden = {n: v for n, v in state.params.items() if n in (*sizes, *NODE_WORDS) or v is None}
        own = {name: o for name, o in self.graph.params.items() if name not in hidden}
        block = as_block(graph, self.name, self.span, own)
        return blocks.declared(with_values(block, hidden))


def _key_of(value: Any) -> Any:
    """Return a key that differs for different values of params; for a watched number, its
    expression's."""
    if type(value) is Watched and value.expression is not None:
        return id(value.expression)
    return content_key(unwatched(value))


# Make records of the inputs and nodes of an existing graph, as sources of new layers.


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
        message, help = no_such_name("input or node", name, self.records, self.typed.name)
        if value := self.typed.body.outputs.get(key):  # a public name
            help = f"the output {key} is the result of {'.'.join(filter(None, value))}"
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
    values = params(declared.params, state.report)
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
