"""Nodes are ordered behind those that they read, but for edges that close a cycle."""

from __future__ import annotations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from mimgraph.picture.faulty.reading_order import reading_order

NAMES = st.sampled_from("abcdefg")


def test_an_edge_that_closes_a_cycle_is_left_out() -> None:
    names, back = reading_order({"a": ["x", "c"], "b": ["a"], "c": ["b"], "d": ["d", "a"]})
    assert names == ["a", "b", "c", "d"]
    assert back == {("c", "a"), ("d", "d")}


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=4)))
def test_every_node_follows_those_that_it_reads(sources: dict[str, list[str]]) -> None:
    names, back = reading_order(sources)
    assert sorted(names) == sorted(sources)
    edges = {(tail, head) for head, tails in sources.items() for tail in tails if tail in sources}
    assert back <= edges
    assert all(names.index(tail) < names.index(head) for tail, head in edges - back)
    assert bool(back) != nx.is_directed_acyclic_graph(nx.DiGraph(list(edges)))


def test_a_long_chain_needs_no_deep_recursion() -> None:
    names, _ = reading_order({str(n): [str(n + 1)] for n in range(20_000)})
    assert names == [str(n) for n in reversed(range(20_000))]
