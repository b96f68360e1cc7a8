"""Find the heads of attention: linear projections that are split in heads, and heads that are joined again."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.importer.draft import Node, Op, Port, Seq
from mimgraph.importer.trace.records import Call, Step
from mimgraph.ir.dim import Size


class Heads(NamedTuple):
    """Queries, keys or values in heads: the Linear that makes them, which of how many parts of its result
    they are, how many heads of which width they have, and the nodes that they are made by."""

    linear: Node
    part: int
    parts: int
    number: int
    width: int
    nodes: tuple[Node, ...]


def split_heads(port: Port) -> Heads | None:
    """Return the heads that a port gives, (N, heads, T, width); None if it is something else."""
    node = port.node
    if not isinstance(node, Node):
        return None
    if node.is_op("Unbind"):
        return _of_stacked(node, port.name)
    match _ops(node):
        case [Op("layer", "Reshape", {"shape": [_, int() as count, int() as width]}), swap] if (
            _swaps_heads(swap) and len(read_sizes(node)) == 3
        ):
            return _of_vectors(node, count, width)
    return None


def joins_heads(node: Node, width: int) -> bool:
    """Return whether a node turns (N, heads, T, width / heads) into (N, T, width)."""
    match _ops(node):
        case [swap, Op("layer", "Reshape", {"shape": [_, int() as wide]})]:
            return _swaps_heads(swap) and wide == width
        case [swap, Op("layer", "Flatten", {"start_dim": 2} as options)]:
            return _swaps_heads(swap) and len(options) == 1
    return False


def is_linear(node: Node) -> bool:
    """Return whether a node is a Linear that is applied to (N, T, C), under keys of its own."""
    maker, op = node.maker, node.op
    if op is None or not isinstance(maker, Call) or node.freeze or node.over is not None:
        return False
    plain = op.name == "Linear" and op.activation is None and bool(node.path)
    known = {*op.options} <= {"out_features", "bias"} and "weight" in maker.module._parameters
    value = maker.arguments[0]
    return plain and known and value.is_batched and value.rank == 3


def read_sizes(node: Node) -> tuple[Size, ...]:
    """Return the sizes of the first tensor that a node reads, () if they are unknown."""
    first = node.operation.items[0] if isinstance(node.operation, Seq) else node
    return first.maker.arguments[0].sizes if isinstance(first.maker, Step | Call) else ()


def has_bias(linear: Node) -> bool:
    """Return whether a Linear has a bias."""
    return linear.op is not None and linear.op.options.get("bias", True) is True


def _of_vectors(node: Node, count: int, width: int) -> Heads | None:
    """Return the heads of a Linear's result, or of one of the equal parts that it is split into."""
    source = node.sources[0].port
    before = source.node
    if not isinstance(before, Node):
        return None
    if source.name == "" and is_linear(before):
        return _heads(before, 0, 1, count, width, (node,))
    if not source.name.isdecimal() or not _is_split(before, count * width):
        return None
    linear = before.sources[0].port
    if not isinstance(linear.node, Node) or linear.name or not is_linear(linear.node):
        return None
    parts = _out_features(linear.node) // (count * width)
    return _heads(linear.node, int(source.name), parts, count, width, (node, before))


def _of_stacked(unbind: Node, name: str) -> Heads | None:
    """Return the heads of a Linear that makes queries, keys and values, stacked along a new first axis."""
    stacked = unbind.sources[0].port.node
    if unbind.op is None or unbind.op.options.get("dim", 0) != 0 or not name.isdecimal():
        return None
    match _ops(stacked) if isinstance(stacked, Node) else []:
        case [
            Op("layer", "Reshape", {"shape": [_, int() as parts, int() as count, int() as width]}),
            Op("layer", "Permute", {"dims": [2, 0, 3, 1, 4]}),
        ]:
            assert isinstance(stacked, Node)
            linear = stacked.sources[0].port
            if isinstance(linear.node, Node) and not linear.name and is_linear(linear.node):
                nodes = (unbind, stacked)
                return _heads(linear.node, int(name), parts, count, width, nodes)
    return None


def _heads(
    linear: Node, part: int, parts: int, count: int, width: int, nodes: tuple[Node, ...]
) -> Heads | None:
    if _out_features(linear) != parts * count * width:
        return None
    return Heads(linear, part, parts, count, width, (linear, *nodes))


def _out_features(linear: Node) -> int:
    found = linear.op.options.get("out_features") if linear.op is not None else None
    return found if isinstance(found, int) else 0


def _is_split(node: Node, width: int) -> bool:
    """Return whether a node splits the last of three axes into equal parts of this width."""
    sizes = read_sizes(node)
    if len(sizes) != 3 or node.op is None or node.op.options.get("dim") not in (-1, 2):
        return False
    match node.op:
        case Op("layer", "Split", {"split_size_or_sections": int() as size}):
            return size == width
        case Op("layer", "Split", {"split_size_or_sections": list() as parts}):
            return {*parts} == {width}
        case Op("layer", "Chunk", {"chunks": int() as chunks}):
            return sizes[2] == chunks * width
    return False


def _ops(node: Node) -> list[Op]:
    """Return the operations of a node or of the items of its chain; [] if one is a block or has an
    activation."""
    items = node.operation.items if isinstance(node.operation, Seq) else [node]
    ops = [item.op for item in items]
    return (
        [op for op in ops if op is not None] if all(op and not op.activation for op in ops) else []
    )


def _swaps_heads(op: Op) -> bool:
    """Return whether an operation swaps the axes of heads and of steps."""
    swaps = op.name == "Transpose" and {*op.options.values()} == {1, 2}
    return swaps or (op.name == "Permute" and op.options.get("dims") == [0, 2, 1, 3])
