"""Type a chain (`seq`): each item reads the result of the item before, and the last has its ports."""

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
    match,
    unknown_port,
)
from mimgraph.infer.nodes.training import trained
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.declared.graph import Node, Source, Take
from mimgraph.ir.declared.operations import Chain
from mimgraph.ir.typed.graph import TypedNode, Value
from mimgraph.ir.typed.operations import Leaf, Sequence
from mimgraph.ir.typed.walks import used_bodies

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
