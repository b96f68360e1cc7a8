"""Write small modules out where they are used, where the keys of weights may change."""

from __future__ import annotations

import re
from collections import Counter

from torch import nn

from mimgraph.importer.draft import Body, Input, Node, Port, Share, Source, Use, inner_nodes

MOST_NODES = 3  # of a module that is written out, if its body uses no other of its class

_NUMBERED = re.compile(r".+\.(\d+)")


def inline_wrappers(body: Body) -> None:
    """Put the nodes of a small module, of one that only runs one ModuleList, or of a Sequential of
    named modules, in the place of the module."""
    used = [one.operation.body for one in inner_nodes(body.nodes) if isinstance(one.operation, Use)]
    families = Counter(one.family for one in used)
    for node in [*body.nodes]:
        inner = node.operation.body if isinstance(node.operation, Use) else None
        if inner is None or not _is_plain(inner) or _is_shared(body, node):
            continue
        is_small = len(inner.nodes) <= MOST_NODES and families[inner.family] == 1
        if is_small or _is_wrapper(inner):
            _inline(body, node, inner)


def _is_plain(inner: Body) -> bool:
    """Return whether a body has one result that one of its nodes computes."""
    one_result = len(inner.outputs) == 1 and isinstance(inner.outputs[0].port.node, Node)
    return one_result and not inner.is_chain and inner.call is not None


def _is_wrapper(inner: Body) -> bool:
    lists = {one.attribute.rpartition(".")[0] for one in inner.nodes}
    numbered = all(_NUMBERED.fullmatch(one.attribute) for one in inner.nodes)
    one_list = numbered and len(lists) == 1
    one_block = len(inner.nodes) == 1 and isinstance(inner.nodes[0].operation, Use)
    return one_list or one_block or type(inner.call and inner.call.module) is nn.Sequential


def _is_shared(body: Body, node: Node) -> bool:
    """Return whether another node runs the module again, or reads a weight inside it."""
    shared = any(
        isinstance(one.operation, Share) and one.operation.target is node for one in body.nodes
    )
    return shared or any(one.name for read in body.nodes for one in read.reads if one.node is node)


def _inline(body: Body, node: Node, inner: Body) -> None:
    given = {one.argument: one.port for one in node.sources}
    if len(node.sources) == 1:
        given[inner.inputs[0].name] = node.sources[0].port
    if any(one.name not in given for one in inner.inputs):
        return

    def outer(source: Source) -> Source:
        port = source.port
        return (
            source._replace(port=given[port.node.name]) if isinstance(port.node, Input) else source
        )

    for one in inner.nodes:
        one.sources = [outer(source) for source in one.sources]
        numbered = _NUMBERED.fullmatch(one.attribute)
        if numbered and node.attribute:
            one.attribute = f"{node.attribute}.{numbered[1]}"
        elif node.attribute and one.attribute:
            alone = sum(bool(other.attribute) for other in inner.nodes) == 1
            one.attribute = node.attribute if alone else f"{node.attribute}_{one.attribute}"
    last = inner.outputs[0].port
    index = body.nodes.index(node)
    body.nodes[index : index + 1] = inner.nodes
    body.replace(node, Port(last.node, last.name))
