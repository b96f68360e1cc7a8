"""Infer a whole graph: check its structure, then type every node, a block once for each distinct use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mimgraph.diagnostics import Report
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.advice.unknown_names import OtherScopes, SpecNames
from mimgraph.infer.blocks import body_of
from mimgraph.infer.declared import check_blocks, check_nodes_text, input_types, params
from mimgraph.infer.limits import compute_limits
from mimgraph.infer.named_ops import choose
from mimgraph.infer.presence import check_inputs, check_output, optional_inputs
from mimgraph.infer.state import Context, Fed, State
from mimgraph.infer.structure import Around, check_scope
from mimgraph.infer.training_words import with_words_as_options
from mimgraph.infer.typer import type_nodes
from mimgraph.ir.declared.graph import Graph, Output
from mimgraph.ir.declared.values import FAULTY, OTHERS
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.ir.types import DTYPES, strongest


def infer(graph: Graph, report: Report, state: State | None = None) -> TypedGraph | None:
    """Return the typed graph; None if the graph is wrong, with every fault in the report.

    `state` is a new one, given to read in it what is known of a wrong graph.
    """
    if state is not None:
        return _infer(graph, report, state)
    state = State({}, report)
    try:
        return _infer(graph, report, state)
    finally:
        state.whole = None  # else the two keep each other, and the declared graph, in memory


def _infer(graph: Graph, report: Report, state: State) -> TypedGraph | None:
    """Return the typed graph, as `infer` does."""
    before = len(report.diagnostics)
    context = state.whole = opened(state, graph)
    if context is None:
        return None
    is_batch_given = check_inputs(state, graph.inputs, context.optional)
    found = type_nodes(context, graph.outputs)
    _check_outputs(state, graph.outputs, found)
    for fed in found.values() if is_batch_given else ():
        check_output(state, fed)
    training = frozenset(output.name for output in graph.outputs if output.only_training)
    batch_dims = _batch_dims(state, graph.outputs, found)
    body = body_of(
        *(context, found, "", state.params, {}, {}, graph.doc),
        training=training,
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
    state.params = params(state, graph.params)
    if graph.limits is not None:
        state.limits = compute_limits(graph.limits, state.params, state.report)
    graph = with_words_as_options(choose(graph, state.params, state.report))
    state.blocks = graph.blocks
    names = SpecNames(graph)
    check_blocks(state, names, [node.name for node in graph.nodes])
    if state.report.diagnostics and not (graph.inputs and graph.nodes):
        # check the nodes' text alone
        check_nodes_text(state, graph.nodes, {**state.params, OTHERS: FAULTY}, "")
        return None
    scope = check_scope(
        *(graph.inputs, graph.nodes, graph.outputs, state.report),
        elsewhere=OtherScopes(names),
        lost=graph.lost,
        around=Around((), state.outer),
    )
    types, sizes = input_types(state, graph.inputs)
    optional = optional_inputs(state, graph.inputs)
    return Context(state, {**state.params, **sizes}, types, scope, "", optional=optional)


def _check_outputs(state: State, outputs: Iterable[Output], found: Mapping[str, Fed]) -> None:
    """Report outputs that are no tensors, and a graph that has no output in eval mode."""
    declared = tuple(outputs)
    if declared and all(output.only_training for output in declared):
        message = "every output is for training only, so the model returns nothing in eval"
        help = "leave only: training out of one of them"
        state.fault("bad-option", message, declared[0].span, help=help)
    for fed in found.values():
        if fed.type is not None and fed.type.dtype not in DTYPES:
            help = "name its ports hidden and, of an LSTM, cell: those are tensors"
            message = f"{fed.text} is a recurrent state, and an output must be a tensor"
            state.fault("dtype-mismatch", message, fed.source.span, help=help)


def _batch_dims(
    state: State, outputs: Iterable[Output], found: Mapping[str, Fed]
) -> dict[str, int]:
    """Return the axis to which the batch of each output is moved, if to another; report an axis that
    the output does not have, and an output whose batch is not the first axis."""
    moved = {}
    for output in outputs:
        option, type_ = output.batch_dim, found[output.name].type
        if option is None or type_ is None:
            continue
        rank, axis, text = type_.rank, option.value, output.source.text
        if not type_.batched:
            code: DiagnosticCode = "batch-moved" if type_.has_moved_batch else "rank-mismatch"
            has = "has its batch elsewhere" if type_.has_moved_batch else "has no batch"
            message = f"batch_dim moves the batch from the first axis, and {text} {has}"
            state.fault(code, message, output.source.span, note=str(type_))
        elif not -rank <= axis < rank:
            message = f"batch_dim {axis} is out of range for {text}, {type_}"
            help = f"it may be -{rank} to {rank - 1}"
            state.fault("bad-option", message, option.span, help=help)
        elif axis % rank:
            moved[output.name] = axis % rank
    return moved
