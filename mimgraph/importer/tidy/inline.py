"""Write a module without weights of one operation where it is used."""

from __future__ import annotations

from mimgraph.importer.draft import Body, Input, Node, Op, Seq, Source, Use
from mimgraph.importer.tidy.stateless import is_stateless


def inline_operations(body: Body) -> None:
    """Put the only node of a module without weights in the place of the module."""
    for node in body.nodes:
        if isinstance(node.operation, Seq):
            for item in node.operation.items:
                _inline_item(item)
        elif isinstance(node.operation, Use):
            _inline(node, node.operation.body)


def _inline(node: Node, inner: Body) -> None:
    only = _only_node(inner)
    if only is None:
        return
    given = {one.argument: one for one in node.sources}
    sources = list[Source]()
    for one in only.sources:
        assert isinstance(one.port.node, Input)
        found = given.get(one.port.node.name)
        if found is None:
            return
        sources.append(Source(found.port, one.argument))
    node.operation, node.sources = only.operation, sources
    node.name = node.attribute.rpartition(".")[2] or node.name
    node.attribute = ""
    node.place, node.maker = only.place, only.maker


def _inline_item(item: Node) -> None:
    """Put a layer of one source in the place of an item of a chain."""
    only = _only_node(item.operation.body) if isinstance(item.operation, Use) else None
    if only is not None and isinstance(only.operation, Op) and only.operation.kind == "layer":
        item.operation = only.operation


def _only_node(body: Body) -> Node | None:
    """Return the node of a body that has only one, without weights; None if it has others."""
    if len(body.nodes) != 1 or len(body.outputs) != 1 or body.is_chain:
        return None
    only = body.nodes[0]
    plain = body.outputs[0].port == (only, "") and not only.take and only.over is None
    return only if plain and is_stateless(only) and not isinstance(only.operation, Use) else None
