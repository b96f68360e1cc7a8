"""Type the nodes that read an input which a use of their block leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

from mimgraph.infer.apply import bind_op, finish, with_known_sources
from mimgraph.infer.options import Bound, values
from mimgraph.infer.presence import check_fill, report_missing, runs_without, with_presence
from mimgraph.infer.sources import match_op
from mimgraph.infer.state import Context, Fed, Site
from mimgraph.ir.code import Operand
from mimgraph.ir.declared_graph import Apply, Call, Node, Scan
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.typed_graph import ALWAYS, NEVER, TypedNode, borrowed_by
from mimgraph.ir.typed_operations import Leaf, Use

# types a node or its operation; arguments here, as they are defined in node.py, which imports this file
Typing: TypeAlias = Callable[[Site, Node], TypedNode | None]


def type_without(
    site: Site, node: Node, type_given: Typing, type_operation: Typing
) -> TypedNode | None:
    """Return `node` typed on the sources that are given.

    A node that does not run without the others has the presence NEVER, or is None if the type of its
    sources is unknown. None, too, after a report.
    """
    operation = node.operation
    if isinstance(operation, Apply):
        return _type_op(site, node, operation, type_given, type_operation)
    # a chain runs on one source
    rest = _rest_of_call(site, operation) if isinstance(operation, Call) else None
    return _unrun(site, node, type_operation) if rest is None else type_given(rest, node)


def _type_op(
    site: Site, node: Node, apply: Apply, type_given: Typing, type_operation: Typing
) -> TypedNode | None:
    """Return a layer or merge typed on the sources that are given."""
    bound = bind_op(site.state, apply, site.node.span, site.evaluation)
    if bound is not None and bound.op.options_decide:
        bound = with_known_sources(site, bound, values(bound, site.evaluation))
    fed = None if bound is None else match_op(site, bound.op)
    if bound is None or fed is None:
        return None
    if bound.op.name == "Fill" and fed["input"].presence == NEVER:
        return _filled(site, node, fed["input"], type_operation)
    if _needs_others(site, bound, fed):
        return None
    rest = _rest_of_op(site, bound, fed)
    if rest is None:
        return _unrun(site, node, type_operation)
    if _skips(site, bound):
        unrun = _unrun(site, node, type_operation)
        if unrun is not None and isinstance(unrun.operation, Use):
            return type_given(site, node)  # it has weights for each source, and keeps them
        if rest.fed is not None and len(rest.fed) == 1:
            return _alone(rest, bound, rest.fed[0])
    return type_given(rest, node)


def _unrun(site: Site, node: Node, type_operation: Typing) -> TypedNode | None:
    """Return a node that never runs, typed as if all were given; None if that is not possible."""
    context = site.context
    state = context.state.of_unrun()
    given = context.as_given or replace(context, state=state)
    fed = tuple(one._replace(presence=ALWAYS) for one in site.fed or ())
    typed = None
    if all(one.type is not None for one in fed):
        typed = type_operation(site._replace(context=given, fed=fed), node)
    state.report.diagnostics.clear()
    return None if typed is None else replace(typed, presence=NEVER)


# layers and merges


def _filled(site: Site, node: Node, source: Fed, type_operation: Typing) -> TypedNode | None:
    """Return a `Fill` that always gives its value; its shape is that of the source."""
    if source.type is None:
        names = " and ".join(site.context.left_out)
        message = f"the shape of {source.text} is unknown, as {names} is left out"
        help = f"declare the input of the block: {names}: {{shape: [...], optional: true}}"
        labels = site.context.uses
        site.fault("optional-source", message, source.source.span, labels=labels, help=help)
        return None
    given = source._replace(presence=ALWAYS, source=source.source._replace(argument=None))
    typed = type_operation(site._replace(fed=(given,)), node)
    if typed is None or not check_fill(site, typed):
        return None
    leaf = typed.operation
    assert isinstance(leaf, Leaf)
    lowering = replace(leaf.lowering, call=leaf.lowering.fallback, fallback=None, makes=None)
    return replace(typed, operation=replace(leaf, lowering=lowering), arguments={})


def _needs_others(site: Site, bound: Bound, fed: Mapping[str, Fed]) -> bool:
    """Return whether a layer or merge that runs needs a source that is never given; report it."""
    op, needed = bound.op, _needed(bound, fed)
    if _skips(site, bound):
        return False
    never = [one for one in needed if one.presence == NEVER]
    runs = needed[0].presence != NEVER if op.kind == "layer" else len(never) < len(needed)
    if runs and never:
        report_missing(site, op.name, never[0])
    return runs and bool(never)


def _alone(site: Site, bound: Bound, source: Fed) -> TypedNode | None:
    """Return a merge that skips all sources but one, which is its result."""
    options = values(bound, site.evaluation)
    if source.type is None or options is None:
        return None
    done = finish(site, bound.op.name, bound.activation, {"": source.type}, "")
    if done is None:
        return None
    leaf = Leaf(
        *("merge", bound.op.name, options.by_name),
        Lowering(source.type, call=Operand("0"), makes=()),
        *(done.activation, done.activation_name),
    )
    arguments = {"0": source.value}
    typed = TypedNode(site.node.name, leaf, arguments, done.results, done.default, site.node)
    found = with_presence(site, typed)
    return None if found is None else replace(found, is_own=False)


def _needed(bound: Bound, fed: Mapping[str, Fed]) -> list[Fed]:
    """Return the sources without which an op does not run: of a layer the first at least, of a merge
    none that is a tensor of the model itself."""
    op, first = bound.op, next(iter(fed))
    if op.kind == "layer":
        return [one for key, one in fed.items() if key == first or not runs_without(op, key)]
    return [one for key, one in fed.items() if not (runs_without(op, key) or one.is_own)]


def _skips(site: Site, bound: Bound) -> bool:
    """Return whether a merge has `missing: skip`."""
    options = values(bound, site.evaluation) if "missing" in bound.op.options else None
    return options is not None and options.by_name["missing"] == "skip"


def _rest_of_op(site: Site, bound: Bound, fed: Mapping[str, Fed]) -> Site | None:
    """Return the site with the sources that are given; None if the op does not run on them."""
    has_own = _skips(site, bound) and any(one.is_own for one in fed.values())
    if all(one.presence == NEVER for one in _needed(bound, fed)) and not has_own:
        return None
    given = {key: one for key, one in fed.items() if one.presence != NEVER}
    is_named = bound.op.inputs.kind != "many" and len(fed) > 1
    return site._replace(
        fed=tuple(
            one._replace(source=one.source._replace(argument=key if is_named else None))
            for key, one in given.items()
        )
    )


# blocks


def _rest_of_call(site: Site, call: Call) -> Site | None:
    """Return the site with the sources that are given, by the input that each fills, and those that
    are left out; None if the block does not run on them."""
    block = site.state.blocks.get(call.block)
    if block is None or site.fed is None:
        return site
    counter = call.repeat.counter if call.repeat is not None else None
    names = [name for name in block.input_names if counter is None or name != counter.name]
    by_input = _by_input(site.fed, names, is_scan=call.scan is not None)
    given = [one for one in by_input if one.presence != NEVER]
    filled = {one.source.argument for one in given}
    left_out = {
        one.source.argument: one
        for one in by_input
        if one.source.argument is not None and one.source.argument not in filled
    }
    needed = names[:1] if call.scan is None else _stepwise(call.scan, by_input)
    if any(name in left_out for name in needed):
        return None
    return site._replace(fed=tuple(given), left_out=left_out)


def _by_input(fed: tuple[Fed, ...], names: list[str], *, is_scan: bool) -> list[Fed]:
    """Return the sources with the names of the inputs that they fill; a group fills one."""
    named = {one.source.argument for one in fed}
    free = [name for name in names if name not in named] if is_scan else names
    found: list[Fed] = []
    position = 0
    for _, run in groupby(enumerate(fed), key=lambda one: one[1].group or one[0]):
        members = [one for _, one in run]
        argument = members[0].source.argument
        if argument is None:
            argument = free[position] if position < len(free) else None
        position += 1 if members[0].source.argument is None or not is_scan else 0
        found += [m._replace(source=m.source._replace(argument=argument)) for m in members]
    return found


def _stepwise(scan: Scan, fed: Iterable[Fed]) -> list[str | None]:
    """Return the inputs that a scan reads step by step or carries, which each step needs."""
    if scan.axis is None:
        return [*scan.axes, *scan.carry]
    return [one.source.argument for one in fed]


# bodies


def nodes_that_run(
    context: Context, family: str, outputs: Mapping[str, Fed]
) -> dict[str, TypedNode] | None:
    """Return the nodes that the outputs of a body need if the use leaves inputs out; None after
    reporting an output, or a module that another node uses, of a node that never runs."""
    found: dict[str, TypedNode] = {}
    for name, fed in outputs.items():
        if fed.presence == NEVER:
            _report_unrun_output(context, family, name, fed)
            return None
    readers = {fed.value.name.partition(".")[0]: "" for fed in outputs.values()}
    while readers:
        name, reader = readers.popitem()
        typed = context.typed.get(name)
        if name in found or name not in context.scope.nodes:
            continue
        if typed is None or (typed.presence == NEVER and typed.operation.branches):
            if reader and (typed is not None or name in context.never_run):
                _report_unrun_module(context, reader, name)
            return None
        found[name] = (
            _only_module(typed) if typed.presence == NEVER else _without_unrun_items(typed)
        )
        before = (value.name for value in found[name].arguments.values())
        for one in (*before, *borrowed_by(found[name].operation)):
            readers.setdefault(one.partition(".")[0], name)
    return found


def _without_unrun_items(typed: TypedNode) -> TypedNode:
    """Return an `each` without the items that never run."""
    unrun = {one.name for one in typed.operation.branches if one.presence == NEVER}
    if not unrun:
        return typed
    items = tuple(one for one in typed.operation.branches if one.name not in unrun)
    return replace(
        typed,
        operation=typed.operation.with_items(items),
        arguments={key: one for key, one in typed.arguments.items() if key not in unrun},
        results={key: one for key, one in typed.results.items() if key not in unrun},
        presences={key: one for key, one in typed.presences.items() if key not in unrun},
    )


def _only_module(typed: TypedNode) -> TypedNode:
    """Return a node that never runs, but whose module others share, or read a weight of."""
    return replace(typed, arguments={}, results={}, default=None, presence=ALWAYS, presences={})


def _report_unrun_module(context: Context, reader: str, owner: str) -> None:
    """Report a node that shares, or reads a weight of, a node that never runs."""
    names = " and ".join(context.left_out)
    node = context.scope.nodes[reader]
    message = f"{reader} uses the weights of {owner}, which never runs without {names}"
    help = f"feed {names}, or make {reader} the node that has the weights, and share that"
    labels, path = context.uses, context.path + reader
    context.state.fault("optional-source", message, node.span, path, labels=labels, help=help)


def _report_unrun_output(context: Context, family: str, name: str, fed: Fed) -> None:
    """Report an output that is never given."""
    names = " and ".join(context.left_out)
    message = f"{fed.text} is missing without {names}, but an output must always be there"
    if name and name != fed.text:
        message = f"{fed.text}, the output {name} of {family}, is missing without {names}"
    help = f"fill it first: {{layer: Fill, from: {fed.text}, value: zeros}}, or feed {names}"
    span, labels = fed.source.span, context.uses
    context.state.fault("optional-source", message, span, family, labels=labels, help=help)
