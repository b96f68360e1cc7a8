"""Report layers, merges and activations with an unknown name, and find the name that is meant."""

from __future__ import annotations

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.text import SEQ, code, did_you_mean, put, remove, write
from mimgraph.infer.evaluation import texts_in
from mimgraph.infer.state import State
from mimgraph.infer.structure import is_lost
from mimgraph.ir.declared_graph import Activation, Apply
from mimgraph.ir.grammar import OPS
from mimgraph.ops import registry
from mimgraph.ops.custom import registration
from mimgraph.ops.op import Op
from mimgraph.ops.spelling import (
    Form,
    from_python,
    named_elsewhere,
    python_name,
    torch_layer,
    with_required,
)
from mimgraph.support.plugins import SWITCH, BrokenPlugin, are_on, installed

NO_ACTIVATION = ("none", "linear", "identity")
NAMING = ("layer", "name", "type", "op")  # keys under which other formats name an activation
OWN = "register your own nn.Module first: mg.register, or --import on the command line"
# words that people write as a layer's name, and the node that they mean
NODES = {
    "parameter": "{parameter: [8], init: zeros}",
    "buffer": "{buffer: [8], init: zeros}",
    "arange": "{arange: x, dim: 1}",
    **dict.fromkeys(("zeros", "new_zeros"), "{zeros: [8], batched: true}"),
    **dict.fromkeys(("ones", "new_ones"), "{ones: [8], batched: true}"),
    "zeros_like": "{zeros: true, like: x}",
    "ones_like": "{ones: true, like: x}",
    **dict.fromkeys(("random", "randn", "randn_like"), "{random: normal, like: x}"),
    **dict.fromkeys(("rand", "rand_like"), "{random: uniform, like: x}"),
    "seq": "{from: x, seq: [ReLU]}",
    "sequential": "{from: x, seq: [ReLU]}",
    "layer": "{layer: ReLU, from: x}",
    "merge": "{merge: add, from: [x, y]}",
    "block": "{block: step, from: x}",
    "scan": "{scan: cell, over: x, carry: {h: h0}}",
    "share": "{share: a, from: x}",
}


def op_of_plugin(state: State, apply: Apply, path: str, form: Form) -> Op | None:
    """Return the layer or merge that a plugin brings, unless a block has its name; None after
    reporting that there is none, or that the plugin is broken."""
    blocks = [block.family for block in state.blocks.values() if not block.is_private]
    if apply.name not in blocks:
        try:
            op = registration.find(apply.kind, apply.name)
        except BrokenPlugin as broken:
            message, note, help = broken.message, broken.note, broken.help
            state.fault("broken-plugin", message, apply.span, path, note=note, help=help)
            return None
        if op is not None:
            return op
    _report_unknown_op(state, apply, blocks, path, form)
    return None


def _report_unknown_op(
    state: State, apply: Apply, blocks: list[str], path: str, form: Form
) -> None:
    """Report that no layer or merge has this name, unless a block that could not be read has it."""
    choices = (*registry.names(apply.kind), *registration.names(apply.kind), *blocks)
    is_layer = apply.kind == "layer"
    if is_layer and is_lost(apply.name, state.lost_blocks, choices, state.report):
        return  # a block, in a seq
    help = _known_elsewhere(apply, blocks, form) or _node_instead(apply, form)
    if is_layer and not help:
        help = _in_python(apply, blocks, form)
    help = help or _switched_off(apply) or _nearest_help(state, apply, choices, form)
    help = help or (OWN if is_layer else "")
    message = f"no {apply.kind} is called {apply.name!r}"
    code: DiagnosticCode = "unknown-layer" if is_layer else "unknown-merge"
    state.fault(code, message, apply.span, path, help=help)
    for option in (*apply.options.values(), *([apply.lone] if apply.lone else [])):
        state.report.mentioned.update(texts_in(option.value))  # the y of `add: y` in a seq


def _switched_off(apply: Apply) -> str:
    """Return the help for a name that a plugin brings, if plugins are turned off."""
    group = registration.GROUPS[apply.kind]
    found = [] if are_on() else [one for one in installed(group) if one.name == apply.name]
    return f"{found[0].origin} has it, but {SWITCH} turns plugins off" if found else ""


