"""A layer or merge typed: its options bound, its rule applied, what the rule refuses located."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.nodes.block_use import lost_blocks
from mimgraph.infer.nodes.rule_cache import Answer, ask
from mimgraph.infer.nodes.sources import ask_for_port, known_types, match_op, unknown_port
from mimgraph.infer.options import (
    COUNTED,
    Bound,
    Environment,
    Values,
    bind,
    origin_of,
    placed,
    texts_in,
    values,
)
from mimgraph.infer.scope import Context, Fed, Site, State
from mimgraph.infer.structure import is_lost
from mimgraph.ir.code import Code
from mimgraph.ir.dim import Dim, DimOverflow
from mimgraph.ir.graph import Activation, Apply, Block, Option
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.typed import TypedNode
from mimgraph.ir.types import TensorType, can_be_read
from mimgraph.ops import registry
from mimgraph.ops.op import Op, OpFault
from mimgraph.ops.spelling import (
    Form,
    from_python,
    named_elsewhere,
    python_name,
    torch_layer,
    with_required,
)
from mimgraph.source import PythonFile, Span

NO_ACTIVATION = ("none", "linear", "identity")
NAMING = ("layer", "name", "type", "op")  # keys under which others write an activation
# what is a node without being a layer, and how it is written
INSTEAD = {
    "parameter": "{parameter: [8], init: zeros}",
    "buffer": "{buffer: [8], init: zeros}",
    "arange": "{arange: x, dim: 1}",
    "seq": "{from: x, seq: [ReLU]}",
    "sequential": "{from: x, seq: [ReLU]}",
    "layer": "{layer: ReLU, from: x}",
    "merge": "{merge: add, from: [x, y]}",
    "block": "{block: step, from: x}",
    "share": "{share: a, from: x}",
}
WORDS = ("from", "activation", "take", "freeze")
AT_NODE = ("wrong-arity", "missing-option")  # faults of what is not there


def bind_op(state: State, apply: Apply, span: Span, path: str, known: Environment) -> Bound | None:
    """The options as given, of the op of the catalogue; checked once a node, where the params are
    `known`."""
    if apply in state.bound:
        return state.bound[apply]
    op = registry.find(apply.kind, apply.name)
    # the name of an item of a seq stands for the node's name
    form: Form = "item" if span == apply.span and not isinstance(span.file, PythonFile) else "node"
    if op is None:
        state.bound[apply] = None
        _unknown_op(state, apply, path, form)
        return None
    options, activation = _given(op, apply)
    bound = bind(op, options, apply.lone, span, state.report, path, WORDS, form, known)
    state.bound[apply] = bound = bound._replace(activation=activation)
    if activation is not None:
        _bind_activation(state, activation, path, known)
    return bound


def _unknown_op(state: State, apply: Apply, path: str, form: Form) -> None:
    other = "merge" if apply.kind == "layer" else "layer"
    blocks = [block.family for block in state.blocks.values()]
    choices = (*registry.names(apply.kind), *blocks)
    if apply.kind == "layer" and is_lost(apply.name, lost_blocks(state), choices, state.report):
        return  # a block, in a seq
    own = "register your own nn.Module first: mg.register, or --import on the command line"
    name = python_name(apply.name)
    help = state.report.suggestion(name, choices)
    if op := named_elsewhere(name):
        help = _other_kind(op, form) if op.kind == other else f"did you mean {op.name}?"
    if apply.kind == "layer":
        written = from_python(apply.name, form) if name != apply.name else ""
        help = f"write {written}" if written else help or own
        owner, _, port = apply.name.partition(".")
        if port and (owner in blocks or registry.find("layer", owner)):
            help = f"choose a port with take: {{{owner}: {{..., take: {port}}}}}"
            help = help if form == "item" else f"write {owner}, and take: {port} after it"
    help = _node_instead(apply, form) or help
    if op := registry.find(other, apply.name):
        help = _other_kind(op, form)
    elif apply.name in blocks:
        help = f"{apply.name} is a block: write {{block: {apply.name}, ...}}"
    message = f"no {apply.kind} is called {apply.name!r}"
    code: DiagnosticCode = "unknown-merge" if apply.kind == "merge" else "unknown-layer"
    state.fault(code, message, apply.span, path, help=help)
    for option in (*apply.options.values(), *([apply.lone] if apply.lone else [])):
        state.report.spoken.update(texts_in(option.value))  # the y of `add: y` in a seq


def _other_kind(op: Op, form: Form) -> str:
    """What to write for an op that is named where one of another kind stands."""
    if form == "item" and op.kind == "merge":
        node = f"{{merge: {op.name}, from: [..., ...]}}"
        return f"{op.name} is a merge: make it a node, {node}, and feed the seq from it"
    return f"{op.name} is a {op.kind}: write {{{op.kind}: {op.name}, ...}}"


def _node_instead(apply: Apply, form: Form) -> str:
    """Return how a node is written whose key stands where a layer is named: `layer: parameter`, or
    `{layer: ReLU}` in a seq."""
    name = python_name(apply.name).lower()
    if apply.kind != "layer" or name not in INSTEAD:
        return ""
    if form != "item":
        return f"write {INSTEAD[name]}"
    if name in ("seq", "sequential"):
        return "write its layers here, in the seq around it"
    inside = apply.lone.value if apply.lone is not None else None
    if not isinstance(inside, str):
        return f"make it a node of its own: {INSTEAD[name]}"
    if op := registry.find("merge", inside):
        return _other_kind(op, form)
    return f"write {inside}" if name in ("layer", "block") else ""


def _given(op: Op, apply: Apply) -> tuple[Mapping[str, Option], Activation | None]:
    """The options and the activation that follows; an op with an option of that name keeps it."""
    activation = apply.activation
    if activation is None or "activation" not in op.options:
        return apply.options, activation
    plain = activation.lone is None and not activation.options
    value = activation.name if plain else {activation.name: None}  # which no such option takes
    option = Option(value, activation.span, activation.span)
    return {**apply.options, "activation": option}, None


def _bind_activation(state: State, activation: Activation, path: str, known: Environment) -> None:
    """Check that an activation has that name and those options."""
    op = registry.find("layer", activation.name)
    if op is None:
        help = _help_with_activation(state, activation)
        message = f"no layer is called {activation.name!r}"
        state.fault("unknown-layer", message, activation.span, path, help=help)
        return
    if op.family != "activation":
        help = f"make it a node: {{layer: {op.name}, from: ...}}"
        message = f"{op.name} is not an activation"
        state.fault("bad-option", message, activation.span, path, help=help)
        return
    options, lone, span = activation.options, activation.lone, activation.span
    bound = bind(op, options, lone, span, state.report, path, (), "activation", known)
    state.bound[activation] = bound


def _help_with_activation(state: State, activation: Activation) -> str:
    """Return what to write instead of an unknown activation."""
    name = activation.name
    inside = activation.lone.value if activation.lone is not None else None
    if name.lower() in NO_ACTIVATION:
        return "leave activation out"
    if name in NAMING and isinstance(inside, str):
        name = inside
    op = named_elsewhere(name)
    if op is not None and op.family == "activation":
        return f"did you mean {op.name}?"
    op = torch_layer(name)
    if op is not None and (op.required or name == op.name):
        return f"write {with_required(op, {}, 'activation')}"
    if python_name(name) != name and (written := from_python(name, "activation")):
        return f"write {written}"
    return state.report.suggestion(name, registry.names("layer"))


class Expansion(NamedTuple):
    """A merge that is a block of other ops, still to be typed."""

    block: Block
    options: Mapping[str, Any]
    fed: Mapping[str, Fed]
    activation: Activation | None


def apply_op(state: State, site: Site, apply: Apply) -> TypedNode | Expansion | None:
    """A layer or merge: options, sources, then its rule."""
    bound = bind_op(state, apply, site.node.span, site.path, site.context.env)
    if bound is None:
        return None
    op, activation = bound.op, bound.activation
    state.write(bound.length, site.node.span)
    context = site.context
    before = len(state.report.diagnostics)
    options = values(bound, context.env, state.report, site.path, context.origins)
    if options is None:
        state.report.label_since(before, context.uses)
    fed = match_op(state, site, op)
    types = None if fed is None else known_types(fed)
    if fed is None or types is None or options is None:
        return None
    try:
        answer = ask(bound, options, types)
        if isinstance(answer, Block):
            return Expansion(answer, options.by_name, fed, activation)
        _check_inferred(bound, options, answer.leaf.lowering)
        if not state.alone:
            _check_readable(site, options, types)
            if not types:
                _check_batch(site, answer.results)
    except DimOverflow:
        too_large = OpFault(
            "too-large", f"a size of what {op.name} returns needs more than 64 bits"
        )
        _locate(state, site, bound, too_large, fed)
        return None
    except OpFault as fault:
        from mimgraph.infer.advice import rule_trial, shape_help  # needed by few specs

        refused = rule_trial.Trial(op, options.by_name, fault, fed, types, site.context)
        fault.help = shape_help.help_for(refused)
        _locate(state, site, bound, fault, fed)
        return None
    state.require(answer.constraints)
    return _leaf(state, site, op, activation, answer, fed)


def _check_inferred(bound: Bound, options: Values, lowering: Lowering) -> None:
    """An option that the input decides, given all the same, must agree."""
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


def _check_readable(site: Site, options: Values, sources: Mapping[str, TensorType]) -> None:
    """A run-time size in an option must be an axis of a tensor at hand: of the sources, and for a
    node, as no item of a seq sees them, of the inputs."""
    if not options.run_time or None in site.context.inputs.values():  # which may have any size
        return
    for name, size in options.run_time:
        if not can_be_read(size, _at_hand(site, sources)):
            raise _unreadable(site, size, name)


def _unreadable(site: Site, size: Dim, option: str) -> OpFault:
    """The fault of a size that no tensor at hand has, or only one that may be left out."""
    where = "input of the block" if site.context.uses else "source"
    message = f"{size} cannot be read here: no {where} has this size"
    help = "make it a node of its own, or give it an input that has this size"
    for name in site.context.optional:
        type_ = site.context.inputs.get(name)
        if type_ is not None and can_be_read(size, [type_]):
            message = f"{size} cannot be read here: it is a size of {name}, which is optional"
            help = f"use it in a block that {name} feeds"
    return OpFault("symbolic-size", message, option=option, help=help)


def _at_hand(site: Site, sources: Mapping[str, TensorType]) -> list[TensorType]:
    inputs, optional = site.context.inputs, site.context.optional
    own = ((name, type_) for name, type_ in inputs.items() if site.node.sources)
    return [*sources.values(), *(t for name, t in own if t is not None and name not in optional)]


def _check_batch(site: Site, results: Mapping[str, TensorType]) -> None:
    """What is expanded to the batch reads it from an input."""
    has_batch = any(type_ is None or type_.batched for type_ in site.context.inputs.values())
    if not has_batch and any(type_.batched for type_ in results.values()):
        raise OpFault(
            "bad-option",
            "batched: true needs a batch, and no input of the block has one",
            option="batched",
        )


def _locate(state: State, site: Site, bound: Bound, fault: OpFault, fed: Mapping[str, Fed]) -> None:
    """Report what a rule refuses: at the option, at the source, or at the node's name."""
    source, option = fault.source, bound.given.get(fault.option or "")
    at_node = fault.at_node or fault.code in AT_NODE
    if source is None and option is None and len(fed) == 1 and not at_node:
        source = next(iter(fed))
    span, used = site.node.span, tuple[Label, ...]()
    if option is not None:
        origin = origin_of(option.value, site.context.origins)
        span, used = placed(option.at(fault.within), origin)
    elif source is not None and source in fed:
        span = fed[source].source.span
    named = [source] if source else fed if _is_of_shapes(fault, fed) else []
    speaks_of = dict.fromkeys([*named, *fault.speaks_of])
    producers = [
        Label(fed[key].producer, str(fed[key].type))
        for key in speaks_of
        if key in fed and fed[key].producer != span
    ]
    names = {key: one.text for key, one in fed.items()}
    help = fault.help
    if fault.unknown and option is not None:
        help = _elsewhere(state, site, fault.unknown, option.span.excerpt().text) or help
    state.report.add(
        Diagnostic(
            fault.code,
            _named(fault.message, names),
            span,
            _named(fault.note, names),
            tuple(dict.fromkeys((*used, *producers, *site.context.uses))),
            _named(_in_chain(help) if site.node.sources == () else help, names),
            site.path,
        )
    )


