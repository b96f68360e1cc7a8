"""Give the words `lr`, `weight_decay` and `lora` to operations that have an option of that name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from mimgraph.ir.declared.graph import Block, Graph, Node
from mimgraph.ir.declared.operations import Apply, Call, Chain, Operation
from mimgraph.ops import registry
from mimgraph.ops.custom import plugins
from mimgraph.ops.custom.module_signature import is_plugin
from mimgraph.support.plugins import BrokenPlugin


def with_words_as_options(graph: Graph) -> Graph:
    """Return the graph in which such a word of a node is an option of its layer, or a param of its
    block."""
    blocks = {
        key: replace(block, nodes=_nodes(block.nodes, graph.blocks))
        for key, block in graph.blocks.items()
    }
    return replace(graph, nodes=_nodes(graph.nodes, graph.blocks), blocks=blocks)


def _nodes(nodes: tuple[Node, ...], blocks: Mapping[str, Block]) -> tuple[Node, ...]:
    return tuple([_node(node, blocks) for node in nodes])


def _node(node: Node, blocks: Mapping[str, Block]) -> Node:
    applied = node.applied
    if isinstance(applied, Chain):
        items = _nodes(applied.items, blocks)
        return node if items is applied.items else node.with_applied(replace(applied, items=items))
    training = node.training
    if training is None or applied is None:
        return node
    own = _options(applied, blocks)
    for name, option in training.given.items():
        if name in own and training is not None:
            applied = applied.with_named({**applied.named, name: option})
            training = training.without(name)
    if training is node.training:
        return node
    return replace(node.with_applied(applied), training=training)


def _options(operation: Operation, blocks: Mapping[str, Block]) -> Collection[str]:
    """Return the names of the options that an operation has."""
    if isinstance(operation, Call):
        block = blocks.get(operation.block)
        return () if block is None else block.params
    if not isinstance(operation, Apply):
        return ()
    op = registry.find(operation.kind, operation.name)
    if op is None or is_plugin(op):
        try:
            op = plugins.find(operation.kind, operation.name)
        except BrokenPlugin:  # reported where the node is typed
            return ()
    return () if op is None else op.options
