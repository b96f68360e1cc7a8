"""Equal graphs have equal hashes, however they are written."""

from __future__ import annotations

import pickle
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph import layers
from tests.helpers.strategies import Spec, specs, to_yaml
from tests.test_graph import BASE, DIFFERENT, SAME, variant


def test_equal_graphs_hash_alike() -> None:
    base = mg.loads(BASE)
    same = {name: mg.loads(variant(change)) for name, change in SAME.items()}
    unlike = [name for name, one in same.items() if one != base or hash(one) != hash(base)]
    assert unlike == []


def test_different_graphs_have_different_hashes() -> None:
    """They need not, but a set of variants of a graph would be slow."""
    base = hash(mg.loads(BASE))
    hashes = {name: hash(mg.loads(variant(change))) for name, change in DIFFERENT.items()}
    assert [name for name, one in hashes.items() if one == base] == []


def test_graphs_are_members_of_sets() -> None:
    x = mg.Input("x", (4,))
    graphs = [mg.Graph(layers.Linear(size)(x, name="fc")) for size in (1, 2, 2)]
    assert len({*graphs}) == 2
    assert {graphs[1]: "two"}[mg.loads(graphs[2].dumps())] == "two"
    assert {*graphs[0].split(1)} == {*graphs[0].split(1)}


def test_a_pickle_has_no_hash_of_another_process() -> None:
    for graph in (mg.loads(BASE), mg.loads(BASE).split(1)[0]):
        assert hash(graph) is not None and graph.nodes and graph.inputs
        copied = pickle.loads(pickle.dumps(graph))
        assert "_hash" not in vars(copied) and "nodes" not in vars(copied)
        assert copied == graph and hash(copied) == hash(graph) and copied.nodes == graph.nodes


@settings(max_examples=15)
@given(specs(), st.randoms(use_true_random=False))
def test_the_order_of_nodes_makes_no_difference(spec: Spec, random: Random) -> None:
    nodes = list(spec["nodes"].items())
    random.shuffle(nodes)
    one, other = mg.loads(to_yaml(spec)), mg.loads(to_yaml({**spec, "nodes": dict(nodes)}))
    assert one == other and hash(one) == hash(other)
    assert hash(mg.loads(one.dumps())) == hash(one)
