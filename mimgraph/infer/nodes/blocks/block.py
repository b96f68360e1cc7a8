"""Type a use of a block, once or repeated, and a merge that is itself a block of other ops."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.diagnostics import Label, Report
from mimgraph.infer.declared import check_blocks
from mimgraph.infer.nodes.activation import finish
from mimgraph.infer.nodes.apply import Expansion
from mimgraph.infer.nodes.blocks.block_body import Using, type_use
from mimgraph.infer.nodes.blocks.block_use import block_arguments, find_block
from mimgraph.infer.nodes.blocks.groups import left_out_inputs, match_block
from mimgraph.infer.nodes.blocks.repeat import type_repeat
from mimgraph.infer.nodes.blocks.repeat_words import Steps, steps_of
from mimgraph.infer.nodes.body import TypeNodes, body_of
from mimgraph.infer.nodes.optional import MAX_OPTIONAL, missing_inputs, missing_merge_inputs
from mimgraph.infer.nodes.sources import item_label, known_types
from mimgraph.infer.scope import Context, Fed, Site, State
from mimgraph.infer.structure import scope_of
from mimgraph.ir.declared.graph import Block
from mimgraph.ir.declared.operations import Apply, Call
from mimgraph.ir.declared.values import OTHERS
from mimgraph.ir.expression import identity, plain
from mimgraph.ir.presence import NEVER
from mimgraph.ir.typed.graph import Body, TypedNode
from mimgraph.ir.typed.operations import TypedOperation, Use
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry

Results = Mapping[str, TensorType]


def type_call(site: Site, call: Call, type_nodes: TypeNodes) -> TypedNode | None:
    """Return the typed use of a block; None where something is faulty or unknown."""
    block = find_block(site.state, call, site.node.span, site.path)
    if block is None:
        return None
    arguments = block_arguments(site, call, block)
    steps = steps_of(site, block, call.repeat, arguments or {}) if call.repeat else Steps([{}])
    keys = block.input_names
    if steps is not None and steps.counter:  # the input that no source fills
        keys = tuple([name for name in keys if name != steps.counter])
    fed = match_block(site, block, keys) if _may_match(call, steps) else None
    kept = None if fed is None else with_kept(site, block, fed)
    types = None if kept is None else known_types(kept)
    if fed is None or kept is None or types is None or steps is None or arguments is None:
        return None
    absent = left_out_inputs(block, keys, kept)
    using = Using(site, call, block, type_nodes, absent)
    operation: TypedOperation
    results: Results
    if call.repeat is None:
        body = type_use(using, arguments, kept, types, missing_inputs(kept))
        if body is None:
            return None
        operation, results = Use(body, arguments), body.results
    else:
        typed = type_repeat(using, call.repeat, steps, keys, kept)
        if typed is None:
            return None
        operation, results = typed
    name = item_label(site.node) if site.node.sources == () else site.node.name
    done = finish(site, name, None, results, "" if "" in results else None)
    if done is None:
        return None
    values = {key: one.value for key, one in fed.items()}
    return TypedNode(site.node.name, operation, values, done.results, done.default, site.node)


def _may_match(call: Call, steps: Steps | None) -> bool:
    """Return whether the inputs that sources fill are known: a repeat that is faulty may have named
    one as its `index`."""
    if call.repeat is None:
        return OTHERS not in call.params
    return steps is not None or call.repeat.counter is None


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
    arguments = {name: one.value for name, one in inputs.items() if one.presence != NEVER}
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


def with_kept(site: Site, block: Block, fed: Mapping[str, Fed]) -> dict[str, Fed]:
    """Return the sources of a block with those that are never given but are inputs of its module.

    Other nodes that share the module give them. Of several outputs one may be missing without an input,
    while the block must have the others.
    """
    if not site.kept and not site.left_out:
        return {**fed}
    kept = {name: one for name, one in site.kept.items() if name not in fed}
    if len(block.outputs) > 1:
        left_out = {n: one for n, one in site.left_out.items() if one.type is not None}
        kept = {**left_out, **kept}
    if not kept:
        return {**fed}
    if len(kept) > MAX_OPTIONAL:
        message = f"more than {MAX_OPTIONAL} inputs that some uses leave out"
        site.fault("too-large", message, site.node.span)
        site.state.report.raise_if_any()  # computing their presences would take too long
    place = {name: position for position, name in enumerate(block.input_names)}
    found = {**fed, **kept}
    return {name: found[name] for name in sorted(found, key=lambda n: place[n.partition(".")[0]])}
