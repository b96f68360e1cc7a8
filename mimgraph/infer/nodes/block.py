"""Type a use of a block, once or repeated, and a merge that is itself a block of other ops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mimgraph.diagnostics import Label, Report
from mimgraph.infer.declared import check_blocks
from mimgraph.infer.evaluation import Evaluation, compute, has_faulty, layered
from mimgraph.infer.nodes.activation import finish
from mimgraph.infer.nodes.apply import Expansion
from mimgraph.infer.nodes.block_use import (
    Times,
    block_params,
    default_params,
    find_block,
    given_params,
    origins_of,
    repeats,
)
from mimgraph.infer.nodes.body import TypeNodes, body_of
from mimgraph.infer.nodes.optional import (
    check_repeat_presence,
    missing_inputs,
    missing_merge_inputs,
    output_presences,
)
from mimgraph.infer.nodes.pattern import bind_pattern
from mimgraph.infer.nodes.sources import Arguments, item_label, known_types, match
from mimgraph.infer.scope import Context, Fed, Site, State
from mimgraph.infer.structure import scope_of
from mimgraph.ir.expression import identity, plain
from mimgraph.ir.graph import Apply, Block, Call, Repeat
from mimgraph.ir.presence import Presence
from mimgraph.ir.typed import Body, Repeated, TypedNode, TypedOperation, Use
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry

Results = Mapping[str, TensorType]


class _Using(NamedTuple):
    """A call of a block with its node, and the function that types the nodes of a body."""

    site: Site
    call: Call
    block: Block
    type_nodes: TypeNodes


def type_call(site: Site, call: Call, type_nodes: TypeNodes) -> TypedNode | None:
    """Return the typed use of a block; None where something is faulty or unknown."""
    block = find_block(site.state, call, site.node.span, site.path)
    if block is None:
        return None
    at = Evaluation(site.context.env, site.state.report, site.path)
    arguments = {
        name: compute(option.value, at) for name, option in given_params(call, block).items()
    }
    times = repeats(site, call.repeat) if call.repeat else Times([{}], 1)
    keys = tuple(declared.name for declared in block.inputs)
    fed = match(site, Arguments(block.family, keys))
    types = None if fed is None else known_types(fed)
    is_faulty = has_faulty(arguments.values()) or call.block in site.state.recursive
    if fed is None or types is None or times is None or is_faulty:
        return None
    using = _Using(site, call, block, type_nodes)
    operation: TypedOperation | None
    if call.repeat is None:
        body = _type_use(using, arguments, fed, types)
        operation = None if body is None else Use(body, arguments)
    else:
        given = [{**arguments, **one} for one in times.given]
        operation = _type_repeat(using, call.repeat, Times(given, times.number), fed)
    if operation is None:
        return None
    results: Results
    if operation.bodies:
        results = operation.bodies[-1].results
    else:  # repeated zero times: the inputs that its outputs would feed
        results = {port: types[name] for name, port in _carried(block).items()}
    name = item_label(site.node) if site.node.sources == () else site.node.name
    done = finish(site, name, None, results, "" if "" in results else None)
    if done is None:
        return None
    values = {key: one.value for key, one in fed.items()}
    return TypedNode(site.node.name, operation, values, done.results, done.default, site.node)


# one use


def _type_use(
    using: _Using,
    arguments: Mapping[str, Any],
    fed: Mapping[str, Fed],
    types: Mapping[str, TensorType],
    time: int = 0,
) -> Body | None:
    """Return the body of a block for these params and input types, typed once for equal ones; `time`
    is the number of the repeat."""
    site, call, block, _ = using
    state = site.state
    state.write(4 * len(block.params), site.node.span)
    given = block_params(state, block, {n: plain(value) for n, value in arguments.items()})
    dims = bind_pattern(site, block, fed, given)
    if dims is None:
        return None
    optional = missing_inputs(fed) | site.optional
    pasts = tuple([type_.past for type_ in types.values()])  # equality of types ignores it
    key = (call.block, *map(identity, given.values()), tuple(types.values()), pasts, optional)
    if key in state.bodies:
        body, nodes = state.bodies[key]
        state.count(nodes, site.node.span)
        return body
    before = state.expanded
    label = Label(call.span, f"used here as {site.node.name}" if site.node.name else "used here")
    # the one node of a chain block has no name, so that the paths of its items start with the block's
    path = block.family if block.is_chain else f"{block.family}."
    context = Context(
        *(state, layered(dims, given, state.params), types, state.scopes[call.block], path),
        uses=(label,),
        optional=optional,
        origins=origins_of(site.context, call, block, time),
    )
    state.enter(call.span)
    outputs = using.type_nodes(context, block.outputs)
    defaults = default_params(state, call.block, block)
    body = body_of(
        *(context, outputs, block.family, given, defaults, dims, block.doc), is_chain=block.is_chain
    )
    state.depth -= 1
    state.bodies[key] = body, state.expanded - before
    return body


# repeats


def _type_repeat(
    using: _Using, repeat: Repeat, times: Times, fed: Mapping[str, Fed]
) -> Repeated | None:
    """Return the repeated block: the outputs of each body feed the next."""
    block = using.block
    presence = fed[block.inputs[0].name].presence
    current = dict(fed)
    bodies: list[Body] = []
    for time, arguments in enumerate(times.given):
        types = known_types(current)
        assert types is not None  # those of the sources, then of outputs that were typed
        body = _type_use(using, arguments, current, types, time)
        handed = None if body is None else _hand_on(using, repeat, body, presence, current)
        if body is None or handed is None:
            return None
        bodies.append(body)
        current |= handed
    given, carried = tuple(times.given), tuple(_carried(block))
    return Repeated(tuple(bodies), given, repeat.shared, carried, times.number, block.family)


def _carried(block: Block) -> dict[str, str]:
    """Return the inputs that the outputs of a repeat feed, each with the port: a single output feeds
    the first input, of several each the input of its name."""
    inputs, names = [one.name for one in block.inputs], [one.name for one in block.outputs]
    if len(names) == 1:
        return dict.fromkeys(inputs[:1], "")
    return {name: name for name in names if name in inputs}


def _hand_on(
    using: _Using,
    repeat: Repeat,
    body: Body,
    whole: Presence,
    current: Mapping[str, Fed],
) -> dict[str, Fed] | None:
    """Return the sources of the next repeat that the outputs of this one feed; None if one does not
    fit, which is reported.

    `whole` says when the repeat runs.
    """
    site, block = using.site, using.block
    presences = output_presences(body, whole, {key: one.presence for key, one in current.items()})
    handed = dict[str, Fed]()
    for name, port in _carried(block).items():
        before, type_ = current[name], body.results[port]
        if repeat.shared and not _same(before.type, type_):
            message = f"a shared repeat needs equal shapes in and out: {before.type} gives {type_}"
            help = "leave shared: true out, and each repeat has weights of its own"
            site.fault("shape-mismatch", message, repeat.span, help=help)
            return None
        presence = presences[port or block.outputs[0].name]
        is_needed = repeat.shared or name == block.inputs[0].name
        if is_needed and not check_repeat_presence(site, repeat, before, presence):
            return None
        handed[name] = before._replace(type=type_, presence=presence)
    return handed


def _same(one: TensorType | None, other: TensorType) -> bool:
    """Return whether two types are equal but for their vocabulary."""
    return one is not None and one.cast(one.dtype) == other.cast(other.dtype)


# merges


def type_expansion(
    site: Site, apply: Apply, expansion: Expansion, type_nodes: TypeNodes
) -> TypedNode | None:
    """Return a merge that is a block of other ops, typed as a use of it."""
    block, options, fed, activation = expansion
    inputs = dict(zip((declared.name for declared in block.inputs), fed.values(), strict=True))
    types = known_types(inputs)
    assert types is not None  # else the merge would not have been asked
    op = registry.find(apply.kind, apply.name)
    assert op is not None
    optional = site.optional | missing_merge_inputs(op, inputs, options.get("missing") == "skip")
    given = {name: plain(value) for name, value in options.items()}
    pasts = tuple([type_.past for type_ in types.values()])
    key = (apply.name, identity(given), tuple(types.items()), pasts, optional)
    state = site.state
    if key not in state.bodies:
        inside = State(block.inner, Report(), state.params)
        check_blocks(inside)
        path = f"{block.family}."
        context = Context(inside, given, types, scope_of(block), path, optional=optional)
        made = _type_merge_body(site, context, block, type_nodes)
        state.bodies[key] = made, inside.expanded
    body, nodes = state.bodies[key]
    state.count(nodes, site.node.span)
    if body is None:
        return None
    default = "" if "" in body.results else None
    done = finish(site, apply.name, activation, body.results, default)
    if done is None:
        return None
    use = Use(body, options, apply.name, done.activation, done.activation_name)
    arguments = {name: one.value for name, one in inputs.items()}
    return TypedNode(site.node.name, use, arguments, done.results, done.default, site.node)


def _type_merge_body(
    site: Site, context: Context, block: Block, type_nodes: TypeNodes
) -> Body | None:
    """Return the body of a merge's block; its first fault is reported at the node that uses it."""
    outputs = type_nodes(context, block.outputs)
    site.state.require(context.state.constraints)
    for fault in context.state.report.diagnostics[:1]:
        labels = tuple(
            Label(fed.producer, str(fed.type)) for fed in site.fed or () if fed.type is not None
        )
        site.fault(fault.code, fault.message, site.node.span, labels=labels)
    return body_of(context, outputs, block.family, context.env, {}, {}, block.doc)
