"""The edges of a graph: which input or node feeds which argument of a node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Reversible, Sequence, Sized
from typing import NamedTuple, overload

from mimgraph.inspection.sources import argument_names
from mimgraph.ir.typed_graph import Body, TypedNode


class Edge(NamedTuple):
    """An edge from an input or node to an argument of a node; `port` is the result that it reads, ""
    if the source has only one."""

    source: str
    target: str
    argument: str
    port: str


class Edges(Reversible[Edge], Sized):
    """The edges of a graph in order, a sequence; a pair of names is in it if an edge leads from one to the
    other: `("image", "conv") in graph.edges`."""

    __slots__ = ("_edges", "_known")

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._edges = tuple(edges)
        self._known = frozenset((*self._edges, *(edge[:2] for edge in self._edges)))

    @overload
    def __getitem__(self, index: int) -> Edge: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Edge, ...]: ...
    def __getitem__(self, index: int | slice) -> Edge | tuple[Edge, ...]:
        return self._edges[index]

    def __iter__(self) -> Iterator[Edge]:
        return iter(self._edges)

    def __reversed__(self) -> Iterator[Edge]:
        return reversed(self._edges)

    def __len__(self) -> int:
        return len(self._edges)

    def __contains__(self, item: object) -> bool:
        return isinstance(item, tuple) and item in self._known

    def __eq__(self, other: object) -> bool:
        return self._edges == other._edges if isinstance(other, Edges) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._edges)

    def __repr__(self) -> str:
        shown = ", ".join(f"{edge.source} -> {edge.target}" for edge in self)
        return f"<Edges {shown}>" if shown else "<Edges>"


Sequence.register(Edges)  # as a base class, it would let type checkers refuse a pair in `in`


def edges(body: Body) -> Edges:
    """Return the edges of a body, in the order of the nodes that they lead to."""
    return Edges(edge for node in body.nodes for edge in _edges_to(node))


def _edges_to(node: TypedNode) -> Iterator[Edge]:
    arguments = argument_names(node)
    for key, value in node.arguments.items():
        name, _, item = value.name.partition(".")  # an item of an `each` is one of its ports
        port = ".".join(filter(None, (item, value.port)))
        yield Edge(name, node.name, arguments[key], port)
