"""Write attention in heads between Linear layers as one `MultiheadAttention`, whose weights join theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mimgraph.importer.draft import Body, Input, Node, Op, Port, Seq, Share, Source, Use
from mimgraph.importer.tidy.heads import (
    Heads,
    has_bias,
    is_linear,
    joins_heads,
    read_sizes,
    split_heads,
)
from mimgraph.importer.tidy.stateless import plain_reader


class Attention(NamedTuple):
    """Attention whose heads are split and joined: queries, keys and values, and the node that joins."""

    node: Node
    heads: tuple[Heads, Heads, Heads]
    joined: Node


def join_attention(body: Body) -> None:
    """Make one layer of projections, heads, attention and the projection of the result.

    The last projection may be the first layer of the next module, as in BERT; it moves.
    """
    for node in [*body.nodes]:
        found = _attention(body, node)
        if found is not None:
            _join(body, found, body, found.joined)
        elif isinstance(node.operation, Use) and not _is_shared(body, node):
            _join_next(body, node, node.operation.body)
            _inline(node, node.operation.body)


def _attention(body: Body, node: Node) -> Attention | None:
    """Return the attention that a node is if its heads are made by Linear layers, and for it alone."""
    sources = {one.argument: one.port for one in node.sources}
    if not node.is_op("attention") or not {*sources} <= {"query", "key", "value"}:
        return None
    assert node.op is not None
    found = [split_heads(sources[name]) for name in ("query", "key", "value")]
    query, key, value = found
    joined = plain_reader(body, node)
    if query is None or key is None or value is None or joined is None:
        return None
    same = {(one.number, one.width) for one in (query, key, value)}
    fits = len(same) == 1 and joins_heads(joined, query.number * query.width)
    if not fits or not {*node.op.options} <= {"dropout_p", "is_causal"}:
        return None
    attention = Attention(node, (query, key, value), joined)
    inner = [id(one) for one in _nodes(attention)]
    readers = [one for part in _nodes(attention)[:-1] for one in body.readers(part)]
    return attention if all(id(one) in inner for one in readers) else None


def _nodes(found: Attention) -> list[Node]:
    """Return all nodes that the layer stands for but the projection of the result, which follows."""
    return [*(node for one in found.heads for node in one.nodes), found.node, found.joined]


def _fits(found: Attention, out: Node) -> bool:
    """Return whether the layers have the widths and biases that `MultiheadAttention` has."""
    linears = _linears(found.heads)
    query = found.heads[0]
    width = query.number * query.width
    widths = [read_sizes(one)[-1] for one in (*linears, out)]
    biases = {has_bias(one) for one in (*linears, out)}
    apart = len(linears) == 3 or {*widths} == {width}
    assert out.op is not None
    ends = widths[0] == widths[-1] == out.op.options["out_features"] == width
    return bool(linears) and apart and ends and len(biases) == 1


def _linears(heads: Sequence[Heads]) -> list[Node]:
    """Return the Linear layers of queries, keys and values; [] if their parts are not in this order, as
    joined weights are."""
    linears = [*dict.fromkeys(one.linear for one in heads)]
    parts = [(linear, part) for linear in linears for part in range(_parts(heads, linear))]
    return linears if parts == [(one.linear, one.part) for one in heads] else []


def _parts(heads: Sequence[Heads], linear: Node) -> int:
    return next(one.parts for one in heads if one.linear is linear)


def _replace(body: Body, found: Attention, out: Node) -> None:
    """Put the layer in the place of the node that joined the heads."""
    assert found.node.op is not None
    given = found.node.op.options
    options = {"num_heads": found.heads[0].number}
    options |= {"dropout": given["dropout_p"]} if "dropout_p" in given else {}
    options |= {"bias": False} if not has_bias(out) else {}
    options |= {"is_causal": True} if "is_causal" in given else {}
    query, key, value = (one.linear.sources[0].port for one in found.heads)
    sources = [Source(query, "query")]
    if key != query or value != query:
        sources.append(Source(key, "key"))
    if value != key:
        sources.append(Source(value, "value"))
    if len(sources) == 1:
        sources = [Source(query)]
    layer = Node("attention", Op("layer", "MultiheadAttention", options), sources)
    layer.place, layer.maker = found.node.place, found.node.maker
    layer.weights = _weights(found, out)
    body.nodes[body.nodes.index(found.joined)] = layer
    body.replace(found.joined, Port(layer))
    inner = [id(one) for one in _nodes(found)]
    body.nodes = [node for node in body.nodes if id(node) not in inner]


def _weights(found: Attention, out: Node) -> dict[str, tuple[str, ...]]:
    """Return the keys that each key of the layer joins."""
    linears = _linears(found.heads)
    weights = [f"{one.path}.weight" for one in linears]
    joined = {"in_proj_weight": tuple(weights)}
    if len({read_sizes(one)[-1] for one in linears}) > 1:
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        joined = {name: (key,) for name, key in zip(names, weights, strict=True)}
    joined["out_proj.weight"] = (f"{out.path}.weight",)
    if has_bias(out):
        joined["in_proj_bias"] = tuple(f"{one.path}.bias" for one in linears)
        joined["out_proj.bias"] = (f"{out.path}.bias",)
    return joined


# --- the projection of the result ----------------------------------------------------------------


def _join(body: Body, found: Attention, other: Body, result: Node | Input) -> None:
    """Make one layer of the attention in a body and the Linear in the same or another body that alone
    reads its result there."""
    reader = plain_reader(other, result)
    out = None if reader is None else _first_layer(reader)
    if reader is None or out is None or not _fits(found, out) or _is_shared(other, reader):
        return
    _take_first(other, reader, result)
    _replace(body, found, out)


def _first_layer(node: Node) -> Node | None:
    """Return the Linear that a node is, or that its chain begins with."""
    first = node.operation.items[0] if isinstance(node.operation, Seq) else node
    return first if is_linear(first) else None


def _take_first(body: Body, node: Node, before: Node | Input) -> None:
    """Remove the layer that a node is, or that its chain begins with."""
    if not isinstance(node.operation, Seq):
        body.nodes.remove(node)
        body.replace(node, Port(before))
    elif len(node.operation.items) > 2:
        node.operation.items = node.operation.items[1:]
    else:
        item = node.operation.items[1]
        node.operation, node.path, node.maker = item.operation, item.path, item.maker


def _join_next(body: Body, node: Node, inner: Body) -> None:
    """Make one layer of the attention that a block ends with and the Linear that reads its result."""
    found = next((one for part in inner.nodes if (one := _attention(inner, part))), None)
    reader = plain_reader(body, node)
    if found is None or reader is None or len(inner.outputs) != 1:
        return
    if inner.outputs[0].port != Port(found.joined) or len(inner.readers(found.joined)) != 1:
        return
    if not isinstance(reader.operation, Use):
        return _join(inner, found, body, node)
    other = reader.operation.body
    named = {one.port.node: one.argument for one in reader.sources}
    given = [one for one in other.inputs if one.name == named[node] or len(other.inputs) == 1]
    if given and len(other.nodes) > 1 and not other.is_chain and not _is_shared(body, reader):
        _join(inner, found, other, given[0])


def _is_shared(body: Body, node: Node) -> bool:
    """Return whether another node runs the module again, or reads one of its weights."""
    ports = [one.port for one in body.outputs] + [one for read in body.nodes for one in read.reads]
    again = any(
        isinstance(one.operation, Share) and one.operation.target is node for one in body.nodes
    )
    return again or any(one.node is node and one.name for one in ports)


def _inline(node: Node, inner: Body) -> None:
    """Put a layer that is the only node of its block in the place of the block."""
    only = inner.nodes[0] if len(inner.nodes) == 1 else None
    if only is None or not only.weights or len(inner.outputs) != 1:
        return
    given = {one.argument: one.port for one in node.sources}
    if len(node.sources) == 1:
        given = {inner.inputs[0].name: node.sources[0].port}
    names = [one.port.node.name for one in only.sources]
    if all(name in given for name in names):
        node.sources = [one._replace(port=given[one.port.node.name]) for one in only.sources]
        node.operation, node.weights, node.path = only.operation, only.weights, ""
        node.name, node.attribute = node.attribute.replace(".", "_") or node.name, ""
        node.place, node.maker = only.place, only.maker
