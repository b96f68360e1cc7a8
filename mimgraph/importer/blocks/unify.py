"""Find equal bodies, bottom up, and make one block of each kind."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from mimgraph.importer.draft import Body, Node, Op, Port, Seq, Share, Use, used_bodies
from mimgraph.importer.draft import inner_nodes as every_node
from mimgraph.ir.names import free_name


def make_blocks(root: Body) -> dict[str, Body]:
    """Return a body for each block by its key, those that others use first; uses get the keys."""
    keys: dict[Hashable, str] = {}
    blocks: dict[str, Body] = {}
    for body in used_bodies(root):
        if body is not root:
            content = content_of(body)
            if content not in keys:
                keys[content] = free_name(body.family, blocks)
                blocks[keys[content]] = body
            body.family = keys[content]
        for node in every_node(body.nodes):
            if isinstance(node.operation, Use):
                node.operation.block = node.operation.body.family
    return blocks


def content_of(body: Body) -> Hashable:
    """Return what two bodies have in common if they are one block."""
    numbers: dict[int, int] = {id(one): index for index, one in enumerate(body.inputs)}
    for node in body.nodes:
        numbers[id(node)] = len(numbers)

    def port(one: Port) -> Hashable:
        return (numbers[id(one.node)], one.name)

    def of_node(node: Node) -> Hashable:
        sources = tuple((one.argument, port(one.port)) for one in node.sources)
        return (node.name, sources, operation(node), node.take, node.over, node.freeze)

    def operation(node: Node) -> Hashable:
        match node.operation:
            case Op(kind, name, options, activation):
                return ("op", kind, name, frozen(options), frozen(activation))
            case Seq(items):
                return ("seq", *((item.name, operation(item)) for item in items))
            case Use(used, arguments, _, repeat):
                more = (
                    None if repeat is None else (repeat.times, frozen(repeat.each), repeat.shared)
                )
                return ("use", used.family, frozen(arguments), more)
            case Share(target):
                return ("share", numbers[id(target)])

    inputs = tuple((one.name, one.pattern, one.optional) for one in body.inputs)
    outputs = tuple((one.name, port(one.port)) for one in body.outputs)
    return (inputs, tuple(map(of_node, body.nodes)), outputs, body.is_chain)


def frozen(value: Any) -> Hashable:
    """Return a hashable that tells plain data apart, 1 from 1.0 and True too."""
    if isinstance(value, dict):
        return tuple((key, frozen(one)) for key, one in sorted(value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    return (type(value).__name__, value)
