"""Make a chain of the body of an `nn.Sequential`."""

from __future__ import annotations

from torch import nn

from mimgraph.importer.draft import Body, Input, Node, Op, Seq, Use


def make_chains(body: Body) -> None:
    """Turn the body of a Sequential into a chain; plain ones become a `seq` of the node that uses them."""
    if body.call is not None and body.call.path and _is_sequential(body):
        body.is_chain = True
        body.family = _family(body)
        _join(body, "")
    elif body.call is not None and type(body.call.module) is nn.Sequential:
        name = body.call.path.rpartition(".")[2]
        body.family = name if name.isidentifier() else body.family
    for node in body.nodes:
        _inline(node)


def chain_model(body: Body) -> None:
    """Make one node of a model that is a Sequential itself: `layers: {from: x, seq: [...]}`."""
    if body.call is not None and not body.call.path and _is_sequential(body):
        _join(body, "layers")


def _join(body: Body, name: str) -> None:
    """Make the nodes of a body one chain of this name."""
    items = body.nodes
    chain = Node(name, Seq(items), [one._replace(argument=None) for one in items[0].sources])
    for item in items:
        item.sources = []
    body.nodes = [chain]
    body.outputs[0].port = body.outputs[0].port._replace(node=chain)


def _family(body: Body) -> str:
    """Return the name of a chain; that of a plain Sequential of modules of one class is theirs."""
    assert body.call is not None
    families = {one.operation.body.family for one in body.nodes if isinstance(one.operation, Use)}
    if _is_plain(body.call.module) and len(families) == 1:
        return f"{families.pop()}_stage"
    return body.family


def _inline(node: Node) -> None:
    """Write a plain Sequential out where it is used; inside another chain it stays a block."""
    match node.operation:
        case Use(body) if body.is_chain and body.call and _is_plain(body.call.module):
            node.operation = body.nodes[0].operation
            node.sources = [one._replace(argument=None) for one in node.sources]


def _is_plain(module: nn.Module) -> bool:
    """Return whether a chain has no class of the user's."""
    return type(module) is nn.Sequential or _is_exported(module)


def _is_exported(module: nn.Module) -> bool:
    """Return whether a module is from an exported program, which has no classes of the user's."""
    return type(module).__module__.startswith("torch.export")


def _runs_in_order(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def _is_sequential(body: Body) -> bool:
    """Return whether each node reads the one before alone, under the keys 0, 1, ... of a Sequential."""
    module = body.call.module if body.call else None
    if module is None or not (_is_exported(module) or _runs_in_order(module)):
        return False
    count = sum(1 for _ in module.children())
    if len(body.inputs) != 1 or len(body.outputs) != 1 or len(body.nodes) != count:
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
