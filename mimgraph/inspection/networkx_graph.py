"""Convert a graph to a networkx graph with the attributes of its nodes and edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import networkx as nx

from mimgraph.inspection.ends import GraphInput
from mimgraph.inspection.facts import Edge
from mimgraph.inspection.nodes import Node
from mimgraph.ir.typed_graph import TypedGraph, TypedNode
from mimgraph.ir.typed_operations import Sequence, unwrap


def to_networkx(
    graph: TypedGraph,
    inputs: Mapping[str, GraphInput],
    nodes: Mapping[str, Node],
    edges: Iterable[Edge],
) -> nx.DiGraph[str]:
    """Return a graph of the names of inputs and nodes, with the fields of their records.

    If a node reads another several times, their one edge has all of that in `edges`.
    """
    found: nx.DiGraph[str] = nx.DiGraph(name=graph.name)
    for name, given in inputs.items():
        found.add_node(name, **_of_input(given))
    for typed in graph.body.nodes:
        found.add_node(typed.name, layer=_layer(typed), **_of_node(nodes[typed.name]))
    by_pair: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        by_pair.setdefault((edge.source, edge.target), []).append(edge)
    for pair, alike in by_pair.items():
        found.add_edge(*pair, **_of_edges(alike))
    return found


def _of_input(given: GraphInput) -> dict[str, Any]:
    """Return the attributes of an input, the same as of a node."""
    return {
        "layer": "Input",
        "op": "Input",
        "kind": "input",
        "options": {},
        "shape": given.shape,
        "dtype": given.dtype,
        "ports": {},
        "parameters": 0,
        "macs": 0,
        "origin": given.origin,
    }


def _of_node(node: Node) -> dict[str, Any]:
    """Return the attributes of a node."""
    names = ("op", "kind", "options", "shape", "dtype", "ports", "parameters", "macs", "origin")
    return {name: getattr(node, name) for name in names}


def _of_edges(alike: list[Edge]) -> dict[str, Any]:
    """Return the attributes of an edge: argument and port as text, `query, key` if there are several."""
    return {
        "argument": ", ".join(edge.argument for edge in alike),
        "port": ", ".join(dict.fromkeys(edge.port for edge in alike)),
        "edges": tuple(alike),
    }


def _layer(node: TypedNode) -> str:
    """Return the name of the layer, merge or block of a node."""
    operation = unwrap(node.operation)
    if operation.branches:
        return _layer(operation.branches[0])
    if operation.is_block and not operation.bodies:
        return "Identity"
    return "Sequential" if isinstance(operation, Sequence) else operation.op_name
