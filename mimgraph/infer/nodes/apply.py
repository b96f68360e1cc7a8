"""Type a layer or merge: bind its options, match its sources, ask its rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from mimgraph.infer.advice import missing_batch, rule_trial, shape_help
from mimgraph.infer.advice.unknown_ops import op_of_plugin
from mimgraph.infer.evaluation import Evaluation
from mimgraph.infer.nodes.activation import bind_activation, finish, split_activation
from mimgraph.infer.nodes.refusal import report_refusal
from mimgraph.infer.nodes.rule_cache import Answer, ask, ask_of_one
from mimgraph.infer.nodes.skipped_sizes import with_size_of_given
from mimgraph.infer.nodes.sources import known_types, match_op, names_group
from mimgraph.infer.options import Bound, Place, Values, bind, values
from mimgraph.infer.scope import Fed, Site, State
from mimgraph.ir.declared.graph import Block
from mimgraph.ir.declared.operations import Activation, Apply
from mimgraph.ir.dims.dim import Dim, DimOverflow
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.names import BESIDE, TRAINING
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.types import TensorType, can_be_read
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import is_plugin
from mimgraph.ops.op import Op, OpFault
from mimgraph.ops.spelling import Form
from mimgraph.source import PythonFile, Span

WORDS = ("from", "activation", *BESIDE, *TRAINING)


class Expansion(NamedTuple):
    """A merge that is a block of other ops, still to be typed."""

    block: Block
    options: Mapping[str, Any]
    fed: Mapping[str, Fed]
    activation: Activation | None


def bind_op(state: State, apply: Apply, span: Span, at: Evaluation) -> Bound | None:
    """Return the options of a layer or merge, checked once; None if its name is unknown.

    `span` is where the name of the node stands, or the name of the op for an item of a seq.
    """
    if apply in state.bound:
        return state.bound[apply]
    form: Form = "item" if span == apply.span and not isinstance(span.file, PythonFile) else "node"
    op = registry.find(apply.kind, apply.name)
    if op is None or is_plugin(op):
        op = op_of_plugin(state, apply, at.node, form)
    if op is None:
        state.bound[apply] = None
        return None
    options, activation = split_activation(op, apply)
    bound = bind(op, options, apply.lone, Place(span, form, WORDS), at)
    if activation is not None:
        bound = bound._replace(activation=activation)
        bind_activation(state, activation, at)
    state.bound[apply] = bound
    return bound


def apply_op(site: Site, apply: Apply) -> TypedNode | Expansion | None:
    """Return the typed layer or merge; None where something is faulty or unknown."""
    state, context = site.state, site.context
    at = site.evaluation
    bound = bind_op(state, apply, site.node.span, at)
    if bound is None:
        return None
    op, activation = bound.op, bound.activation
    state.write(bound.length, site.node.span)
    before = len(state.report.diagnostics)
    options = values(bound, at)
    if options is None:
        state.report.label_since(before, context.uses)
    known = with_known_sources(site, bound, options)
    if known is None:
        return None
    bound, op = known, known.op
    fed = match_op(site, op)
    types = None if fed is None else known_types(fed)
    if fed is None or types is None or options is None:
        return None
    try:
        answer: Answer | Block
        if op.alone and len(fed) == 1 and names_group(site):
            ((key, one),) = fed.items()
            answer, fed = ask_of_one(bound, options, types[key]), {"input": one}
        else:
            answer = ask(bound, options, types)
        if isinstance(answer, Block):
            return Expansion(answer, options.by_name, fed, activation)
        added_axis = answer.leaf.lowering.adds
        if added_axis is not None:
            answer = with_size_of_given(site, answer, added_axis, fed)
        _check_answer(site, bound, options, types, answer)
    except DimOverflow:
        message = f"a size of what {op.name} returns needs more than 64 bits"
        report_refusal(site, bound, OpFault("too-large", message), fed)
        return None
    except OpFault as fault:
        refused = rule_trial.Trial(op, options.by_name, fault, fed, types, context)
        moved = missing_batch.fault_for(refused)
        if moved is None:
            fault.help = shape_help.help_for(refused)
        report_refusal(site, bound, moved or fault, fed)
        return None
    state.require(answer.constraints)
    done = _finished(site, bound, answer)
    if done is None:
        return None
    arguments = {key: one.value for key, one in fed.items()}
    return TypedNode(site.node.name, done.leaf, arguments, done.results, done.default, site.node)


def with_known_sources(site: Site, bound: Bound, options: Values | None) -> Bound | None:
    """Return the op with the sources that its options decide; None if they are unknown, which is reported."""
    if not bound.op.options_decide:
        return bound
    if options is None:
        return None
    try:
        return bound._replace(op=bound.op.with_options(options.by_name))
    except OpFault as fault:
        report_refusal(site, bound, fault, {})
        return None


def _check_answer(
    site: Site, bound: Bound, options: Values, types: Mapping[str, TensorType], answer: Answer
) -> None:
    """Raise an `OpFault` for options that contradict the sources, and for a size or batch that
    cannot be read from a tensor."""
    _check_inferred(bound, options, answer.leaf.lowering)
    if not site.state.alone:
        fault = unreadable(site, options.run_time, types, bound.op)
        if fault is not None:
            raise fault
        _check_batch(site, bound.op, types, answer.results)


def _check_inferred(bound: Bound, options: Values, lowering: Lowering) -> None:
    """Refuse an option whose value differs from the value that the input gives."""
    for name in bound.inferred:
        if lowering.module is not None:
            given, inferred = options.by_name[name], lowering.module.argument(name)
            if inferred != given:
                raise OpFault(
                    "inferred-conflict",
                    f"{name} is {given}, but the input gives {inferred}",
                    option=name,
                    help=f"leave {name} out",
                )


def unreadable(
    site: Site,
    run_time: Sequence[tuple[str, Dim]],
    sources: Mapping[str, TensorType],
    op: Op | None = None,
) -> OpFault | None:
    """Return the fault of an option with a run-time size that no tensor in scope has: neither a
    source nor, except for an item of a seq, an input."""
    if not run_time or site.state.alone or None in site.context.inputs.values():
        return None  # an unknown input may have any size
    inputs, optional = site.context.inputs, site.context.optional
    is_item = not site.node.sources and (op is None or op.kind != "tensor")
    read = ((name, type_) for name, type_ in inputs.items() if not is_item)
    types = [*sources.values(), *(t for name, t in read if t is not None and name not in optional)]
    for name, size in run_time:
        if not can_be_read(size, types):
            return _unreadable(site, size, name)
    return None


def _unreadable(site: Site, size: Dim, option: str) -> OpFault:
    """Return the fault for a size that no tensor in scope has, or only an optional input."""
    where = "input of the block" if site.context.uses else "source"
    message = f"{size} cannot be read here: no {where} has this size"
    help = "make it a node of its own, or give it an input that has this size"
    for name in site.context.optional:
        type_ = site.context.inputs.get(name)
        if type_ is not None and can_be_read(size, [type_]):
            message = f"{size} cannot be read here: it is a size of {name}, which is optional"
            help = f"use it in a block that {name} feeds"
    for name, type_ in site.context.left_out.items():
        if type_ is not None and can_be_read(size, [type_]):
            message = f"{size} cannot be read here: it is a size of {name}, which is left out"
            help = f"feed {name}, or give a source that is always given this size"
    return OpFault("symbolic-size", message, option=option, help=help)


def _check_batch(
    site: Site, op: Op, sources: Mapping[str, TensorType], results: Mapping[str, TensorType]
) -> None:
    """Refuse `batched: true` where the batch cannot be read: in a block without an input that has it,
    and in an item of a seq, whose module gets nothing but the result of the item before."""
    has_batch = any(type_.has_batch for type_ in sources.values())
    if has_batch or not any(type_.batched for type_ in results.values()):
        return
    if not site.node.sources and op.kind != "tensor":
        message = "batched: true needs a batch, and an item of a seq reads it from no input"
        help = "make it a node of its own"
        raise OpFault("bad-option", message, option="batched", help=help)
    inputs = site.context.inputs.values()
    if not any(type_ is None or type_.has_batch for type_ in inputs):
        message = "batched: true needs a batch, and no input of the block has one"
        raise OpFault("bad-option", message, option="batched")


def _finished(site: Site, bound: Bound, answer: Answer) -> Answer | None:
    """Return the answer after the node's `take` and activation; None where these do not fit."""
    if site.take is None and bound.activation is None:
        return answer
    leaf, results, default, constraints = answer
    done = finish(site, bound.op.name, bound.activation, results, default)
    if done is None:
        return None
    leaf = replace(leaf, activation=done.activation, activation_name=done.activation_name)
    return Answer(leaf, done.results, done.default, (*constraints, *done.constraints))
