"""Types a chain (`seq`): each item reads the result of the item before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mimgraph.infer.nodes.optional import check_item
from mimgraph.infer.nodes.sources import (
    Arguments,
    ask_item_for_port,
    item_taking,
    match,
    unknown_port,
)
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.graph import Chain, Node, Source, Take
from mimgraph.ir.typed import Sequence, TypedNode, Value

# types what a node does; chains get it as an argument, as it types chains
TypeOperation: TypeAlias = Callable[[Site, Node], TypedNode | None]


def type_chain(site: Site, chain: Chain, type_operation: TypeOperation) -> TypedNode | None:
    """Return the typed chain; behind an item of unknown type only the options are checked."""
    matched = match(site, Arguments("seq", ("input",)))
    first = matched["input"] if matched else None
    site.state.count(max(len(chain.items) - 1, 0), site.node.span)  # beside the node itself
    items: list[TypedNode] = []
    fed = first
    for item in chain.items:
        typed = _type_item(site, item, fed, type_operation)
        fed = None
        if typed is not None:
            items.append(typed)
            value = Value(item.name, typed.default or "")
            fed = Fed(value, typed.type, Source(item.name, None, item.span), item.span)
    if first is None or fed is None or fed.type is None or len(items) < len(chain.items):
        return None
    if site.take is not None:
        _report_take(site, site.take, items)
        return None
    arguments, results = {"input": first.value}, {"": fed.type}
    return TypedNode(site.node.name, Sequence(tuple(items)), arguments, results, "", site.node)


def _type_item(
    site: Site, item: Node, before: Fed | None, type_operation: TypeOperation
) -> TypedNode | None:
    """Return the typed item; None if it or its source is faulty, or if it has no default result."""
    fed: tuple[Fed, ...] | None = None
    if before is not None and before.type is not None:
        # the item's name stands for its source, in faults
        source = Source(before.text, None, item.span)
        fed = (Fed(before.value, before.type, source, before.producer),)
    path = f"{site.path}.{item.name}" if site.path else item.name
    inside = Site(site.context, item, path, fed, item.take)
    typed = type_operation(inside, item)
    if typed is None or not check_item(inside, typed):
        return None
    if typed.type is None:
        ask_item_for_port(inside, tuple(typed.results))
        return None
    return typed


def _report_take(site: Site, take: Take, items: list[TypedNode]) -> None:
    """Report `take` beside `seq`, which has one result; the port may be one of the last item's."""
    if items and take.port in items[-1].results:
        message = f"{site.node.name} has no port {take.port!r}"
        help = f"take it in the last item: {item_taking(items[-1].declared, take.port)}"
        site.fault("unknown-port", message, take.span, help=help)
        return
    help = "leave take out"
    unknown_port(site.state, site.node.name, take.port, take.span, (), site.path, help)
