"""Type the nodes of a body: resolve the sources of each node, then type its operation on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType
from typing import TypeAlias

from mimgraph.diagnostics import Label, Report
from mimgraph.infer.apply import Expansion, apply_op, finish
from mimgraph.infer.block_inputs import left_out_inputs, match_block
from mimgraph.infer.block_params import block_arguments, find_block
from mimgraph.infer.blocks import TypeNodes, Using, body_of, type_use
from mimgraph.infer.declared import check_blocks, check_nodes_text
from mimgraph.infer.each import type_each
from mimgraph.infer.evaluation import Evaluation, decide
from mimgraph.infer.left_out import type_without
from mimgraph.infer.over import check_over, type_over
from mimgraph.infer.presence import (
    MAX_OPTIONAL,
    always_present,
    check_item,
    fed_by_argument,
    is_left_out,
    lacks_input,
    missing_arguments,
    missing_inputs,
    missing_merge_inputs,
    with_presence,
)
from mimgraph.infer.repeat import Steps, steps_of, type_repeat
from mimgraph.infer.scan import type_scan
from mimgraph.infer.sharing import (
    check_borrowers,
    check_kind,
    check_share,
    kept_in_shares,
    missing_in_shares,
    module_owner,
    nodes_that_share,
)
from mimgraph.infer.sources import (
    Arguments,
    ask_item_for_port,
    item_label,
    known_types,
    match,
    resolve,
    resolve_all,
    unknown_port,
)
from mimgraph.infer.state import Context, Fed, Site, State
from mimgraph.infer.structure import scope_of
from mimgraph.infer.training import trained
from mimgraph.ir.declared_graph import Apply, Block, Call, Chain, Each, Node, Output, Source, Take
from mimgraph.ir.declared_values import OTHERS
from mimgraph.ir.expression import identity, plain
from mimgraph.ir.typed_graph import ALWAYS, NEVER, Body, Presence, TypedNode, Value
from mimgraph.ir.typed_operations import Leaf, Sequence, Shared, TypedOperation, Use
from mimgraph.ir.typed_walks import used_bodies
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry

# types an operation; an argument here, as it is defined in node.py, which imports this file
TypeOperation: TypeAlias = Callable[[Site, Node], TypedNode | None]


def type_chain(site: Site, chain: Chain, type_operation: TypeOperation) -> TypedNode | None:
    """Return the typed chain; after an item of unknown type only the options are checked."""
    matched = match(site, Arguments("seq", ("input",)))
    first = matched["input"] if matched else None
    value, type_ = (first.value, first.type) if first else (Value("", ""), None)
    text, producer = (first.text, first.producer) if first else ("", site.node.span)
    site.state.count(max(len(chain.items) - 1, 0), site.node.span)  # beside the node itself
    items: list[TypedNode] = []
    for index, item in enumerate(chain.items, 1):
        # the item's name stands for its source, in faults
        source = Source(text, None, item.span)
        fed = None if type_ is None else (Fed(value, type_, source, producer),)
        typed = _type_item(site, item, fed, type_operation)
        if typed is not None and typed.type is None and index < len(chain.items):
            ask_item_for_port(
                site, item, tuple(typed.results), "to use several, end the seq with it"
            )
            typed = None
        type_ = None
        if typed is not None:
            items.append(typed)
            type_, text, producer = typed.type, item.name, item.span
            value = Value(item.name, typed.default or "")
    if first is None or first.type is None or len(items) < len(chain.items):
        site.state.unfinished_items.setdefault(id(chain), tuple(items))
        return None
    operation = Sequence(tuple(items))
    results, default = items[-1].results if items else {"": first.type}, operation.default
    if site.take is not None:
        default = site.take.port
        if default not in results or not default:
            _report_take(site, site.take, tuple(results))
            return None
    elif default is None and site.node.name == "":  # a chain that is a block, which has one output
        help = "to use several, write the block with nodes and outputs"
        ask_item_for_port(site, items[-1].declared, tuple(results), help)
        return None
    arguments = {"input": first.value}
    return TypedNode(site.node.name, operation, arguments, results, default, site.node)


def _type_item(
    site: Site, item: Node, fed: tuple[Fed] | None, type_operation: TypeOperation
) -> TypedNode | None:
    """Return the typed item; None if it or its source is faulty."""
    path = f"{site.path}.{item.name}" if site.path else item.name
    inside = Site(site.context, item, path, fed, item.take)
    freezes = item.freeze and decide("freeze", item.freeze, inside.evaluation)
    typed = type_operation(inside, item)
    if typed is None or not check_item(inside, typed) or _borrows(inside, typed):
        return None
    if freezes:
        typed = replace(typed, freeze=True)
    return typed if item.training is None else trained(item, typed, inside.evaluation)


def _borrows(site: Site, typed: TypedNode) -> bool:
    """Report an item with a block that shares layers outside of it; return whether it is one."""
    if isinstance(typed.operation, Leaf) or not site.state.outer:
        return False
    borrowed = [name for body in used_bodies(typed.operation) for name in body.borrowed]
    if borrowed:
        label = item_label(site.node)
        message = f"{label} shares {borrowed[0]}, which a seq cannot hand to its items"
        help = f"make {label} a node of its own"
        site.fault("bad-option", message, site.node.span, help=help)
    return bool(borrowed)


def _report_take(site: Site, take: Take, ports: tuple[str, ...]) -> None:
    """Report `take` beside `seq` that names no port of the last item."""
    ports = tuple(filter(None, ports))
    unknown_port(
        site.state, site.node.name, take.port, take.span, ports, site.path, "leave take out"
    )


# Type a use of a block, once or repeated, and a merge that is itself a block of other ops.


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


# Type the nodes of a body: resolve the sources of each node, then type its operation on them.


def type_nodes(context: Context, outputs: Iterable[Output]) -> dict[str, Fed]:
    """Type every node of a body in running order, and return its outputs, resolved."""
    state, scope, typed = context.state, context.scope, context.typed
    before = None if context.path else state.kept
    for node in scope.order:
        if before is None:
            typed[node.name] = type_node(context, node)
        else:
            typed[node.name] = before.type_node(context, node, type_node)
        state.count(1, node.span)
    # nodes on a cycle and the nodes behind them have no types: check their text alone
    if len(typed) < len(scope.nodes):
        untyped = [node for name, node in scope.nodes.items() if name not in typed]
        check_nodes_text(state, untyped, context.env, context.path)
    if shares := nodes_that_share(context):
        kept = kept_in_shares(context, shares)
        for name, inputs in kept.items():
            typed[name] = type_node(context, scope.nodes[name], kept=inputs)
        for name in shares:
            check_share(context, name)
        # a block's body is emitted once, so an input that is missing at one share is optional in it
        for name, optional in missing_in_shares(context, shares).items():
            typed[name] = type_node(context, scope.nodes[name], optional, kept.get(name, {}))
    check_borrowers(context)
    return {output.name: resolve(context, output.source, "") for output in outputs}


def type_node(
    context: Context,
    node: Node,
    optional: frozenset[str] = frozenset(),
    kept: Mapping[str, Fed] = MappingProxyType({}),
) -> TypedNode | None:
    """Return the typed node; None where something is faulty or unknown.

    `optional` are the inputs of its block that are missing at some nodes that share its module, `kept`
    those that it leaves out and others are given.
    """
    path = context.path + node.name
    before = len(context.state.report.diagnostics)
    fed = None if node.sources is None else resolve_all(context, node.sources, path)
    if isinstance(node.operation, Each):
        typed = type_each(context, node, node.operation, fed or (), _type_each_item)
    else:
        typed = _type_fed(context, node, fed, path, optional, kept)
    if typed is None and is_left_out(fed) and len(context.state.report.diagnostics) == before:
        context.never_run.add(node.name)
    if node.freeze is False and node.training is None:
        return typed
    at = Evaluation(context.env, context.state.report, path, context.origins)
    freezes = decide("freeze", node.freeze, at)
    if typed is None:
        return None
    return trained(node, replace(typed, freeze=True) if freezes else typed, at)


def _type_each_item(context: Context, item: Node, fed: Fed, path: str) -> TypedNode | None:
    """Return an item of an `each`, typed."""
    return _type_fed(context, item, (fed,), path, frozenset(), {})


def _type_fed(
    context: Context,
    node: Node,
    fed: tuple[Fed, ...] | None,
    path: str,
    optional: frozenset[str],
    kept: Mapping[str, Fed],
) -> TypedNode | None:
    """Return the typed node on these sources, with a module of its own or a shared one."""
    operation = node.operation
    is_whole = fed and node.over is None and not (optional or kept) and always_present(fed)
    if is_whole and isinstance(operation, Apply):  # as most are, without a module of another
        return _type_applied(Site(context, node, path, fed, node.take), node)
    owned = module_owner(context, node, path)
    if owned is None or owned.declared.operation is None:
        return None
    around = owned.context
    if around.typed.get(owned.name, owned) is None:  # the node whose module it shares is faulty
        return None
    used = node if owned.over is node.over else replace(node, over=owned.over)
    site = Site(around, used, path, fed, owned.declared.take, optional, kept=kept)
    if is_left_out(fed):
        typed = type_without(site, owned.declared, _type_given, _type_operation)
    else:
        typed = _type_given(site, owned.declared)
    is_shared = owned.declared is not node
    if is_shared and typed is not None and not check_kind(context, node, owned, typed, path):
        return None
    if typed is None or not is_shared:
        return typed
    shared = Shared(owned.name, typed.operation, owned.item)
    return replace(typed, name=node.name, operation=shared, declared=node)


def _type_given(site: Site, node: Node) -> TypedNode | None:
    """Return the operation of `node` typed on the sources of the site, with its presence."""
    fed = site.fed
    typed = _type_operation(site, node)
    if fed is None:
        _report_no_sources(site, node)
    lacks = isinstance(node.operation, Call) and typed is not None and lacks_input(typed)
    if typed is not None and not (fed and always_present(fed) and not lacks):
        typed = with_presence(site, typed)
        if typed is not None and any(one.presence != ALWAYS for one in fed or ()):
            typed = _with_variants(site, node, typed)
    if typed is None or (typed.over is not None and not check_over(site, typed, fed or ())):
        return None
    return typed


def _type_operation(site: Site, node: Node) -> TypedNode | None:
    """Return the operation of `node` typed on the sources of the site, over an axis if one of the two
    has `over`: a node that shares a module may have its own."""
    over = node.over if site.node.over is None else site.node.over
    if over is not None:
        return type_over(site, node, over, _type_applied)
    return _type_applied(site, node)


def _type_applied(site: Site, node: Node) -> TypedNode | None:
    """Return the operation of `node` typed on the sources of the site."""
    operation = node.operation
    if isinstance(operation, Apply):
        applied = apply_op(site, operation)
        if isinstance(applied, Expansion):
            return type_expansion(site, operation, applied, type_nodes)
        return applied
    if isinstance(operation, Chain):
        return type_chain(site, operation, _type_operation)
    if not isinstance(operation, Call):
        return None
    if operation.scan is not None:
        return type_scan(site, operation, operation.scan, type_nodes)
    return type_call(site, operation, type_nodes)


def _report_no_sources(site: Site, node: Node) -> None:
    """Report that `from` is missing, unless the node takes no sources or another fault may be the
    reason."""
    operation, state = node.operation, site.state
    if isinstance(operation, Apply):
        bound = state.bound.get(operation)
        if bound is None or bound.faulty or bound.op.inputs.kind == "none":
            return
    if isinstance(operation, Call) and not state.calls.get(operation, False):
        return
    help = "write from: NAME, an input or a node; only the items of a seq need none"
    site.fault("missing-key", f"{site.node.name} needs from", site.node.span, help=help)


def _with_variants(site: Site, node: Node, typed: TypedNode) -> TypedNode | None:
    """Return the node with a variant for each set of masks, lengths and states that may be
    missing."""
    if not isinstance(typed.operation, Leaf):
        return typed
    fed = fed_by_argument(site, typed)
    named = {
        key: one._replace(source=one.source._replace(argument=key if len(fed) > 1 else None))
        for key, one in fed.items()
    }
    without: dict[frozenset[str], TypedNode] = {}
    for gone in _missing_together(typed, fed):
        rest = tuple(one for key, one in named.items() if key not in gone)
        less = _type_operation(site._replace(fed=rest), node)
        if less is None:
            return None
        without[gone] = less
    return replace(typed, without=without)


def _missing_together(typed: TypedNode, fed: Mapping[str, Fed]) -> Iterable[frozenset[str]]:
    """Yield every set of arguments that may be missing at once when the node runs."""
    at_times: dict[Presence, set[str]] = {}
    for key in missing_arguments(typed, fed):
        at_times.setdefault(fed[key].presence, set()).add(key)
    for size in range(1, len(at_times) + 1):
        for groups in combinations(at_times.values(), size):
            yield frozenset().union(*groups)
