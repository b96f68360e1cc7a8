"""Turn a whole graph into a block of another."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.infer.outer_shares import outer_shares
from mimgraph.infer.structure import needed_for
from mimgraph.ir.declared.graph import Block, BlockInput, Graph, Input
from mimgraph.ir.declared.values import Option
from mimgraph.source import Span


def as_block(graph: Graph, family: str, span: Span, params: Mapping[str, Option]) -> Block:
    """Return the graph as a block with these params, without its own blocks.

    Outputs for training only are left out, with the nodes that only they need; in a model the batch
    stays first.
    """
    outputs = tuple(
        o._replace(doc="", batch_dim=None) for o in graph.outputs if not o.only_training
    )
    read = [output.source.name for output in outputs]
    shared = outer_shares(graph.blocks, [node.name for node in graph.nodes])
    needed = needed_for(graph.nodes, read, shared)
    return Block(
        family,
        span,
        params,
        tuple(BlockInput(i.name, i.span, i.shape, i, i.optional) for i in block_inputs(graph)),
        tuple(node for node in graph.nodes if node.name in needed),
        outputs,
        doc=graph.doc,
    )


def block_inputs(graph: Graph) -> list[Input]:
    """Return the inputs in order, the optional ones last, as a block runs when its first is given."""
    return sorted(graph.inputs, key=lambda declared: declared.optional is not False)
