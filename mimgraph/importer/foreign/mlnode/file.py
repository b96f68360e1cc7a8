"""Read the nodes and edges of an MLnode file, of its blocks and of its custom layers, into records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mimgraph.importer.foreign.located import Located, refuse
from mimgraph.source import Span

VERSIONS = ("1.0", "1.1")
MOST_NODES = 10_000
MAX_DEPTH = 10  # of blocks and layers inside each other, as in MLnode


class Edge(NamedTuple):
    """The node that an edge comes from, its port, and the port that it leads to; "" for no port."""

    source: str
    source_port: str
    target_port: str
    span: Span


class Node(NamedTuple):
    """A node, with the edges that lead to it in the order of the file."""

    id: str
    type: str
    params: dict[str, Any]
    edges: list[Edge]
    outputs: list[str]
    shared_id: str
    data: Located

    @property
    def span(self) -> Span:
        """The place of its id."""
        span: Span = self.data.value["id"].span
        return span


class Body(NamedTuple):
    """The nodes of a model, block or layer by id, the inputs among them, and the node of the result."""

    nodes: dict[str, Node]
    inputs: list[str]
    output: str

    def needed(self) -> list[Node]:
        """Return the nodes that the result needs, in an order in which each follows its sources."""
        found: dict[str, Node] = {}
        open_: list[tuple[str, Iterator[Edge]]] = []
        path: dict[str, None] = {}

        def enter(id: str) -> None:
            path[id] = None
            open_.append((id, iter(self.nodes[id].edges)))

        enter(self.output)
        while open_:
            id, edges = open_[-1]
            edge = next((one for one in edges if one.source not in found), None)
            if edge is None:
                open_.pop()
                del path[id]
                found[id] = self.nodes[id]
            elif edge.source in path:
                words = " -> ".join([*list(path)[list(path).index(edge.source) :], edge.source])
                refuse("cycle", f"the nodes form a cycle: {words:.200}", edge.span)
            else:
                enter(edge.source)
        return list(found.values())


def read_body(data: Located, is_block: bool = False) -> Body:
    """Return the body of a model, of a custom layer or, if `is_block`, of a block."""
    nodes: dict[str, Node] = {}
    for item in data.need("nodes", tuple, "a list of nodes").items:
        node = _node(item)
        if node.id in nodes:
            refuse("duplicate-name", f"two nodes have the id {node.id:.40}", node.span)
        nodes[node.id] = node
    if len(nodes) > MOST_NODES:
        refuse("too-large", f"more than {MOST_NODES:,} nodes", data.span)
    for item in data.need("edges", tuple, "a list of edges").items:
        source, target = (_end(item, key, nodes) for key in ("source", "target"))
        ports = _text(item, "source_port"), _text(item, "target_port")
        nodes[target].edges.append(Edge(source, *ports, item.span))
    output = _end(data, "output_node", nodes)
    inputs = [id for id, node in nodes.items() if node.type == "Input"]
    if is_block:
        first = _end(data, "input_node", nodes)
        inputs = [first]
    if not inputs:
        refuse("missing-key", "there is no node of the type Input", data.value["nodes"].span)
    return Body(nodes, inputs, output)


def check_version(data: Located) -> None:
    """Refuse a file of a version that is not known."""
    version = data.need("mlnode_schema_version", str, "a text")
    if version.value not in VERSIONS:
        known = ", ".join(VERSIONS)
        refuse(
            "bad-option",
            f"version {version.value:.40} cannot be read",
            version.span,
            f"known: {known}",
        )


def _node(item: Located) -> Node:
    item.of(dict, "a node must be a mapping with id and type")
    id = item.need("id", str, "a text")
    if not id.value.strip():
        refuse("bad-name", "the id of a node cannot be empty", id.span)
    params = item.get("params")
    given: dict[str, Any] = {}
    if params is not None and params.value is not None:
        given = params.of(dict, "params must be a mapping").plain()
    outputs = item.get("outputs")
    ports = outputs.plain() if outputs is not None and outputs.value else []
    if not isinstance(ports, list) or not all(isinstance(port, str) for port in ports):
        refuse("wrong-type", "outputs must be a list of texts", item.span)
    kind = item.need("type", str, "a text").value
    return Node(id.value, kind, given, [], ports, _text(item, "shared_id"), item)


def _end(item: Located, key: str, nodes: dict[str, Node]) -> str:
    """Return the id of a node that an edge or body names."""
    item.of(dict, "an edge must be a mapping with source and target")
    found = item.need(key, str, "the id of a node")
    if found.value not in nodes:
        refuse("unknown-source", f"no node has the id {found.value:.40}", found.span)
    return str(found.value)


def _text(item: Located, key: str) -> str:
    found = item.get(key)
    if found is None or found.value is None:
        return ""
    return str(found.of(str, f"{key} must be a text").value)