def _known_elsewhere(apply: Apply, blocks: list[str], form: Form) -> str:
    """Return the help for a name that an op of the other kind has, or a block."""
    if apply.name in blocks:
        return f"{apply.name} is a block: write {put(f'{{block: {apply.name}, ...}}')}"
    kind = _other_kind(apply)
    if registry.find(kind, apply.name) or apply.name in registration.names(kind):
        return _kind_help(kind, apply.name, form)
    return ""


def _other_kind(apply: Apply) -> str:
    return "merge" if apply.kind == "layer" else "layer"


def _kind_help(kind: str, name: str, form: Form) -> str:
    """Return the help for a merge that is written as a layer, or a layer that is written as a
    merge."""
    if form == "item" and kind == "merge":
        node = code(f"{{merge: {name}, from: [..., ...]}}")
        return f"{name} is a merge: make it a node, {node}, and connect the {SEQ} to it"
    return f"{name} is a {kind}: write {put(f'{{{kind}: {name}, ...}}')}"


def _node_instead(apply: Apply, form: Form) -> str:
    """Return the help for a key of nodes in place of a layer's name: `layer: parameter`, or
    `{layer: ReLU}` in a seq."""
    name = python_name(apply.name).lower()
    if name not in NODES or (apply.kind != "layer" and name in OPS):
        return ""
    if form != "item":
        return write(NODES[name])
    if name in ("seq", "sequential"):
        return f"write its layers here, in the {SEQ} around it"
    inside = apply.lone.value if apply.lone is not None else None
    if not isinstance(inside, str) or name == "scan":
        return f"make it a separate node: {code(NODES[name])}"
    if op := registry.find("merge", inside):
        return _kind_help(op.kind, op.name, form)
    return write(inside) if name in ("layer", "block") else ""


def _in_python(apply: Apply, blocks: list[str], form: Form) -> str:
    """Return the help for a layer written as in Python, `nn.Linear(3)`, or with a port,
    `LSTM.last`."""
    owner, _, port = apply.name.partition(".")
    if port and (owner in blocks or registry.find("layer", owner)):
        if form == "item":
            return f"choose a port with take: {put(f'{{{owner}: {{..., take: {port}}}}}')}"
        return write(f"layer: {owner}, take: {port}")
    name = python_name(apply.name)
    written = from_python(apply.name, form) if name != apply.name else ""
    return f"write {written}" if written else ""


def _nearest_help(state: State, apply: Apply, choices: tuple[str, ...], form: Form) -> str:
    """Return the help with the op that has this name in torch or Keras, or else with the nearest
    name."""
    if registry.is_model(apply.name):
        return registry.instead(apply.name)
    name = python_name(apply.name)
    if apply.kind == "layer" and (model := registry.with_library(name)):
        return did_you_mean(model)
    if op := named_elsewhere(name):
        is_other = op.kind == _other_kind(apply)
        return _kind_help(op.kind, op.name, form) if is_other else did_you_mean(op.name)
    return state.report.suggestion(name, choices)


def report_no_activation(state: State, activation: Activation, path: str) -> None:
    """Report an activation whose name no layer has, or only one that is no activation."""
    name, span = activation.name, activation.span
    if registry.find("layer", name) or name in registration.names("layer"):
        help = f"make it a node: {code(f'{{layer: {name}, from: ...}}')}"
        state.fault("bad-option", f"{name} is not an activation", span, path, help=help)
    else:
        help = _activation_instead(state, activation)
        state.fault("unknown-layer", f"no layer is called {name!r}", span, path, help=help)


def _activation_instead(state: State, activation: Activation) -> str:
    """Return the help for an unknown activation."""
    name = activation.name
    inside = activation.lone.value if activation.lone is not None else None
    if name.lower() in NO_ACTIVATION:
        return remove("activation")
    if name in NAMING and isinstance(inside, str):
        name = inside
    op = torch_layer(name)
    if op is not None and (op.required or name == op.name):
        return f"write {with_required(op, {}, 'activation')}"
    op = named_elsewhere(name)
    if op is not None and op.family == "activation":
        return did_you_mean(op.name)
    if python_name(name) != name and (written := from_python(name, "activation")):
        return f"write {written}"
    return state.report.suggestion(name, registry.names("layer"))
