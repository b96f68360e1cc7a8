"""Type a layer or merge: bind its options, match its sources, ask its rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.diagnostics.text import SEQ, code, put, remove
from mimgraph.infer import shape_help
from mimgraph.infer.evaluation import Evaluation, placed
from mimgraph.infer.options import Bound, Place, Values, bind, values
from mimgraph.infer.rules import Answer, ask, ask_of_one, with_size_of_given
from mimgraph.infer.sources import ask_for_port, known_types, match_op, unknown_port
from mimgraph.infer.state import Fed, Site, State
from mimgraph.infer.unknown_ops import op_of_plugin, report_no_activation
from mimgraph.ir.code import Code
from mimgraph.ir.declared_graph import Activation, Apply, Block, Source
from mimgraph.ir.declared_values import Option
from mimgraph.ir.dim import Dim, DimOverflow
from mimgraph.ir.grammar import BESIDE, TRAINING
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.types import TensorType, can_be_read
from mimgraph.ops import registry
from mimgraph.ops.op import Op, OpFault
from mimgraph.ops.spelling import Form, as_item
from mimgraph.source import PythonFile, Span

AT_NODE = ("wrong-arity", "missing-option")  # faults of missing parts
_KEY = re.compile(r"\{(\w+)\}")


def report_refusal(site: Site, bound: Bound, fault: OpFault, fed: Mapping[str, Fed]) -> None:
    """Report the fault of a rule, with labels on the nodes and inputs that make the sources at
    fault."""
    source, option = fault.source, bound.given.get(fault.option or "")
    at_node = fault.at_node or fault.code in AT_NODE
    if source is None and option is None and len(fed) == 1 and not at_node:
        source = next(iter(fed))
    span, used = site.node.span, tuple[Label, ...]()
    if option is not None:
        span, used = placed(option.at(fault.within), option.value, site.context.origins)
    elif source is not None and source in fed:
        span = fed[source].source.span
    names = {key: one.text for key, one in fed.items()}
    help = fault.help
    if fault.unknown and option is not None:
        help = _unknown_name_help(site, fault.unknown, option.span.excerpt().text) or help
    site.state.report.add(
        Diagnostic(
            fault.code,
            with_names(fault.message, names),
            span,
            with_names(fault.note, names),
            tuple(
                dict.fromkeys((*used, *_producers(fault, source, fed, span), *site.context.uses))
            ),
            with_names(as_item(help) if site.node.sources == () else help, names),
            site.path,
        )
    )


def with_names(text: str, names: Mapping[str, str]) -> str:
    """Return the text with the name of the source that fills an operand in place of `{operand}`."""
    return _KEY.sub(lambda m: names.get(m[1], m[0]), text) if "{" in text else text


def _producers(
    fault: OpFault, source: str | None, fed: Mapping[str, Fed], span: Span
) -> list[Label]:
    """Return a label with the type of each source at fault, on the node or input that makes it."""
    about = [source] if source else fed if _is_about_shapes(fault, fed) else []
    keys = dict.fromkeys([*about, *fault.mentions])
    return [
        Label(fed[key].producer, str(fed[key].type))
        for key in keys
        if key in fed and fed[key].producer != span
    ]


def _is_about_shapes(fault: OpFault, fed: Mapping[str, Fed]) -> bool:
    """Return whether a fault at an option is also about the shape of the only source: it mentions a
    size."""
    types = [str(one.type) for one in fed.values()]
    mentioned = set(re.findall(r"\w+", fault.message))
    sizes = set(re.findall(r"\w+", " ".join(types))) - {"N", "1"}
    return len(types) == 1 and (fault.code == "inferred-conflict" or bool(mentioned & sizes))


# names in a formula


def _unknown_name_help(site: Site, name: str, text: str) -> str:
    """Return the help for a name in a formula that is an input, node or param, but no source of
    it."""
    context, sources = site.context, site.node.sources or ()
    declared = context.scope.inputs.get(name) or context.scope.nodes.get(name)
    if declared is not None:
        span = declared.span
        site.state.report.drop(lambda one: one.span == span and one.code.startswith("unused-"))
        for one in sources:
            if one.argument is not None and (one.name, one.port) == (name, None):
                return f"write {put(one.argument)}, the name that from gives to {name}"
        used = set(re.findall(r"\w+", text))
        kept = [one for one in sources if (one.argument or one.name) in used]
        return f"add it to {put(f'from: {_sources_and(kept, name)}')}"
    if name not in context.env:
        return ""
    what = "size" if isinstance(context.env[name], Dim) else "param"
    return f"write {put(f'${name}')} for the {what}"


def _sources_and(sources: list[Source], name: str) -> str:
    """Return the text of `from` with these sources and one more: `[x, name]` or `{a: x, name:
    name}`."""
    written = [one.text for one in sources]
    if all(one.argument is None for one in sources):
        return f"[{', '.join([*written, name])}]"
    pairs = [f"{s.argument or s.name}: {text}" for s, text in zip(sources, written, strict=True)]
    return f"{{{', '.join([*pairs, f'{name}: {name}'])}}}"


# Apply `take`, which chooses the default result of an op, and bind and apply its `activation`.


def split_activation(
    op: Op, apply: Apply, activation: Activation
) -> tuple[Mapping[str, Option], Activation | None]:
    """Return the options of an op, and the activation to apply after it; if the op itself has an
    option `activation`, the key is that option."""
    if "activation" not in op.options:
        return apply.options, activation
    is_name = activation.lone is None and not activation.options
    value = activation.name if is_name else {activation.name: None}  # the option refuses a mapping
    option = Option(value, activation.span, activation.span)
    return {**apply.options, "activation": option}, None


def bind_activation(state: State, activation: Activation, at: Evaluation) -> None:
    """Bind the options of an activation; report one that is unknown, or is a layer of another kind."""
    op = registry.find("layer", activation.name)
    if op is None or op.family != "activation":
        report_no_activation(state, activation, at.node)
        return
    place = Place(activation.span, "activation")
    bound = bind(op, activation.options, activation.lone, place, at)
    state.memory.bound[activation] = bound


class Finished(NamedTuple):
    """The results of an op after `take` and `activation`."""

    results: Mapping[str, TensorType]
    default: str | None
    activation: Code | None = None
    activation_name: str = ""


def finish(
    site: Site,
    name: str,
    activation: Activation | None,
    given: Mapping[str, TensorType],
    default: str | None,
) -> Finished | None:
    """Return the results with the default that `take` chooses, and the activation applied to it; None
    if there is no such result, which is reported."""
    ports = tuple(port for port in given if port)
    if site.take is not None:
        if site.take.port not in ports:
            port, span, help = site.take.port, site.take.span, remove("take")
            unknown_port(site.state, name, port, span, ports, site.path, help)
            return None
        default = site.take.port
    if activation is None:
        return Finished(given, default)
    if default is None:
        help = f"choose one of the ports {', '.join(ports)}: {put(f'take: {ports[0]}')}"
        ask_for_port(site.state, name, activation.span, ports, site.path, help)
        return None
    applied = _activate(site, activation, given[default])
    if applied is None:
        return None
    code, type_ = applied
    return Finished({**given, default: type_}, default, code, activation.name)


def _activate(
    site: Site, activation: Activation, type_: TensorType
) -> tuple[Code, TensorType] | None:
    """Return the activation as a function of INPUT, and the type of its result; None if it does not
    fit. An activation that is reported already is left out, as it changes no shape."""
    passed_over = INPUT, type_
    bound = site.state.memory.bound.get(activation)
    if bound is None or bound.faulty:
        return passed_over
    op = bound.op
    options = values(bound, site.evaluation)
    if options is None:
        return passed_over
    try:
        answer = ask(bound, options, {op.inputs.names[0]: type_})
    except OpFault as fault:
        given = bound.given.get(fault.option or "")
        span = given.span if given else activation.span
        help = with_names(fault.help, {op.inputs.names[0]: "..."})
        labels = site.context.uses
        site.fault(fault.code, fault.message, span, note=fault.note, labels=labels, help=help)
        return None
    assert not isinstance(answer, Block)  # only a merge may be one
    lowering = answer.leaf.lowering
    if lowering.function is None or lowering.type is None:
        help = f"make it a layer: {code(f'{{layer: {op.name}, from: ...}}')}"
        message = f"{op.name} has its own weights, so it is not valid in activation"
        site.fault("bad-option", message, activation.span, help=help)
        return passed_over
    site.state.require(answer.constraints)
    return lowering.function, lowering.type


# Type a layer or merge: bind its options, match its sources, ask its rule.


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
    if apply in state.memory.bound:
        return state.memory.bound[apply]
    form: Form = "item" if span == apply.span and not isinstance(span.file, PythonFile) else "node"
    op = registry.find(apply.kind, apply.name)
    if op is None or op.plugin:
        op = op_of_plugin(state, apply, at.node, form)
    if op is None:
        state.memory.bound[apply] = None
        return None
    options, activation = apply.options, apply.activation
    if activation is not None:
        options, activation = split_activation(op, apply, activation)
    bound = bind(op, options, apply.lone, Place(span, form, WORDS), at)
    if activation is not None:
        bound = bound._replace(activation=activation)
        bind_activation(state, activation, at)
    state.memory.bound[apply] = bound
    return bound


def apply_op(site: Site, apply: Apply) -> TypedNode | Expansion | None:
    """Return the typed layer or merge; None where something is faulty or unknown."""
    state, context = site.state, site.context
    at = site.evaluation
    bound = bind_op(state, apply, site.node.span, at)
    if bound is None:
        return None
    op, activation = bound.op, bound.activation
    state.budget.write(bound.length, site.node.span)
    before = len(state.report.diagnostics)
    options = values(bound, at)
    if options is None:
        state.report.label_since(before, context.uses)
    known = with_known_sources(site, bound, options) if op.options_decide else bound
    if known is None:
        return None
    bound, op = known, known.op
    fed = match_op(site, op)
    types = None if fed is None else known_types(fed)
    if fed is None or types is None or options is None:
        return None
    try:
        answer: Answer | Block
        if op.alone and len(fed) == 1 and "*" in [s.port for s in site.node.sources or ()]:
            ((key, one),) = fed.items()
            answer, fed = ask_of_one(bound, options, types[key]), {"input": one}
        else:
            answer = ask(bound, options, types)
        if isinstance(answer, Block):
            return Expansion(answer, options.by_name, fed, activation)
        added_axis = answer.leaf.lowering.adds
        if added_axis is not None:
            answer = with_size_of_given(site, answer, added_axis, fed)
        if bound.inferred:
            _check_inferred(bound, options, answer.leaf.lowering)
        if options.run_time and (fault := unreadable(site, options.run_time, types, op)):
            raise fault
        if "batched" in op.options and not state.alone:
            _check_batch(site, op, types, answer.results)
    except DimOverflow:
        message = f"a size of what {op.name} returns needs more than 64 bits"
        report_refusal(site, bound, OpFault("too-large", message), fed)
        return None
    except OpFault as fault:
        refused = shape_help.Trial(op, options.by_name, fault, fed, types, context)
        moved = shape_help.fault_for(refused)
        if moved is None:
            fault.help = shape_help.help_for(refused)
        report_refusal(site, bound, moved or fault, fed)
        return None
    if answer.constraints:
        state.require(answer.constraints)
    done: Answer | None = answer
    if site.take is not None or activation is not None:
        done = _finished(site, bound, answer)
    if done is None:
        return None
    arguments = {key: one.value for key, one in fed.items()}
    return TypedNode(site.node.name, done.leaf, arguments, done.results, done.default, site.node)


def with_known_sources(site: Site, bound: Bound, options: Values | None) -> Bound | None:
    """Return the op with the sources that its options decide; None if they are unknown, which is reported."""
    if options is None:
        return None
    try:
        return bound._replace(op=bound.op.with_options(options.by_name))
    except OpFault as fault:
        report_refusal(site, bound, fault, {})
        return None


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
                    help=remove(name),
                )


def unreadable(
    site: Site,
    run_time: Sequence[tuple[str, Dim]],
    sources: Mapping[str, TensorType],
    op: Op | None = None,
) -> OpFault | None:
    """Return the fault of an option with a run-time size that no tensor in scope has: neither a
    source nor, except for an item of a seq, an input."""
    if site.state.alone or None in site.context.inputs.values():
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
    help = "make it a separate node, or give it an input that has this size"
    for name in site.context.optional:
        type_ = site.context.inputs.get(name)
        if type_ is not None and can_be_read(size, [type_]):
            message = f"{size} cannot be read here: it is a size of {name}, which is optional"
            help = f"use it in a block that {name} feeds"
    for name, type_ in site.context.left_out.items():
        if type_ is not None and can_be_read(size, [type_]):
            message = f"{size} cannot be read here: it is a size of {name}, which is left out"
            help = f"connect {name}, or give a source that is always given this size"
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
        message = (
            f"{code('batched: true')} needs a batch, and an item of a {SEQ} reads it from no input"
        )
        help = "make it a separate node"
        raise OpFault("bad-option", message, option="batched", help=help)
    inputs = site.context.inputs.values()
    if not any(type_ is None or type_.has_batch for type_ in inputs):
        message = f"{code('batched: true')} needs a batch, and no input of the block has one"
        raise OpFault("bad-option", message, option="batched")


def _finished(site: Site, bound: Bound, answer: Answer) -> Answer | None:
    """Return the answer after the node's `take` and activation; None where these do not fit."""
    done = finish(site, bound.op.name, bound.activation, answer.results, answer.default)
    if done is None:
        return None
    leaf = replace(answer.leaf, activation=done.activation, activation_name=done.activation_name)
    return answer._replace(leaf=leaf, results=done.results, default=done.default)
