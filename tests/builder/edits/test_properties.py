"""Edits that change nothing give an equal graph, whatever the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hypothesis import given, settings

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.inspection.nodes import Node
from tests.helpers.strategies import Spec, specs, to_yaml

SETTINGS = settings(max_examples=8)


def every_path(nodes: Mapping[str, Node], before: str = "") -> Iterator[tuple[str, Node]]:
    """Yield the path and record of every node, in repeats and copies only of those in the first."""
    for name, node in nodes.items():
        yield before + name, node
        inside, path = node.nodes, f"{before}{name}."
        is_repeated = "repeat" in node.options and not node.options.get("shared")
        if inside and (node.kind == "each" or is_repeated):
            inside, path = inside[next(iter(inside))].nodes, f"{path}*."
        yield from every_path(inside, path)


def paths_of(text: str) -> tuple[mg.Graph, list[tuple[str, Node]]]:
    graph = mg.loads(text)
    return graph, [*every_path(graph.nodes)]


@SETTINGS
@given(specs())
def test_a_rule_that_keeps_every_node(spec: Spec) -> None:
    graph, paths = paths_of(to_yaml(spec))
    seen: list[str] = []
    assert graph.map(lambda node: seen.append(node.name)) == graph
    assert len(seen) == sum(node.kind != "share" for _, node in paths)


@SETTINGS
@given(specs())
def test_an_equal_layer_or_merge(spec: Spec) -> None:
    graph, paths = paths_of(to_yaml(spec))
    for path, node in paths:
        if node.kind not in ("layer", "merge") or "*" in path:  # params may differ between repeats
            continue
        op = getattr(layers if node.kind == "layer" else merges, node.op)
        new = graph.replace(path, op(**node.options))
        assert new == graph, path
        assert mg.loads(new.dumps()) == graph, path
        assert graph.with_options(path) == graph


@SETTINGS
@given(specs())
def test_an_identity_that_is_inserted_and_removed(spec: Spec) -> None:
    graph, paths = paths_of(to_yaml(spec))
    for path, _ in paths:
        before, _, name = path.rpartition(".")
        try:
            added = graph.insert(path, layers.Identity())
        except mg.SpecError as error:
            assert {one.code for one in error.diagnostics} <= {"unknown-port", "unused-node"}
            continue
        assert mg.loads(added.dumps()) == added
        new = str(int(name) + 1) if name.isdecimal() else "identity"
        back = added.remove(f"{before}.{new}" if before else new)
        assert back == graph, path
