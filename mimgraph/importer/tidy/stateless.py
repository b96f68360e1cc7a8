"""Tell apart the operations that have no weights, whose place in a spec no key of a state_dict shows."""

from __future__ import annotations

from mimgraph.importer.draft import Body, Input, Node, Op, Seq, Use
from mimgraph.ops import registry

# families of layers of one source and one result
_LAYERS = frozenset(
    [
        *("adaptive_pooling", "dropout", "elementwise", "flatten", "fold", "padding", "pooling"),
        *("rearrange", "reduction", "reshape", "resize", "shuffle", "slicing", "upsampling"),
    ]
)
_MERGES = frozenset(
    ["attention", "einsum", "elementwise", "fill", "formula", "indexing", "join", "product"]
)
_SEVERAL_RESULTS = ("Chunk", "Sort", "Split", "TopK", "Unbind", "AffineGrid", "GridSample")


def is_activation(op: Op | None) -> bool:
    """Return whether an op is an activation without weights."""
    return _family(op, "layer") == "activation" and op is not None and op.name != "PReLU"


def is_stateless_layer(op: Op | None) -> bool:
    """Return whether an op is a layer without weights, of one source and one result."""
    if op is None or op.name in _SEVERAL_RESULTS:
        return False
    return is_activation(op) or op.name == "Identity" or _family(op, "layer") in _LAYERS


def is_stateless(node: Node) -> bool:
    """Return whether a node has no weights."""
    match node.operation:
        case Op() as op:
            return is_stateless_layer(op) or _family(op, "merge") in _MERGES
        case Seq(items):
            return all(map(is_stateless, items))
        case Use(body):
            return all(map(is_stateless, body.nodes))
    return False


def _family(op: Op | None, kind: str) -> str:
    """Return the family of an op of this kind, "" for others."""
    found = registry.find(kind, op.name) if op is not None and op.kind == kind else None
    return "" if found is None else found.family


def plain_reader(body: Body, node: Node | Input) -> Node | None:
    """Return the node that alone reads the default result of a node, once; None if there is none."""
    readers = body.readers(node)
    if len(readers) != 1 or not isinstance(readers[0], Node):
        return None
    ports = [source.port for source in readers[0].sources if source.port.node is node]
    return readers[0] if len(ports) == 1 and not ports[0].name else None