def _elsewhere(state: State, site: Site, name: str, text: str) -> str:
    """Return what to write for an input, node or param that a text names but that is no source of
    the node."""
    context = site.context
    declared = context.scope.inputs.get(name) or context.scope.nodes.get(name)
    if declared is not None:
        span = declared.span
        state.report.drop(lambda one: one.span == span and one.code.startswith("unused-"))
        used = set(re.findall(r"\w+", text))
        sources = [one for one in site.node.sources or () if (one.argument or one.name) in used]
        for one in site.node.sources or ():
            if one.argument is not None and (one.name, one.port) == (name, None):
                return f"write {one.argument}, the name that from gives to {name}"
        written = [one.name if one.port is None else f"{one.name}.{one.port}" for one in sources]
        if all(one.argument is None for one in sources):
            return f"add it to from: [{', '.join([*written, name])}]"
        pairs = [
            f"{s.argument or s.name}: {text}" for s, text in zip(sources, written, strict=True)
        ]
        return f"add it to from: {{{', '.join([*pairs, f'{name}: {name}'])}}}"
    if isinstance(context.env.get(name), Dim):
        return COUNTED.replace("{name}", name)
    return f"write ${name} for the param" if name in context.env else ""


def _is_of_shapes(fault: OpFault, fed: Mapping[str, Fed]) -> bool:
    """Whether a fault at an option comes from the one source, whose shape or a size it tells."""
    types = [str(one.type) for one in fed.values()]
    told = set(re.findall(r"\w+", fault.message))
    sizes = set(re.findall(r"\w+", " ".join(types))) - {"N", "1"}
    return len(types) == 1 and (fault.code == "inferred-conflict" or bool(told & sizes))


