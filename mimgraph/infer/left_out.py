"""Type the nodes that read an input which a use of their block leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from mimgraph.diagnostics import Report
from mimgraph.infer.apply import bind_op, finish, with_known_sources
from mimgraph.infer.block_inputs import optional_input
from mimgraph.infer.options import Bound, values
from mimgraph.infer.presence import fill_help, needed, report_missing, with_presence
from mimgraph.infer.sources import match_op
from mimgraph.infer.state import Context, Fed, Site
from mimgraph.ir.code import Operand
from mimgraph.ir.declared_graph import Apply, Call, Node, Scan
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.typed_graph import ALWAYS, NEVER, TypedNode, borrowed_by
from mimgraph.ir.typed_operations import Leaf


class GivenSources(NamedTuple):
    """The site of a node with the sources that are given; None if it does not run on them. `skips` is
    the merge that skips the others."""

    site: Site | None
    skips: Bound | None = None


def given_sources(site: Site, node: Node) -> GivenSources | None:
    """Return what a node of which a source is never given runs on; None after reporting a source that
    it needs beside those that are given."""
    if isinstance(node.operation, Apply):
        return _given_to_op(site, node.operation)
    if isinstance(node.operation, Call):
        return GivenSources(_given_to_call(site, node.operation))
    return GivenSources(None)  # a chain runs on one source


def as_if_given(site: Site) -> Site | None:
    """Return the site in a state without faults, with all sources given; None if one is unknown."""
    if any(one.type is None for one in site.fed or ()):
        return None
    fed = tuple(one._replace(presence=ALWAYS) for one in site.fed or ())
    context = site.context
    state = replace(context.state, report=Report(), constraints={}, is_unrun=True)
    state.budget = context.state.budget  # else nested blocks could take very long
    inputs = {**context.inputs, **context.left_out}
    context = replace(context, state=state, inputs=inputs, left_out={})
    return site._replace(context=context, fed=fed)


# layers and merges


def _given_to_op(site: Site, apply: Apply) -> GivenSources | None:
    """Return the sources of a layer or merge that are given; None after a report."""
    bound = bind_op(site.state, apply, site.node.span, site.evaluation)
    if bound is not None and bound.op.options_decide:
        bound = with_known_sources(site, bound, values(bound, site.evaluation))
    fed = None if bound is None else match_op(site, bound.op)
    if bound is None or fed is None:
        return None
    if bound.op.name == "Fill" and fed["input"].presence == NEVER:  # it always gives its value
        source = fed["input"]
        alone = source._replace(source=source.source._replace(argument=None))
        return GivenSources(site._replace(fed=(alone,))) if _is_shape_known(site, source) else None
    skips, sources = _skips(site, bound), needed(bound.op, fed)
    never = [one for one in sources if one.presence == NEVER]
    first = sources[:1] if bound.op.kind == "layer" else sources
    has_own = skips and any(one.is_own for one in fed.values())
    if not has_own and all(one.presence == NEVER for one in first):
        return GivenSources(None)
    if never and not skips:
        report_missing(site, bound.op.name, never[0])
        return None
    is_named = bound.op.inputs.kind != "many" and len(fed) > 1
    given = tuple(
        one._replace(source=one.source._replace(argument=key if is_named else None))
        for key, one in fed.items()
        if one.presence != NEVER
    )
    return GivenSources(site._replace(fed=given), bound if skips else None)


def _is_shape_known(site: Site, source: Fed) -> bool:
    """Return whether the shape of the source of a `Fill` is known; report it if not."""
    if source.type is not None:
        return True
    names = " and ".join(site.context.left_out)
    message = f"the shape of {source.text} is unknown, as {names} is left out"
    help = f"declare the input of the block: {optional_input(names)}"
    labels = site.context.uses
    site.fault("optional-source", message, source.source.span, labels=labels, help=help)
    return False


def skipped_to_one(site: Site, bound: Bound) -> TypedNode | None:
    """Return a merge that skips all sources but one, which is its result."""
    (source,) = site.fed or ()
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


def _skips(site: Site, bound: Bound) -> bool:
    """Return whether a merge has `missing: skip`."""
    options = values(bound, site.evaluation) if "missing" in bound.op.options else None
    return options is not None and options.by_name["missing"] == "skip"


def _given_to_call(site: Site, call: Call) -> Site | None:
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
        if typed.presence == NEVER:
            found[name] = _only_module(typed)
        else:
            found[name] = _without_unrun_items(_filled(context, typed))
        before = (value.name for value in found[name].arguments.values())
        for one in (*before, *borrowed_by(found[name].operation)):
            readers.setdefault(one.partition(".")[0], name)
    return found


def _filled(context: Context, typed: TypedNode) -> TypedNode:
    """Return a `Fill` whose source is never given as its constant value; another node as it is."""
    leaf, value = typed.operation, typed.arguments.get("input")
    if not isinstance(leaf, Leaf) or leaf.lowering.fallback is None or value is None:
        return typed
    made = context.typed.get(value.name)
    presence = ALWAYS if made is None else made.presence_of(value.port)
    if presence != NEVER and value.name not in context.left_out:
        return typed
    lowering = replace(leaf.lowering, call=leaf.lowering.fallback, fallback=None, makes=None)
    return replace(typed, operation=replace(leaf, lowering=lowering), arguments={})


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
    help = f"connect {names}, or make {reader} the node that has the weights, and share that"
    labels, path = context.uses, context.path + reader
    context.state.fault("optional-source", message, node.span, path, labels=labels, help=help)


def _report_unrun_output(context: Context, family: str, name: str, fed: Fed) -> None:
    """Report an output that is never given."""
    names = " and ".join(context.left_out)
    message = f"{fed.text} is missing without {names}, but an output must always be there"
    if name and name != fed.text:
        message = f"{fed.text}, the output {name} of {family}, is missing without {names}"
    help = f"{fill_help(fed)}, or connect {names}"
    span, labels = fed.source.span, context.uses
    context.state.fault("optional-source", message, span, family, labels=labels, help=help)
