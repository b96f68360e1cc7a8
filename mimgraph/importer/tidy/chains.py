"""Make a chain of the body of an `nn.Sequential`."""

from __future__ import annotations

from torch import nn

from mimgraph.importer.draft import Body, Input, Node, Op, Seq, Use


def make_chains(body: Body) -> None:
    """Turn the body of a Sequential into a chain; plain ones become a `seq` of the node that uses them."""
    if body.call is not None and body.call.path and _is_sequential(body):
        body.is_chain = True
        items = body.nodes
        body.family = _family(body)
        chain = Node("", Seq(items), [one._replace(argument=None) for one in items[0].sources])
        for item in items:
            item.sources = []
        body.nodes = [chain]
        body.outputs[0].port = body.outputs[0].port._replace(node=chain)
    for node in body.nodes:
        _inline(node)


def _family(body: Body) -> str:
    """Return the name of a chain; that of a plain Sequential of modules of one class is theirs."""
    assert body.call is not None
    families = {one.operation.body.family for one in body.nodes if isinstance(one.operation, Use)}
    if type(body.call.module) is nn.Sequential and len(families) == 1:
        return f"{families.pop()}_stage"
    return body.family


def _inline(node: Node) -> None:
    """Write a plain Sequential out where it is used; inside another chain it stays a block."""
    match node.operation:
        case Use(body) if body.is_chain and body.call and type(body.call.module) is nn.Sequential:
            node.operation = body.nodes[0].operation
            node.sources = [one._replace(argument=None) for one in node.sources]


def _is_sequential(body: Body) -> bool:
    """Return whether each node reads the one before alone, under the keys 0, 1, ... of a Sequential."""
    module = body.call.module if body.call else None
    if not isinstance(module, nn.Sequential) or type(module).forward is not nn.Sequential.forward:
        return False
    if len(body.inputs) != 1 or len(body.outputs) != 1 or len(body.nodes) != len(module):
        return False
    before: Input | Node = body.inputs[0]
    for index, node in enumerate(body.nodes):
        op = node.operation
        plain = isinstance(op, Use) or (isinstance(op, Op) and op.kind == "layer")
        reads = [one.port for one in node.sources]
        if node.attribute != str(index) or not plain or len(reads) != 1:
            return False
        if reads[0].node is not before or reads[0].name or len(body.readers(before)) != 1:
            return False
        before = node
    return body.outputs[0].port.node is before and not body.outputs[0].port.name
