"""Write an activation behind a layer or merge as its `activation`."""

from __future__ import annotations

from mimgraph.importer.draft import Body, Node, Op, Port
from mimgraph.importer.tidy.stateless import is_activation, is_stateless_layer, plain_reader
from mimgraph.ops import registry


def absorb_activations(body: Body) -> None:
    """Let layers with weights and merges apply the activation that is their only reader."""
    for node in [*body.nodes]:
        op = node.op
        if op is None or not _takes_activation(node, op):
            continue
        reader = plain_reader(body, node)
        if reader is None or reader.op is None or not is_activation(reader.op):
            continue
        if reader.freeze or reader.over is not None or reader.take:
            continue
        op.activation = (reader.op.name, reader.op.options)
        node.comments += reader.comments
        body.replace(reader, Port(node))
        body.nodes.remove(reader)


def _takes_activation(node: Node, op: Op) -> bool:
    found = registry.find(op.kind, op.name)
    if found is None or op.kind == "tensor" or "activation" in found.options or node.take:
        return False
    return op.activation is None and not is_stateless_layer(op)
