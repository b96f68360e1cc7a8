"""Order and cycles of names agree with networkx, also where it is not imported."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from mimgraph.infer.structure import Edge, cycles, ordered, reached

NAMES = "abcdef"
EDGES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=8)
FORWARD = EDGES.map(lambda edges: [(min(edge), max(edge)) for edge in edges])
ANY = EDGES | FORWARD | FORWARD.map(lambda edges: [(after, before) for before, after in edges])


def graph(edges: list[Edge]) -> nx.DiGraph[str]:
    made: nx.DiGraph[str] = nx.DiGraph(edges)
    made.add_nodes_from(NAMES)
    return made


@given(ANY)
def test_a_dag_is_sorted_topologically_else_as_written(edges: list[Edge]) -> None:
    is_dag = nx.is_directed_acyclic_graph(graph(edges))
    found = list(ordered(NAMES, edges))
    assert (len(found) == len(NAMES)) is is_dag
    if is_dag:
        assert found == list(nx.lexicographical_topological_sort(graph(edges)))


@given(ANY)
def test_each_component_gives_one_cycle(edges: list[Edge]) -> None:
    rings = [
        ring
        for ring in nx.strongly_connected_components(graph(edges))
        if len(ring) > 1 or any((name, name) in edges for name in ring)
    ]
    found = cycles(NAMES, edges)
    assert len(found) == len(rings)
    for cycle in found:
        assert cycle[0] == cycle[-1] == min(cycle)
        assert all(edge in edges for edge in pairwise(cycle))
        assert any(set(cycle) <= ring for ring in rings)


@given(ANY, st.sets(st.sampled_from(NAMES)))
def test_reached_names_are_the_descendants(edges: list[Edge], names: set[str]) -> None:
    assert reached(names, edges) == names.union(*(nx.descendants(graph(edges), n) for n in names))
