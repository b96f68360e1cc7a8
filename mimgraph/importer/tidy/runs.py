"""Write layers without weights in a row as one `seq`."""

from __future__ import annotations

from mimgraph.importer.draft import Body, Node, Op, Port, Seq
from mimgraph.importer.tidy.own_sizes import reads_own_sizes
from mimgraph.importer.tidy.stateless import is_stateless_layer, plain_reader


def join_runs(body: Body) -> None:
    """Make one `seq` of reshapes, pools, dropouts and the like that nothing reads but the next."""
    for node in [*body.nodes]:
        if node not in body.nodes or not _is_item(node) or _before(body, node) is not None:
            continue
        run = [node]
        while (reader := plain_reader(body, run[-1])) is not None and _is_item(reader):
            run.append(reader)
        if len(run) > 1:
            _join(body, run)


def _is_item(node: Node) -> bool:
    """Return whether a node is a layer without weights of one source, and may stand in a chain."""
    plain = is_stateless_layer(node.op) and node.over is None and not node.take
    return plain and not node.is_op("Expand") and reads_own_sizes(node)


def _before(body: Body, node: Node) -> Node | None:
    """Return the node of the run that a node continues."""
    before = node.sources[0].port.node
    if isinstance(before, Node) and _is_item(before) and plain_reader(body, before) is node:
        return before
    return None


def _join(body: Body, run: list[Node]) -> None:
    """Put one node in the place of the last of a run, under its name."""
    first, last = run[0], run[-1]
    joined = Node(last.name, Seq(run), [first.sources[0]._replace(argument=None)])
    joined.place, joined.maker = last.place, last.maker
    joined.comments = [comment for node in run for comment in node.comments]
    body.nodes[body.nodes.index(last)] = joined
    body.replace(last, Port(joined))
    for node in run:
        node.sources = []
    body.nodes = [node for node in body.nodes if node not in run[:-1]]


def drop_identities(body: Body) -> None:
    """Remove layers that hand their source on, where no position in a chain depends on them."""
    for node in [*body.nodes]:
        if _is_identity(node.op) and not (node.take or node.over is not None):
            source = node.sources[0].port
            outputs = [one for one in body.outputs if one.port.node is node]
            if not outputs or isinstance(source.node, Node):
                body.nodes.remove(node)
                body.replace(node, source)


def _is_identity(op: Op | None) -> bool:
    if op is None or op.kind != "layer" or op.activation is not None:
        return False
    return op.name == "Identity" or (op.name.startswith("Dropout") and op.options.get("p") == 0)
