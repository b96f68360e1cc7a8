"""Apply `take`, which chooses the default result of an op, and bind and apply its `activation`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mimgraph.infer.advice import unknown_ops
from mimgraph.infer.evaluation import Evaluation
from mimgraph.infer.nodes.refusal import with_names
from mimgraph.infer.nodes.rule_cache import ask
from mimgraph.infer.nodes.sources import ask_for_port, unknown_port
from mimgraph.infer.options import Place, bind, values
from mimgraph.infer.scope import Site, State
from mimgraph.ir.code import Code
from mimgraph.ir.declared.graph import Block
from mimgraph.ir.declared.operations import Activation, Apply
from mimgraph.ir.declared.values import Option
from mimgraph.ir.lowering import INPUT
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops import registry
from mimgraph.ops.op import Op, OpFault


def split_activation(op: Op, apply: Apply) -> tuple[Mapping[str, Option], Activation | None]:
    """Return the options of an op, and the activation to apply after it; if the op itself has an
    option `activation`, the key is that option."""
    activation = apply.activation
    if activation is None or "activation" not in op.options:
        return apply.options, activation
    is_name = activation.lone is None and not activation.options
    value = activation.name if is_name else {activation.name: None}  # the option refuses a mapping
    option = Option(value, activation.span, activation.span)
    return {**apply.options, "activation": option}, None


def bind_activation(state: State, activation: Activation, at: Evaluation) -> None:
    """Bind the options of an activation; report one that is unknown, or is a layer of another kind."""
    op = registry.find("layer", activation.name)
    if op is None or op.family != "activation":
        report = unknown_ops.report_no_activation if op else unknown_ops.report_unknown_activation
        report(state, activation, at.node)
        return
    place = Place(activation.span, "activation")
    bound = bind(op, activation.options, activation.lone, place, at)
    state.bound[activation] = bound


class Finished(NamedTuple):
    """The results of an op after `take` and `activation`, and the constraints of the activation."""

    results: Mapping[str, TensorType]
    default: str | None
    activation: Code | None = None
    activation_name: str = ""
    constraints: tuple[Constraint, ...] = ()


def finish(
    site: Site,
    name: str,
    activation: Activation | None,
    given: Mapping[str, TensorType],
    default: str | None,
) -> Finished | None:
    """Return the results with the default that `take` chooses, and the activation applied to it; None
    if there is no such result, which is reported."""
    if site.take is None and activation is None:
        return Finished(given, default)
    ports = tuple(port for port in given if port)
    if site.take is not None:
        if site.take.port not in ports:
            port, span, help = site.take.port, site.take.span, "leave take out"
            unknown_port(site.state, name, port, span, ports, site.path, help)
            return None
        default = site.take.port
    if activation is None:
        return Finished(given, default)
    if default is None:
        help = f"choose one of the ports {', '.join(ports)}: take: {ports[0]}"
        ask_for_port(site.state, name, activation.span, ports, site.path, help)
        return None
    applied = _activate(site, activation, given[default])
    if applied is None:
        return None
    code, type_, constraints = applied
    return Finished({**given, default: type_}, default, code, activation.name, constraints)


def _activate(
    site: Site, activation: Activation, type_: TensorType
) -> tuple[Code, TensorType, tuple[Constraint, ...]] | None:
    """Return the activation as a function of INPUT, the type of its result, and its constraints; None
    if it does not fit. An activation that is reported already is left out, as it changes no shape."""
    passed_over = INPUT, type_, ()
    bound = site.state.bound.get(activation)
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
        help = f"make it a layer: {{layer: {op.name}, from: ...}}"
        message = f"{op.name} has weights of its own, so it cannot stand in activation"
        site.fault("bad-option", message, activation.span, help=help)
        return passed_over
    site.state.require(answer.constraints)
    return lowering.function, lowering.type, answer.constraints
