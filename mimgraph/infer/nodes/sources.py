"""What the sources of a node mean: values with types, matched to the arguments they fill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from mimgraph.infer.scope import Context, Fed, Site, State
from mimgraph.ir.graph import Apply, Call, Node, Share, Source
from mimgraph.ir.presence import ALWAYS, given
from mimgraph.ir.typed import Sequence, TypedNode, Use, Value, unwrap, weight_type
from mimgraph.ir.types import TensorType
from mimgraph.ir.walks import weight_names
from mimgraph.ops.op import Op
from mimgraph.source import Span

MAX_NAMES = 1000  # learned tensors among which the one that was meant is looked for


def feed(state: State, context: Context, sources: Iterable[Source], path: str) -> tuple[Fed, ...]:
    """Every source of a node resolved, `.*` spread out."""
    fed: list[Fed] = []
    for source in sources:
        for one in (source,) if source.port != "*" else _spread(context, source):
            fed.append(resolve(state, context, one, path))
    return tuple(fed)


def _spread(context: Context, source: Source) -> list[Source]:
    """`node.*` as one source for each port."""
    typed = context.typed.get(source.name)
    if typed is None or "" in typed.results:
        return [source]
    return [source._replace(port=port) for port in typed.results]


def resolve(state: State, context: Context, source: Source, path: str) -> Fed:
    """A source's value and type; a port that is not there is reported, a name is already."""
    if source.name in context.inputs:
        declared = context.scope.inputs[source.name]
        node = context.scope.nodes.get(source.name)
        is_twice = node is not None and node.operation is None  # either may be meant
        type_ = None if is_twice else context.inputs[source.name]
        if source.port is not None:
            unknown_port(state, source.name, source.port, source.port_span, (), path)
            type_ = None
        presence = given(source.name) if source.name in context.optional else ALWAYS
        return Fed(Value(source.name, ""), type_, source, declared.span, presence)
    typed = context.typed.get(source.name)
    if typed is None:
        unknown = context.scope.nodes.get(source.name)
        return Fed(Value(source.name, ""), None, source, unknown.span if unknown else source.span)
    port = typed.default if source.port is None else source.port
    span = typed.declared.span
    if port is not None and port in typed.results and source.port != "":
        value, presence = Value(source.name, port), typed.presence_of(port)
        return Fed(value, typed.results[port], source, span, presence, typed.is_own)
    if port is None:
        ports = tuple(p for p in typed.results if p)
        ask_for_port(state, source.name, source.span, ports, path)
    elif (weight := weight_type(typed.operation, port)) is not None:
        return Fed(Value(source.name, port), weight, source, span, is_own=True)
    else:
        _no_such_port(state, typed, source, port, path)
    return Fed(Value(source.name, ""), None, source, span)


def _no_such_port(state: State, typed: TypedNode, source: Source, port: str, path: str) -> None:
    """Report a port that a node does not have, and name the result, weight or inner node that may
    be meant."""
    if inside := _inside(typed, port):
        message = f"{source.name} has no port {port!r}"
        state.fault("unknown-port", message, source.port_span, path, help=inside)
        return
    ports = tuple(p for p in typed.results if p)
    weights = tuple(islice(weight_names(typed.operation), MAX_NAMES))
    if state.report.nearest(port, weights):
        ports += weights
    unknown_port(state, source.name, port, source.port_span, ports, path)


def _inside(typed: TypedNode, port: str) -> str:
    """Return how to read something inside of a node: a node of its block, an item of its seq, or a
    port of its last item; "" if nothing there has the name."""
    match unwrap(typed.operation):
        case Sequence((*_, last)) if port in last.results:
            return f"take it in the last item: {item_taking(last.declared, port)}"
        case Use(body, merge="") if any(node.name == port for node in body.nodes):
            return f"{port} is inside the block: name it in the outputs of {body.family}"
        case Sequence(items) if any(item.name == port for item in items):
            return f"what is inside a seq has no name outside: make item {port} a node of its own"
    return ""


def ask_for_port(
    state: State, name: str, span: Span, ports: tuple[str, ...], path: str, help: str = ""
) -> None:
    """Report that of several results none is the default."""
    message = f"{name} has several results, say which"
    help = help or f"its ports: {', '.join(ports)}"
    state.fault("unknown-port", message, span, path, help=help)


def ask_item_for_port(state: State, item: Node, ports: tuple[str, ...], path: str) -> None:
    """Report that an item of a seq has several results, of which only one can be handed on."""
    help = f"choose one of the ports {', '.join(ports)}: {item_taking(item, ports[0])}"
    help += "; to use several, make it a node of its own"
    ask_for_port(state, item_label(item), item.span, ports, path, help)


