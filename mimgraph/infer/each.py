"""Type an `each`: one operation applied to every source, with an item and a port for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.text import code, put, words
from mimgraph.infer.blocks import whole_number
from mimgraph.infer.evaluation import compute
from mimgraph.infer.options import given_twice
from mimgraph.infer.state import Context, Fed, Site, State
from mimgraph.ir.declared_graph import AppliedOperation, Each, Node, Operation, Share, Source
from mimgraph.ir.names import port_fault
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.typed_operations import Each as TypedEach


def item_sources(
    context: Context, node: Node, each: Each, fed: tuple[Fed, ...], path: str
) -> dict[str, Fed] | None:
    """Return the source of each item by the name of its port; None if they are wrong."""
    state = context.state
    if not fed:
        is_wrong: DiagnosticCode = "wrong-arity" if each.times is None else "missing-key"
        what, help = "a source", f"write {code('each: [...]')}, a list of inputs and nodes"
        if each.times is not None:
            what, help = "from", f"write {put('from: NAME')}, an input or a node"
        state.fault(is_wrong, f"{node.name} needs {what}", node.span, path, help=help)
        return None
    if each.times is None:
        return by_port(state, fed, path)
    site = Site(context, node, path, fed, node.take)
    number = whole_number(site, each.times, "each", compute(each.times.value, site.evaluation))
    if len(fed) > 1:
        message = f"{node.name} makes copies on one source, not on {len(fed)}"
        help = f"merge them first, or {words('write each: [...]', 'call .each(...)')} to apply it to every one"
        state.fault("wrong-arity", message, fed[1].source.span, path, help=help)
        return None
    return None if number is None else dict.fromkeys(map(str, range(number)), fed[0])


def sharing_item(context: Context, operation: AppliedOperation, port: str) -> AppliedOperation:
    """Return the operation of an item; in a share of a whole `each`, it shares the item of the same
    name."""
    if not isinstance(operation, Share) or operation.item is not None:
        return operation
    scope = context.scope_of(operation.target)
    target = None if scope is None else scope.scope.nodes[operation.target]
    if target is None or not isinstance(target.operation, Each) or target.operation.shared:
        return operation
    return replace(operation, item=port)


def typed_each(node: Node, each: Each, items: tuple[TypedNode, ...]) -> TypedNode:
    """Return the node of typed items."""
    return TypedNode(
        node.name,
        TypedEach(items, counted=each.times is not None, one_module=each.shared),
        arguments={item.name: next(iter(item.arguments.values())) for item in items},
        results={item.name: item.type for item in items if item.type is not None},
        default=None,
        declared=node,
        presences={item.name: item.presence_of(item.default or "") for item in items},
        is_own=all(item.is_own for item in items),
    )


# ports


def port_of(source: Source) -> str:
    """Return the name of a source's port: the name that `each` gives it, or the last part of its
    own."""
    own = (source.port or source.name).rpartition(".")[2]
    return own if source.argument is None else source.argument


def by_port(state: State, fed: Iterable[Fed], path: str) -> dict[str, Fed] | None:
    """Return the sources by the names of their ports; None if a name is bad or given twice."""
    fed = tuple(fed)
    if any(one.source.port == "*" for one in fed):  # its node is faulty
        return None
    found: dict[str, Fed] = {}
    before = len(state.report.diagnostics)
    for one in fed:
        name = port_of(one.source)
        span = one.source.argument_span or one.source.span
        is_named = one.source.argument is not None or one.type is not None  # else it is unknown
        if name in found:
            first = found[name].source
            message = f"{name} is the name of two ports"
            labels = (Label(first.argument_span or first.span, "first given here"),)
            help = f"name the ports: {code('each: {a: ..., b: ...}')}"
            state.fault("duplicate-name", message, span, path, labels=labels, help=help)
        elif is_named and (reason := port_fault(name)) is not None:
            message = f"{name!r} cannot be the name of a port"
            state.fault("bad-name", message, span, path, help=reason)
        else:
            found[name] = one._replace(source=one.source._replace(argument=None))
    return found if len(state.report.diagnostics) == before else None


# options


def given_to_item(each: Each, columns: Mapping[str, list[Any]], index: int) -> AppliedOperation:
    """Return the operation for the source number `index`, with the options that `with` gives it."""
    own = {
        name: each.options[name]._replace(
            value=column[index], span=each.options[name].item(index), in_with=True
        )
        for name, column in columns.items()
    }
    if not own:
        return each.operation
    return each.operation.with_named({**each.operation.named, **own})


def check_text(state: State, operation: Operation, path: str) -> AppliedOperation:
    """Return the operation whose text can be checked without types: for an `each`, the operation
    that it applies, with the first value of each list in `with`; for another operation, itself."""
    if not isinstance(operation, Each):
        return operation
    given_twice(operation.operation.named, operation.options, state.report, path)
    values = {name: option.value for name, option in operation.options.items()}
    written = {name: value for name, value in values.items() if isinstance(value, list) and value}
    return given_to_item(operation, written, 0)