_KEY = re.compile(r"\{(\w+)\}")


_NODE = re.compile(r"\{layer: (\w+), from: \{\w+\}(?:, (.*?))?\}")


def _in_chain(help: str) -> str:
    """A node that is to stand in front, as the item of a seq that it is there."""
    return _NODE.sub(lambda m: f"{{{m[1]}: {{{m[2]}}}}}" if m[2] else m[1], help)


def _named(text: str, names: Mapping[str, str]) -> str:
    """`{key}` replaced by the name of the source that fills the operand."""
    return _KEY.sub(lambda m: names.get(m[1], m[0]), text) if "{" in text else text


def _leaf(
    state: State,
    site: Site,
    op: Op,
    activation: Activation | None,
    answer: Answer,
    fed: Mapping[str, Fed],
) -> TypedNode | None:
    """The typed node of an answer, its `take` and activation applied."""
    leaf, results, default, _ = answer
    if site.take is not None or activation is not None:
        done = finish(state, site, op.name, activation, results, default)
        if done is None:
            return None
        results, default = done.results, done.default
        leaf = replace(leaf, activation=done.activation, activation_name=done.activation_name)
    arguments = {key: one.value for key, one in fed.items()}
    return TypedNode(site.node.name, leaf, arguments, results, default, site.node)


