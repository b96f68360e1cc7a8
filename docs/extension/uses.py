"""Find which specs of the gallery use an op."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

import mimgraph as mg
from mimgraph.gallery.catalogue import entries, find
from mimgraph.inspection.nodes import Node

FOLDERS = {"layer": "layers", "tensor": "layers", "merge": "merges"}  # of the pages of each kind


@cache
def uses() -> Mapping[tuple[str, str], list[str]]:
    """Return the specs that use each op, which is a kind and a name."""
    found = defaultdict(list)
    for entry in entries():
        for op in ops_of(mg.load(find(entry.name))):
            found[op].append(entry.name)
    return found


def ops_of(graph: mg.Graph) -> set[tuple[str, str]]:
    """Return the ops of a graph, also in its blocks."""
    return {op for node in graph.nodes.values() for op in _ops(node)}


def _ops(node: Node) -> Iterator[tuple[str, str]]:
    if node.kind in FOLDERS:
        yield node.kind, node.op
    for inner in node.nodes.values():
        yield from _ops(inner)
