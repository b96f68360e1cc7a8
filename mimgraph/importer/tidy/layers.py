"""Write layers in a row as one `seq`, where the keys of their weights may change."""

from __future__ import annotations

from mimgraph.importer.draft import Body, Input, Node, Op, Port, Seq, Share
from mimgraph.importer.tidy.line_count import LineCount
from mimgraph.importer.tidy.own_sizes import reads_own_sizes
from mimgraph.importer.tidy.stateless import plain_reader


def join_layers(body: Body) -> None:
    """Join layers that nothing reads but the next in one `seq`; blocks keep nodes of their own."""
    if body.is_chain:
        return
    for node in [*body.nodes]:
        if node not in body.nodes or not _is_item(node) or _continues(body, node):
            continue
        run = [node]
        while (reader := plain_reader(body, run[-1])) is not None and _is_item(reader):
            run.append(reader)
        while run and not _has_plain_readers(body, run[-1]):
            run.pop()
        if len(run) > 1 and _is_shorter(body, run):
            _join(body, run)


def _is_shorter(body: Body, run: list[Node]) -> bool:
    """Return whether one `seq` takes fewer lines than the nodes of a run, or as many."""
    items = [item for node in run for item in _parts(node)]
    source = run[0].sources[0].port.node.name
    lines = LineCount(is_block=bool(body.call_path))
    return lines.chain(_name(body, run), source, items) <= sum(map(lines.node, run))


def _parts(node: Node) -> list[Node]:
    return node.operation.items if isinstance(node.operation, Seq) else [node]


def _is_item(node: Node) -> bool:
    """Return whether a node is a layer, or a chain of layers, of one source."""
    match node.operation:
        case Op() as op:
            plain = op.kind == "layer" and op.name != "Expand" and reads_own_sizes(node)
        case Seq(items):
            plain = all(isinstance(item.operation, Op) for item in items)
        case _:
            return False
    return plain and len(node.sources) == 1 and not node.take and node.over is None


def _has_plain_readers(body: Body, node: Node) -> bool:
    """Return whether nothing reads a weight or another port of a node, or runs its module again."""
    ports = [port for one in body.nodes for port in one.reads if port.node is node]
    ports += [one.port for one in body.outputs if one.port.node is node]
    shared = any(
        isinstance(one.operation, Share) and one.operation.target is node for one in body.nodes
    )
    return not shared and not any(port.name for port in ports)


def _continues(body: Body, node: Node) -> bool:
    before = node.sources[0].port.node
    return isinstance(before, Node) and _is_item(before) and plain_reader(body, before) is node


def _join(body: Body, run: list[Node]) -> None:
    """Put one node in the place of the last of a run, under the name of the first."""
    first, last = run[0], run[-1]
    joined = Node(_name(body, run), Seq([item for node in run for item in _items(node)]))
    joined.sources = [first.sources[0]._replace(argument=None)]
    joined.place, joined.maker = last.place, last.maker
    joined.comments = [comment for node in run for comment in node.comments]
    body.nodes[body.nodes.index(last)] = joined
    body.replace(last, Port(joined))
    for node in run:
        node.sources = []
    body.nodes = [node for node in body.nodes if node not in run[:-1]]


def _name(body: Body, run: list[Node]) -> str:
    """Return the name of the only module in a run; that of the first of several, of a model `stem` or
    `head` where it is the first or last thing that it does."""
    modules = [node.attribute for node in run if node.attribute]
    if len(modules) == 1:
        return modules[0]
    if not body.call_path and isinstance(run[0].sources[0].port.node, Input):
        return "stem"
    if not body.call_path and any(one.port.node is run[-1] for one in body.outputs):
        return "head"
    return modules[0] if modules else run[-1].name


def _items(node: Node) -> list[Node]:
    """Return the items that a node is in a chain; an activation is one of its own."""
    if isinstance(node.operation, Seq):
        return node.operation.items
    assert isinstance(node.operation, Op)
    if node.operation.activation is None:
        return [node]
    name, options = node.operation.activation
    node.operation.activation = None
    return [node, Node("", Op("layer", name, options), place=node.place)]
