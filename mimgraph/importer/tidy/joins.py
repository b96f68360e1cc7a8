"""Move the joins of a dense block between its layers: each layer reads and returns one tensor.

DenseNet's layers join all that was before them, so each has more inputs than the last. Their bodies
are equal once the layer reads the tensor that is joined already, and joins its own result to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from mimgraph.importer.draft import Body, Input, Node, Port, Source, Use
from mimgraph.importer.tidy.stateless import plain_reader
from mimgraph.ir.dim import Size


def move_joins(body: Body) -> None:
    """Join the sources of a layer before it, continue earlier joins, and join its result inside it."""
    for node in [*body.nodes]:
        if isinstance(node.operation, Use):
            _join_before(body, node, node.operation)
    _continue_joins(body)
    _join_inside(body)


def _join_before(body: Body, node: Node, use: Use) -> None:
    """Join the sources of a block that does nothing with them but join them."""
    inner = use.body
    join = inner.nodes[0] if inner.nodes else None
    if join is None or not join.is_op("concat") or len(inner.inputs) < 2 or inner.is_chain:
        return
    ports = [one.port for one in join.sources]
    if ports != [Port(one) for one in inner.inputs] or _is_output(inner, *inner.inputs, join):
        return
    if any(len(inner.readers(one)) > 1 for one in inner.inputs):
        return
    given = {one.argument: one.port for one in node.sources}
    sources = [Source(given[one.name]) for one in inner.inputs]
    outer = Node(join.name, join.operation, sources, place=join.place)
    outer.maker = join.maker
    body.nodes.insert(body.nodes.index(node), outer)
    first = inner.inputs[0]
    joined = Input(first.name, _joined_sizes(join, inner.inputs), first.dtype)
    inner.inputs = [joined]
    inner.nodes.remove(join)
    inner.replace(join, Port(joined))
    node.sources = [Source(Port(outer), first.name)]


def _is_output(body: Body, *nodes: Node | Input) -> bool:
    return any(one.port.node is node for one in body.outputs for node in nodes)


def _joined_sizes(join: Node, inputs: Sequence[Input]) -> tuple[Size, ...]:
    """Return the sizes of the join of inputs."""
    assert join.op is not None
    sizes = [*inputs[0].sizes]
    axis = join.op.options.get("dim", 1)
    for one in inputs[1:]:
        sizes[axis] = sizes[axis] + one.sizes[axis]
    return tuple(sizes)


def _continue_joins(body: Body) -> None:
    """Let a join that begins as an earlier one read that."""
    joins = [node for node in body.nodes if node.is_op("concat")]
    ports = {id(node): [one.port for one in node.sources] for node in joins}
    for index, node in enumerate(joins):
        whole = ports[id(node)]
        for earlier in sorted(joins[:index], key=lambda one: -len(ports[id(one)])):
            begin = ports[id(earlier)]
            if len(begin) < len(whole) and whole[: len(begin)] == begin and _same(node, earlier):
                node.sources[: len(begin)] = [Source(Port(earlier))]
                break


def _same(one: Node, two: Node) -> bool:
    return one.operation == two.operation and one.op is not None and one.op.activation is None


def _joins_after(body: Body) -> dict[int, tuple[Node, Node]]:
    """Return each layer with the concat that joins its source and its result."""
    found = dict[int, tuple[Node, Node]]()
    for node in body.nodes:
        join = plain_reader(body, node) if isinstance(node.operation, Use) else None
        if join is None or not join.is_op("concat") or len(node.sources) != 1:
            continue
        if [one.port for one in join.sources] == [node.sources[0].port, Port(node)]:
            found[id(node)] = (node, join)
    return found


def _join_inside(body: Body) -> None:
    """Let layers in a row join what they read and what they return."""
    after = _joins_after(body)
    for node, join in after.values():
        before = node.sources[0].port.node
        later = any(id(reader) in after for reader in body.readers(join))
        assert isinstance(node.operation, Use)
        inner = node.operation.body
        if not (later or id(before) in after) or len(inner.outputs) != 1 or inner.is_chain:
            continue
        output = inner.outputs[0]
        joined = Node(
            "joined", join.operation, [Source(Port(inner.inputs[0])), Source(output.port)]
        )
        joined.place, joined.maker = join.place, join.maker
        inner.nodes.append(joined)
        output.port = Port(joined)
        body.nodes.remove(join)
        body.replace(join, Port(node))
