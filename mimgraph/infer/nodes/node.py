"""Type the nodes of a body: resolve the sources of each node, then type its operation on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType

from mimgraph.infer.declared import check_nodes_text
from mimgraph.infer.evaluation import Evaluation, decide
from mimgraph.infer.nodes.apply import Expansion, apply_op
from mimgraph.infer.nodes.blocks.block import type_call, type_expansion
from mimgraph.infer.nodes.blocks.scan import type_scan
from mimgraph.infer.nodes.chain import type_chain
from mimgraph.infer.nodes.each import type_each
from mimgraph.infer.nodes.left_out import type_without
from mimgraph.infer.nodes.optional import (
    always_present,
    fed_by_argument,
    is_left_out,
    lacks_input,
    missing_arguments,
    with_presence,
)
from mimgraph.infer.nodes.over import check_over, type_over
from mimgraph.infer.nodes.sharing import (
    check_borrowers,
    check_kind,
    check_share,
    kept_in_shares,
    missing_in_shares,
    module_owner,
    nodes_that_share,
)
from mimgraph.infer.nodes.sources import resolve, resolve_all
from mimgraph.infer.nodes.training import trained
from mimgraph.infer.scope import Context, Fed, Site
from mimgraph.ir.declared.graph import Node, Output
from mimgraph.ir.declared.operations import Apply, Call, Chain, Each
from mimgraph.ir.presence import ALWAYS, Presence
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.typed.operations import Leaf, Shared


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
        typed = type_each(context, node, node.operation, fed or (), _type_item)
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


def _type_item(context: Context, item: Node, fed: Fed, path: str) -> TypedNode | None:
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
