"""Convert a typed graph to a networkx graph."""

from __future__ import annotations

import networkx as nx

from mimgraph.ir.typed.graph import TypedGraph, TypedNode
from mimgraph.ir.typed.operations import Sequence, unwrap


def to_networkx(graph: TypedGraph) -> nx.DiGraph[str]:
    """Return a graph of the names of inputs and nodes, with `layer`, `shape` and `dtype` of each."""
    found: nx.DiGraph[str] = nx.DiGraph(name=graph.name)
    for name, type_ in graph.body.inputs.items():
        found.add_node(name, layer="Input", shape=type_.shape, dtype=type_.dtype)
    for node in graph.body.nodes:
        shape, dtype = (node.type.shape, node.type.dtype) if node.type else (None, None)
        found.add_node(node.name, layer=_layer(node), shape=shape, dtype=dtype)
    for node in graph.body.nodes:
        found.add_edges_from((value.name, node.name) for value in node.arguments.values())
    return found


def _layer(node: TypedNode) -> str:
    """Return the name of the layer, merge or block of a node."""
    operation = unwrap(node.operation)
    if operation.branches:
        return _layer(operation.branches[0])
    if operation.is_block and not operation.bodies:
        return "Identity"
    return "Sequential" if isinstance(operation, Sequence) else operation.op_name
