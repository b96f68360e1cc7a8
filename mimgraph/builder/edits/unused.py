"""Drop the blocks, params and sizes of limits that nothing uses any more after an edit."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.builder.edits.block_names import Resolve, used_blocks
from mimgraph.infer.advice.unused_params import unread_params
from mimgraph.ir.declared.graph import Graph
from mimgraph.support.frozen_data import replace


def without_unused(graph: Graph, before: Graph, resolve: Resolve) -> Graph:
    """Return the graph without the blocks and params that only the graph `before` the edit used."""
    if before.blocks:
        used = used_blocks(before, {}, resolve)
        dropped = used - used_blocks(graph, {}, resolve, graph.blocks.keys() - used)
        blocks = {name: block for name, block in graph.blocks.items() if name not in dropped}
        graph = replace(graph, blocks=blocks) if len(blocks) < len(graph.blocks) else graph
    unread = {*unread_params(before)} if graph.params else set()
    while graph.params and (dropped := {*unread_params(graph)} - unread):
        kept = {name: option for name, option in graph.params.items() if name not in dropped}
        graph = replace(graph, params=kept)
    return graph


def with_known_sizes(graph: Graph, before: Graph) -> Graph:
    """Return the graph with limits that state no sizes which only inputs of the graph `before` the edit
    had."""
    if graph.limits is None or not graph.limits.sizes:
        return graph
    lost = {*_sizes(before)} - {*_sizes(graph)}
    sizes = {name: option for name, option in graph.limits.sizes.items() if name not in lost}
    return replace(graph, limits=replace(graph.limits, sizes=sizes))


def _sizes(graph: Graph) -> Iterator[str]:
    for one in graph.inputs:
        yield from one.shape.names if one.shape else ()
