"""Sort a directed graph topologically, and find its cycles, by networkx.

networkx is imported only if an edge leads back: names in running order are a DAG, and the import
takes half of the time of a small check.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

Edge = tuple[str, str]


def ordered(names: Collection[str], edges: Sequence[Edge]) -> Collection[str]:
    """Return the names topologically sorted, otherwise in the given order; names on a cycle, or behind
    one, are left out."""
    position = _positions(names)
    if all(position[before] < position[after] for before, after in edges):
        return names
    return _sorted(_graph(names, edges), position)


def cycles(names: Collection[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Return one cycle of each strongly connected component, from its first name back to it."""
    position = _positions(names)
    steps = [position[after] - position[before] for before, after in edges]
    if not edges or min(steps) > 0 or max(steps) < 0:  # all edges lead the same way
        return []
    return _cycles(_graph(names, edges), position)


def reached(names: Iterable[str], edges: Iterable[Edge]) -> set[str]:
    """Return the names, and all names that edges lead to from them."""
    after: dict[str, list[str]] = {}
    for one, other in edges:
        after.setdefault(one, []).append(other)
    found, stack = set[str](), list(names)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += after.get(name, ())
    return found


def _positions(names: Iterable[str]) -> dict[str, int]:
    """Return the position of each name in the given order."""
    return {name: index for index, name in enumerate(names)}


def _graph(names: Iterable[str], edges: Iterable[Edge]) -> nx.DiGraph[str]:
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(edges)
    return graph


def _sorted(graph: nx.DiGraph[str], position: Mapping[str, int]) -> list[str]:
    """Return the names topologically sorted by networkx."""
    import networkx as nx

    order: list[str] = []
    with suppress(nx.NetworkXUnfeasible):  # names before a cycle are kept
        order.extend(nx.lexicographical_topological_sort(graph, key=position.__getitem__))
    return order


def _cycles(graph: nx.DiGraph[str], position: Mapping[str, int]) -> list[list[str]]:
    """Return one cycle of each component, found by networkx."""
    import networkx as nx

    found = []
    for component in nx.strongly_connected_components(graph):
        first = min(component, key=position.__getitem__)
        if len(component) > 1 or graph.has_edge(first, first):
            path = nx.find_cycle(graph.subgraph(component), first)
            around = [edge[0] for edge in path]
            start = min(range(len(around)), key=lambda i: position[around[i]])
            found.append([*around[start:], *around[: start + 1]])
    return found