def item_taking(item: Node, port: str) -> str:
    """Return an item of a seq, written so that it hands on this one of its results."""
    operation = item.operation
    rest = ""
    if isinstance(operation, Apply):
        rest = "..., " if operation.options or operation.lone else ""
    elif isinstance(operation, Call):
        rest = "..., " if operation.params or operation.lone or operation.repeat else ""
    return f"{{{item_label(item)}: {{{rest}take: {port}}}}}"


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
    taken: bool = False,
) -> None:
    """Report a port that is not there, of a source or `taken` by the node itself."""
    help = state.report.suggestion(port, ports, "its ports") or f"its ports: {', '.join(ports)}"
    if not ports:
        help = "leave take out" if taken else f"write {name}"
        help = f"{name} has one result: {help}"
    state.fault("unknown-port", f"{name} has no port {port!r}", span, path, help=help)


def match_op(state: State, site: Site, op: Op) -> dict[str, Fed] | None:
    """The sources of a layer or merge by operand key; None where they do not fit."""
    spec, fed = op.inputs, site.fed
    if spec.kind == "one" and fed is not None and len(fed) == 1 and not fed[0].source.argument:
        return {spec.names[0]: fed[0]}  # as of most
    if spec.kind == "none" and not fed:
        return {}
    if fed is not None and spec.kind == "many":
        return _match_many(state, site, op, fed)
    if fed is not None and spec.kind == "named":
        return _match_named(state, site, op, fed)
    return match(state, site, op.name, spec.names, spec.optional)


def match(
    state: State, site: Site, name: str, keys: tuple[str, ...], optional: frozenset[str]
) -> dict[str, Fed] | None:
    """Sources by the argument they fill: a list in order, a mapping by name."""
    fed = site.fed
    if fed is None:
        return None
    if len(fed) == len(keys) == 1 and fed[0].source.argument is None:  # as of most
        return {keys[0]: fed[0]}
    named = (one.source.argument for one in fed)
    if fed and not keys:
        help, operation = "leave from out", site.node.operation
        if isinstance(operation, Share):
            help = f"{operation.text} has no module to share: read it with from: {operation.text}"
        state.fault(
            "wrong-arity", f"{name} takes no sources", fed[0].source.span, site.path, help=help
        )
        return None
    if len(fed) > len(keys) and all(name in (None, *keys) for name in named):
        message = f"{name} takes {_count(len(keys), len(optional))}, not {len(fed)}"
        help = f"its sources: {', '.join(keys)}"
        if len(keys) == 1:
            help = "merge them first, or write each in place of from to apply it to every one"
        state.fault("wrong-arity", message, fed[len(keys)].source.span, site.path, help=help)
        return None
    found: dict[str, Fed] = {}
    unknown = False
    for position, one in enumerate(fed):
        argument = one.source.argument
        if argument is None:
            found[keys[min(position, len(keys) - 1)]] = one
        elif argument in keys:
            found[argument] = one
        else:
            unknown = True
            _unknown_argument(state, site, name, argument, one.source, keys)
    if unknown:
        return None
    missing = [key for key in keys if key not in found and key not in optional]
    if missing:
        message = f"{name} needs a source"
        help = "write from: NAME, an input or a node"
        if len(keys) > 1:
            message += f" {missing[0]!r}"
            written = ", ".join(f"{key}: ..." for key in keys if key not in optional)
            help = f"write from: {{{written}}}"
        state.fault("wrong-arity", message, site.node.span, site.path, help=help)
        return None
    return {key: found[key] for key in keys if key in found}


def _unknown_argument(
    state: State, site: Site, name: str, argument: str, source: Source, keys: tuple[str, ...]
) -> None:
    help = (
        state.report.suggestion(argument, keys, "its sources") or f"its sources: {', '.join(keys)}"
    )
    span = source.argument_span or source.span
    message = f"{name} takes no source {argument!r}"
    state.fault("unknown-key", message, span, site.path, help=help)


def _match_many(state: State, site: Site, op: Op, fed: tuple[Fed, ...]) -> dict[str, Fed] | None:
    """A list of any length; names have no place in it."""
    for one in fed:
        if one.source.argument is not None:
            span = one.source.argument_span or one.source.span
            message = f"{op.name} takes a list of sources"
            help = f"write from: [{', '.join(each.text for each in fed)}]"
            state.fault("unknown-key", message, span, site.path, help=help)
            return None
    return {str(index): one for index, one in enumerate(fed)}


def _match_named(state: State, site: Site, op: Op, fed: tuple[Fed, ...]) -> dict[str, Fed] | None:
    """Sources by the names that they are given, or by their own."""
    found: dict[str, Fed] = {}
    for one in fed:
        name = one.source.argument or one.source.name
        if name in found:
            message = f"{op.name} has two sources called {name}"
            help = "give each a name: from: {a: ..., b: ...}"
            state.fault("wrong-arity", message, one.source.span, site.path, help=help)
            return None
        found[name] = one
    return found


def known_types(fed: Mapping[str, Fed]) -> dict[str, TensorType] | None:
    """The type of every source; None if one is unknown."""
    types = {key: one.type for key, one in fed.items() if one.type is not None}
    return types if len(types) == len(fed) else None


def _count(most: int, optional: int) -> str:
    least = most - optional
    plural = "source" if most == 1 else "sources"
    return f"{most} {plural}" if least == most else f"{least} to {most} sources"
