"""Type a chain (`seq`): each item reads the result of the item before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from mimgraph.infer.evaluation import decide
from mimgraph.infer.nodes.optional import check_item
from mimgraph.infer.nodes.sources import (
    Arguments,
    ask_item_for_port,
    item_label,
    item_taking,
    match,
    unknown_port,
)
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.graph import Chain, Node, Source, Take
from mimgraph.ir.typed import Sequence, TypedNode, Value
from mimgraph.ir.walks import used_bodies

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
    for item in chain.items:
        # the item's name stands for its source, in faults
        source = Source(text, None, item.span)
        fed = None if type_ is None else (Fed(value, type_, source, producer),)
        typed = _type_item(site, item, fed, type_operation)
        type_ = None
        if typed is not None:
            items.append(typed)
            type_, text, producer = typed.type, item.name, item.span
            value = Value(item.name, typed.default or "")
    if first is None or type_ is None or len(items) < len(chain.items):
        return None
    if site.take is not None:
        _report_take(site, site.take, items)
        return None
    arguments, results = {"input": first.value}, {"": type_}
    return TypedNode(site.node.name, Sequence(tuple(items)), arguments, results, "", site.node)


def _type_item(
    site: Site, item: Node, fed: tuple[Fed] | None, type_operation: TypeOperation
) -> TypedNode | None:
    """Return the typed item; None if it or its source is faulty, or if it has no default result."""
    path = f"{site.path}.{item.name}" if site.path else item.name
    inside = Site(site.context, item, path, fed, item.take)
    freezes = decide("freeze", item.freeze, inside.evaluation)
    typed = type_operation(inside, item)
    if typed is None or not check_item(inside, typed):
        return None
    borrowed = [name for body in used_bodies(typed.operation) for name in body.borrowed]
    if borrowed:
        message = f"{item_label(item)} shares {borrowed[0]}, which a seq cannot hand to its items"
        help = f"make {item_label(item)} a node of its own"
        inside.fault("bad-option", message, item.span, help=help)
        return None
    if typed.type is None:
        ask_item_for_port(inside, tuple(typed.results))
        return None
    return replace(typed, freeze=True) if freezes else typed


def _report_take(site: Site, take: Take, items: list[TypedNode]) -> None:
    """Report `take` beside `seq`, which has one result; the port may be one of the last item's."""
    if items and take.port in items[-1].results:
        message = f"{site.node.name} has no port {take.port!r}"
        help = f"take it in the last item: {item_taking(items[-1].declared, take.port)}"
        site.fault("unknown-port", message, take.span, help=help)
        return
    help = "leave take out"
    unknown_port(site.state, site.node.name, take.port, take.span, (), site.path, help)
