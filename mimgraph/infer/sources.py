"""Resolve the sources of a node to typed values, and match them to the arguments they fill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from mimgraph.diagnostics.text import NAME_IN, SEQ, choices_of, code, put, remove, words, write
from mimgraph.infer.state import Context, Fed, Site, State
from mimgraph.ir.declared_graph import Apply, Call, Node, Share, Source
from mimgraph.ir.typed_graph import ALWAYS, NEVER, TypedNode, Value, given, weight_type
from mimgraph.ir.typed_operations import STEPS, Repeated, Sequence, Use, unwrap
from mimgraph.ir.typed_walks import weight_names
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import Op
from mimgraph.source import Span

MAX_NAMES = 1000  # weights whose names are compared with an unknown port


def resolve_all(context: Context, sources: Iterable[Source], path: str) -> tuple[Fed, ...]:
    """Return every source of a node resolved; `node.*` becomes one source for each port."""
    fed: list[Fed] = []
    for source in sources:
        if source.port != "*":
            fed.append(resolve(context, source, path))
            continue
        for one in _spread(context, source):
            group = None if one is source else source
            fed.append(resolve(context, one, path)._replace(group=group))
    return tuple(fed)


def _spread(context: Context, source: Source) -> list[Source]:
    """Return one source for each port of `node.*`, or for each member of a group that is an input;
    the source itself if it has no named ports."""
    if members := _members(context, source.name):
        return [source._replace(port=port) for port in members]
    typed = context.typed.get(source.name)
    if typed is None or "" in typed.results:
        return [source]
    return [source._replace(port=port) for port in typed.results]


def _members(context: Context, name: str) -> tuple[str, ...]:
    """Return the members of an input of a block that is fed a group, which has no input of its own."""
    if name not in context.scope.inputs or name in context.inputs or name in context.left_out:
        return ()
    return tuple([k.partition(".")[2] for k in context.inputs if k.startswith(f"{name}.")])


def resolve(context: Context, source: Source, path: str) -> Fed:
    """Return a source's value and type, None if unknown. An unknown port is reported here; an unknown
    name has been reported before."""
    if source.name in context.inputs:
        return _resolve_input(context, source, path)
    if source.name in context.left_out:
        span = context.scope.inputs[source.name].span
        value = Value(source.name, "")
        return Fed(value, context.left_out[source.name], source, span, NEVER)
    typed = context.typed.get(source.name)
    if typed is None:
        if members := _members(context, source.name):
            return _resolve_member(context, source, members, path)
        unknown = context.scope.nodes.get(source.name)
        span = unknown.span if unknown else source.span
        presence = NEVER if source.name in context.never_run else ALWAYS
        return Fed(Value(source.name, ""), None, source, span, presence)
    port = typed.default if source.port is None else source.port
    span = typed.declared.span
    if port is not None and port in typed.results and source.port != "":
        value, presence = Value(source.name, port), typed.presence_of(port)
        return Fed(value, typed.results[port], source, span, presence, typed.is_own)
    if port is None:
        ports = tuple(p for p in typed.results if p)
        ask_for_port(context.state, source.name, source.span, ports, path)
    elif (weight := weight_type(typed.operation, port)) is not None:
        return Fed(Value(source.name, port), weight, source, span, is_own=True)
    else:
        _no_such_port(context.state, typed, source, port, path)
    return Fed(Value(source.name, ""), None, source, span)


def _resolve_member(context: Context, source: Source, members: tuple[str, ...], path: str) -> Fed:
    """Return the value and type of a source that names a member of a group."""
    state, name = context.state, source.text
    declared = context.scope.inputs[source.name]
    if source.port is None:
        shown = ", ".join(put(f"{source.name}.{port}") for port in members[:3])
        help = f"write {put(f'{source.name}.*')} for all, or one of {shown}"
        message = f"{source.name} is a group here, of {len(members)} tensors"
        labels = context.uses
        state.fault("unknown-port", message, source.span, path, labels=labels, help=help)
    elif source.port in members:
        presence = given(name) if name in context.optional else ALWAYS
        return Fed(Value(name, ""), context.inputs[name], source, declared.span, presence)
    else:
        unknown_port(state, source.name, source.port, source.port_span, members, path, "")
    return Fed(Value(name, ""), None, source, declared.span)


def _resolve_input(context: Context, source: Source, path: str) -> Fed:
    """Return the value and type of a source that names an input."""
    declared = context.scope.inputs[source.name]
    node = context.scope.nodes.get(source.name)
    is_twice = (
        node is not None and node.operation is None
    )  # a node has its name: either may be meant
    type_ = None if is_twice else context.inputs[source.name]
    if source.port is not None:
        help = write(source.name)
        if context.uses and source.port == "*":
            help += f", or pass a group in each call: {code(f'from: {{{source.name}: NODE.*}}')}"
        unknown_port(context.state, source.name, source.port, source.port_span, (), path, help)
        type_ = None
    presence = given(source.name) if source.name in context.optional else ALWAYS
    return Fed(Value(source.name, ""), type_, source, declared.span, presence)


def _no_such_port(state: State, typed: TypedNode, source: Source, port: str, path: str) -> None:
    """Report a port that a node does not have; the help names a result, weight or inner node that is
    probably meant."""
    if inside := _inside(typed, port):
        message = f"{source.name} has no port {port!r}"
        state.fault("unknown-port", message, source.port_span, path, help=inside)
        return
    ports = tuple(p for p in typed.results if p)
    weights = tuple(islice(weight_names(typed.operation), MAX_NAMES))
    if state.report.nearest(port, weights):
        ports += weights
    help = write(source.name)
    unknown_port(state, source.name, port, source.port_span, ports, path, help)


def _inside(typed: TypedNode, port: str) -> str:
    """Return the help for a port that names something inside the node: a node of its block or an item
    of its seq; "" for another name."""
    match unwrap(typed.operation):
        case Repeated() if port == STEPS:
            return f"the results of all steps are kept by {code('repeat: {..., collect: true}')}"
        case Use(body, merge="") if any(node.name == port for node in body.nodes):
            return f"{port} is inside the block: {NAME_IN} {body.family}"
        case Sequence(items) if any(item.name == port for item in items):
            return f"items of a {SEQ} cannot be read from outside: make item {port} a separate node"
    return ""


def ask_for_port(
    state: State, name: str, span: Span, ports: tuple[str, ...], path: str, help: str = ""
) -> None:
    """Report a source without a port whose node has several results and no default result."""
    message = f"{name} has several results: choose a port"
    listed = [put(port, f'{name}["{port}"]') for port in ports]
    help = help or f"its ports: {', '.join(listed)}"
    state.fault("unknown-port", message, span, path, help=help)


def ask_item_for_port(site: Site, item: Node, ports: tuple[str, ...], otherwise: str) -> None:
    """Report that an item of a seq has several results, while only one is read; the help says how to
    take one, or `otherwise`."""
    rest = "..., " if item.operation is not None and any(item.operation.every_option()) else ""
    taking = code(f"{{{item_label(item)}: {{{rest}take: {ports[0]}}}}}")
    help = f"choose one of the ports {', '.join(choices_of(ports))}: {taking}; {otherwise}"
    path = f"{site.path}.{item.name}" if site.path else item.name
    ask_for_port(site.state, item_label(item), item.span, ports, path, help)


def item_label(item: Node) -> str:
    """Return the name of a seq's item in messages: its layer or block."""
    operation = item.operation
    if isinstance(operation, Apply):
        return operation.name
    return operation.block if isinstance(operation, Call) else item.name