class Finished(NamedTuple):
    """The results of an op after `take` and `activation`."""

    results: Mapping[str, TensorType]
    default: str | None
    activation: Code | None = None
    activation_name: str = ""


def finish(
    state: State,
    site: Site,
    name: str,
    activation: Activation | None,
    given: Mapping[str, TensorType],
    default: str | None,
) -> Finished | None:
    """`take` makes another port the default; to that the activation applies."""
    if site.take is None and activation is None:
        return Finished(given, default)
    results = dict(given)
    ports = tuple(port for port in results if port)
    if site.take is not None:
        if site.take.port not in ports:
            unknown_port(state, name, site.take.port, site.take.span, ports, site.path, True)
            return None
        default = site.take.port
    if activation is None:
        return Finished(results, default)
    if default is None:
        help = f"choose one of the ports {', '.join(ports)}: take: {ports[0]}"
        ask_for_port(state, name, activation.span, ports, site.path, help)
        return None
    applied = _activate(state, site.context, activation, results[default], site.path)
    if applied is None:
        return None
    code, results[default] = applied
    return Finished(results, default, code, activation.name)


def _activate(
    state: State, context: Context, activation: Activation, type_: TensorType, path: str
) -> tuple[Code, TensorType] | None:
    """The activation as a function of INPUT, and the type of its result; None where it does not
    fit. One of a wrong name or option, which is told, is passed over: it hides no shape."""
    passed_over = INPUT, type_
    bound = state.bound.get(activation)
    if bound is None or bound.faulty:
        return passed_over
    op = bound.op
    options = values(bound, context.env, state.report, path, context.origins)
    if options is None:
        return passed_over
    try:
        answer = ask(bound, options, {op.inputs.names[0]: type_})
    except OpFault as fault:
        given = bound.given.get(fault.option or "")
        span = given.span if given else activation.span
        state.fault(
            fault.code,
            fault.message,
            span,
            path,
            note=fault.note,
            labels=context.uses,
            help=_named(fault.help, {op.inputs.names[0]: "..."}),
        )
        return None
    assert not isinstance(answer, Block)  # as a merge may be, and no layer
    lowering = answer.leaf.lowering
    if lowering.function is None or lowering.type is None:
        help = f"make it a layer: {{layer: {op.name}, from: ...}}"
        message = f"{op.name} has weights of its own, so it cannot stand in activation"
        state.fault("bad-option", message, activation.span, path, help=help)
        return passed_over
    state.require(answer.constraints)
    return lowering.function, lowering.type
