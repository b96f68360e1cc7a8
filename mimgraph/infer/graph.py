"""Infer the types of a graph, of one node or input alone, and of the known part of a wrong graph."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from mimgraph.diagnostics import Report, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.text import drop
from mimgraph.infer.blocks import body_of
from mimgraph.infer.declared import (
    check_blocks,
    check_nodes_text,
    compute_limits,
    input_types,
    params,
)
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.infer.presence import check_inputs, check_output, optional_inputs
from mimgraph.infer.rewrites import choose, with_words_as_options
from mimgraph.infer.sharing import check_borrowers, check_share
from mimgraph.infer.sources import resolve, resolve_all
from mimgraph.infer.state import Context, Fed, KnownNode, State
from mimgraph.infer.structure import Scope, check_scope
from mimgraph.infer.typer import NodeTyper
from mimgraph.infer.unknown_names import OtherScopes, SpecNames
from mimgraph.ir.declared_graph import (
    Apply,
    Block,
    BlockInput,
    Call,
    Chain,
    Graph,
    Input,
    Node,
    Output,
    Source,
)
from mimgraph.ir.declared_values import FAULTY, OTHERS, Chosen, Option
from mimgraph.ir.dim import Dim
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode, Value, borrowed_by, single_nodes
from mimgraph.ir.typed_operations import Shared
from mimgraph.ir.types import DTYPES, TensorType, strongest


def infer(graph: Graph, report: Report, state: State | None = None) -> TypedGraph | None:
    """Return the typed graph; None if the graph is wrong, with every fault in the report.

    `state` is a new one, given to read in it what is known of a wrong graph.
    """
    before = len(report.diagnostics)
    given, state = state, state or State({}, report)
    context = opened(state, graph)
    if context is None:
        return None
    if given is not None:
        given.whole = context
    is_batch_given = not context.optional or check_inputs(state, graph.inputs, context.optional)
    typer = NodeTyper(context) if state.known is None else state.known.typer(context)
    found = typer.nodes(graph.outputs)
    batch_dims = _check_outputs(state, graph.outputs, found)
    for fed in found.values() if context.optional and is_batch_given else ():
        check_output(state, fed)
    body = body_of(
        *(context, found, "", state.params, {}, {}, graph.doc),
        training=frozenset([output.name for output in graph.outputs if output.only_training]),
        batch_dims=batch_dims,
    )
    if len(report.diagnostics) > before or body is None:
        report.drop_mentioned()
        return None
    state.whole = None  # a cycle keeps the whole state until the garbage collector runs
    docs = {declared.name: declared.doc for declared in graph.inputs if declared.doc}
    output_docs = {output.name: output.doc for output in graph.outputs if output.doc}
    return TypedGraph(
        *(graph.name, body, docs, output_docs, strongest(state.constraints)),
        limits=state.limits,
        spaces=graph.spaces,
    )


def opened(state: State, graph: Graph) -> Context | None:
    """Return the context in which the nodes of a graph are typed, once its params, blocks, structure and
    inputs are checked; None if a section could not be read, so that no source can be resolved."""
    state.params = params(graph.params, state.report)
    if graph.limits is not None:
        state.limits = compute_limits(graph.limits, state.params, state.report)
    if graph.blocks or not all(map(_is_settled, graph.nodes)):
        graph = with_words_as_options(choose(graph, state.params, state.report))
    names = SpecNames(graph)
    if graph.blocks:
        state.blocks = graph.blocks
        check_blocks(state, names, [node.name for node in graph.nodes])
    if state.report.diagnostics and not (graph.inputs and graph.nodes):
        # check the nodes' text alone
        check_nodes_text(state, graph.nodes, {**state.params, OTHERS: FAULTY}, "")
        return None
    scope = check_scope(graph, state.report, state.outer, OtherScopes(names))
    types, sizes = input_types(state, graph.inputs)
    optional = optional_inputs(state, graph.inputs)
    return Context(state, {**state.params, **sizes}, types, scope, "", optional=optional)


def _is_settled(node: Node) -> bool:
    """Return whether a node is a layer or merge whose names no param gives, without words on training
    that its op may take."""
    operation = node.operation
    if not isinstance(operation, Apply) or node.training is not None:
        return False
    activation = operation.activation
    has_chosen = activation is not None and isinstance(activation.name, Chosen)
    return not has_chosen and not isinstance(operation.name, Chosen)


def _check_outputs(
    state: State, outputs: Sequence[Output], found: Mapping[str, Fed]
) -> dict[str, int]:
    """Report outputs that are no tensors, and a graph that has no output in eval mode; return the axis
    to which the batch of each output is moved, if to another."""
    moved = {}
    has_eval = not outputs
    for output in outputs:
        has_eval = has_eval or not output.only_training
        fed = found[output.name]
        if fed.type is None:
            continue
        if fed.type.dtype not in DTYPES:
            help = "name its ports hidden and, of an LSTM, cell: those are tensors"
            message = f"{fed.text} is a recurrent state, and an output must be a tensor"
            state.fault("dtype-mismatch", message, fed.source.span, help=help)
        if output.batch_dim is not None:
            axis = _batch_axis(state, output.source, output.batch_dim, fed.type)
            if axis:
                moved[output.name] = axis
    if not has_eval:
        message = "every output is for training only, so the model returns nothing in eval"
        help = f"remove {drop('only: training')} from one of them"
        state.fault("bad-option", message, outputs[0].span, help=help)
    return moved


def _batch_axis(state: State, source: Source, option: Option, type_: TensorType) -> int:
    """Return the axis to which the batch of an output is moved; 0 after reporting an axis that the
    output does not have, and an output whose batch is not the first axis."""
    rank, axis, text = type_.rank, option.value, source.text
    if not type_.batched:
        code: DiagnosticCode = "batch-moved" if type_.has_moved_batch else "rank-mismatch"
        has = "has its batch elsewhere" if type_.has_moved_batch else "has no batch"
        message = f"batch_dim moves the batch from the first axis, and {text} {has}"
        state.fault(code, message, source.span, note=str(type_))
    elif not -rank <= axis < rank:
        message = f"batch_dim {axis} is out of range for {text}, {type_}"
        help = f"it may be -{rank} to {rank - 1}"
        state.fault("bad-option", message, option.span, help=help)
    else:
        return int(axis) % rank
    return 0


# Type single nodes, for graphs that are built call by call.


class Given(NamedTuple):
    """An input, with its type, that a node typed alone reads."""

    declared: Input | BlockInput
    type: TensorType


class GivenGroup(NamedTuple):
    """An input of a block that is fed a group, with the type of each member."""

    declared: BlockInput
    types: Mapping[str, TensorType]


Made = Given | GivenGroup | TypedNode


def infer_input(declared: Input, report: Report) -> TensorType | None:
    """Return the type of one input; None if it is faulty."""
    types, _ = input_types(State({}, report), [declared])
    return types[declared.name]


def infer_node(
    node: Node,
    made: Mapping[str, Made],
    report: Report,
    blocks: Mapping[str, Block],
    path: str = "",
    lent: Sequence[Mapping[str, Made]] = (),
) -> KnownNode | None:
    """Return the typed node.

    `made` has its sources by name. Each of `lent` has one node whose module it, or a block in it,
    shares, with the sources of that node.
    """
    state = State(blocks, report, alone=True)
    if blocks:
        names = chain.from_iterable(one.items() for one in (made, *lent))
        check_blocks(state, around=[n for n, one in names if isinstance(one, TypedNode)])
    around: list[Context] = []
    for nodes in lent:
        around.append(_context(state, nodes, path, (), around[-1] if around else None))
    context = _context(state, made, path, (node,), around[-1] if around else None)
    context.typed[node.name] = NodeTyper(context).node(node)
    if not isinstance(node.operation, Apply):  # which shares nothing
        check_share(context, node.name)
        for one in (context, *around):
            check_borrowers(one)
    typed = context.typed[node.name]
    return None if typed is None else KnownNode(typed, state.constraints, state.budget.length)


def infer_port(source: Source, made: Made, report: Report) -> TensorType | None:
    """Return the type of a source: a port of an input or node that is already typed."""
    context = _context(State({}, report), {source.name: made}, "", ())
    return resolve(context, source, source.name).type


def _context(
    state: State,
    made: Mapping[str, Made],
    path: str,
    nodes: tuple[Node, ...],
    around: Context | None = None,
) -> Context:
    """Return the context of a body that holds only the nodes and inputs in `made`, and `nodes`."""
    inputs: dict[str, Input | BlockInput] = {}
    types: dict[str, TensorType | None] = {}
    declared: dict[str, Node] = {}
    typed: dict[str, TypedNode | None] = {}
    for name, one in made.items():
        if isinstance(one, Given):
            inputs[name], types[name] = one.declared, one.type
        elif isinstance(one, GivenGroup):
            inputs[name] = one.declared
            types |= {f"{name}.{port}": type_ for port, type_ in one.types.items()}
        else:
            declared[name], typed[name] = one.declared, one
    declared |= {node.name: node for node in nodes}
    optional = frozenset([name for name, one in inputs.items() if getattr(one, "optional", False)])
    scope = Scope(inputs, declared, nodes, ())
    return Context(state, {}, types, scope, path, (), typed, optional, around=around)


# Type the part of a wrong graph that is known: what no fault concerns, nor follows from a fault.


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
        context, block = state.memory.unfinished.get(operation), state.blocks.get(operation.block)
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
        items = state.memory.unfinished_items.get(chain)
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
            NodeTyper(context).nodes(())
    return KnownPart(graph, context)