def unknown_port(
    state: State,
    name: str,
    port: str,
    span: Span,
    ports: tuple[str, ...],
    path: str,
    if_single: str,
) -> None:
    """Report a port that does not exist; `if_single` is the help for a node with one result."""
    help = state.report.suggestion(port, ports, "its ports")
    help = help or f"its ports: {', '.join(choices_of(ports))}"
    if not ports:
        help = f"{name} has one result: {if_single}"
    state.fault("unknown-port", f"{name} has no port {port!r}", span, path, help=help)


def report_no_sources(site: Site, node: Node) -> None:
    """Report that `from` is missing, unless the node takes no sources or another fault may be the
    reason."""
    operation, memory = node.operation, site.state.memory
    if isinstance(operation, Apply):
        bound = memory.bound.get(operation)
        if bound is None or bound.faulty or bound.op.inputs.kind == "none":
            return
    if isinstance(operation, Call) and not memory.calls.get(operation, False):
        return
    help = f"write {put('from: NAME')}, an input or a node; only the items of a {SEQ} need none"
    site.fault("missing-key", f"{site.node.name} needs from", site.node.span, help=help)


# matching sources to arguments


class Arguments(NamedTuple):
    """The names of all arguments that sources fill, and of the optional ones; `owner` is the op,
    block or seq that takes them. `hint` ends the help for an argument that is missing."""

    owner: str
    keys: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    hint: str = ""


def match_op(site: Site, op: Op) -> dict[str, Fed] | None:
    """Return the sources of a layer or merge by argument; None where they do not fit."""
    spec, fed = op.inputs, site.fed
    if spec.kind == "none" and not fed:
        return {}
    if fed is not None and spec.kind == "many":
        return _match_many(site, op, fed)
    if fed is not None and spec.kind == "named":
        return _match_named(site, op, fed)
    return match(site, Arguments(op.name, spec.names, spec.optional))


def match(site: Site, wanted: Arguments) -> dict[str, Fed] | None:
    """Return the sources by argument: a list fills them in order, a mapping by name. None where they
    do not fit, which is reported."""
    fed = site.fed
    if fed is None:
        return None
    if len(fed) > len(wanted.keys) and _has_too_many(site, wanted, fed):
        return None
    found = _by_argument(site, wanted, fed)
    if found is None:
        return None
    for key in wanted.keys:
        if key not in found and key not in wanted.optional:
            _report_missing(site, wanted, key)
            return None
    return {key: found[key] for key in wanted.keys if key in found}


def _has_too_many(site: Site, wanted: Arguments, fed: tuple[Fed, ...]) -> bool:
    """Report more sources than there are arguments; return whether that is the fault."""
    owner, keys, optional, _ = wanted
    if not keys:
        help, operation = remove("from"), site.node.operation
        if isinstance(operation, Share):
            help = f"{operation.text} has no module to share: read it with {code(f'from: {operation.text}')}"
        site.fault("wrong-arity", f"{owner} takes no sources", fed[0].source.span, help=help)
        return True
    # an unknown name among them is reported as such
    if any(one.source.argument not in (None, *keys) for one in fed):
        return False
    message = f"{owner} takes {_count(len(keys), len(optional))}, not {len(fed)}"
    help = f"its sources: {', '.join(keys)}"
    if len(keys) == 1:
        on_each = words("write each instead of from", "call .each(...)")
        help = f"merge them first, or {on_each} to apply it to every one"
    site.fault("wrong-arity", message, fed[len(keys)].source.span, help=help)
    return True


def _by_argument(site: Site, wanted: Arguments, fed: tuple[Fed, ...]) -> dict[str, Fed] | None:
    """Return the sources by name or position; None if a name is unknown, which is reported."""
    found: dict[str, Fed] = {}
    is_unknown = False
    for position, one in enumerate(fed):
        argument = one.source.argument
        if argument is None:
            if position < len(wanted.keys):  # else there are too many, and an unknown name is why
                found[wanted.keys[position]] = one
        elif argument in found and one.group is not None:
            _several_for_one(site, one)
            return None
        elif argument in wanted.keys:
            found[argument] = one
        else:
            is_unknown = True
            _unknown_argument(site, wanted, argument, one.source)
    return None if is_unknown else found


def _several_for_one(site: Site, one: Fed) -> None:
    """Report a group that feeds an argument which is one tensor."""
    source = one.group or one.source
    message = f"{source.argument} is one tensor, and {source.text} is several"
    help = "choose a port, or merge them first; only an input of a block can take a group"
    site.fault("wrong-arity", message, source.span, help=help)


def _report_missing(site: Site, wanted: Arguments, missing: str) -> None:
    """Report the first argument that must be given and is not."""
    message, help = (
        f"{wanted.owner} needs a source",
        f"write {put('from: NAME')}, an input or a node",
    )
    if len(wanted.keys) > 1:
        message += f" {missing!r}"
        needed = ", ".join(f"{key}: ..." for key in wanted.keys if key not in wanted.optional)
        help = f"write {code(f'from: {{{needed}}}')}"
        if missing != wanted.keys[0]:
            help += wanted.hint.format(missing)
    site.fault("wrong-arity", message, site.node.span, help=help)


def _unknown_argument(site: Site, wanted: Arguments, argument: str, source: Source) -> None:
    """Report a name in `from` that is not an argument."""
    known = f"its sources: {', '.join(choices_of(wanted.keys))}"
    help = site.state.report.suggestion(argument, wanted.keys, "its sources") or known
    span = source.argument_span or source.span
    site.fault("unknown-key", f"{wanted.owner} takes no source {argument!r}", span, help=help)


def _match_many(site: Site, op: Op, fed: tuple[Fed, ...]) -> dict[str, Fed] | None:
    """Return a list of sources by position; a mapping of them is reported."""
    for one in fed:
        if one.source.argument is not None:
            span = one.source.argument_span or one.source.span
            listed = ", ".join(each.text for each in fed)
            help = write(f"from: [{listed}]")
            site.fault("unknown-key", f"{op.name} takes a list of sources", span, help=help)
            return None
    return {str(index): one for index, one in enumerate(fed)}


def _match_named(site: Site, op: Op, fed: tuple[Fed, ...]) -> dict[str, Fed] | None:
    """Return sources by the names that `from` gives them, or by their own."""
    found: dict[str, Fed] = {}
    for one in fed:
        name = one.source.argument or one.source.name
        if name in found:
            message = f"{op.name} has two sources called {name}"
            help = f"give each a name: {code('from: {a: ..., b: ...}')}"
            site.fault("wrong-arity", message, one.source.span, help=help)
            return None
        found[name] = one
    return found


def known_types(fed: Mapping[str, Fed]) -> dict[str, TensorType] | None:
    """Return the type of every source; None if one is unknown."""
    types = {key: one.type for key, one in fed.items() if one.type is not None}
    return types if len(types) == len(fed) else None


def _count(most: int, optional: int) -> str:
    """Return how many sources there may be, in words: `2 sources`, `1 to 3 sources`."""
    least = most - optional
    plural = "source" if most == 1 else "sources"
    return f"{most} {plural}" if least == most else f"{least} to {most} sources"
