"""Costs of inferring the shapes of graphs in memory: unlike nodes, and models of the gallery."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.infer.graph import infer
from mimgraph.ir import declared_graph as ir
from mimgraph.support.progress import uncollected
from tests.benchmarks.case import Case, Cost, clocked, per_node
from tests.benchmarks.forwards import inputs_of
from tests.benchmarks.peers import mlnode_shapes
from tests.benchmarks.reading import TORCHVISION, operations
from tests.conftest import SPECS
from tests.gallery import gallery, on_meta

NODES = 1_000
WARM = 5  # runs in a row, as the first one finds cold caches
# which no tensor on the meta device has
READ_VALUES = ("audio_text_emotion", "early_fusion", "seq2seq_attention", "vqa_attention")
Unlike = list[tuple[str, dict[str, Any]]]  # layers in a row, with their options


def unlike(nodes: int) -> Unlike:
    """Return layers in a row, of four kinds, of which each Linear has another size."""
    found: Unlike = []
    for i in range(0, nodes, 4):
        size = 16 + 37 * i % 997
        found += ("Linear", {"out_features": size}), ("LayerNorm", {})
        found += ("ReLU", {}), ("Dropout", {"p": (1 + i % 7) / 10})
    return found[:nodes]


def spec(nodes: int) -> str:
    """Return the layers as a spec, each node with a name of its own."""
    lines, before = "", "x"
    for index, (name, options) in enumerate(unlike(nodes)):
        given = "".join(f", {key}: {value}" for key, value in options.items())
        lines += f"  {name.lower()}_{index}: {{layer: {name}, from: {before}{given}}}\n"
        before = f"{name.lower()}_{index}"
    return f"inputs: {{x: [64]}}\nnodes:\n{lines}outputs: {before}\n"


def shapes(graph: ir.Graph, nodes: int = NODES) -> Cost:
    """Return the cost for a node of inferring the shapes."""

    def run() -> None:
        for _ in range(WARM):
            uncollected()(infer)(graph, Report())

    return clocked(run, WARM * nodes)


def declared() -> ir.Graph:
    return mg.loads(spec(NODES)).declared


def shapes_against_mlnode() -> tuple[Cost, Cost]:
    return shapes(declared()), clocked(mlnode_shapes(unlike(NODES), 64), NODES)


def gallery_against_meta(name: str) -> tuple[Cost, Cost]:
    """Compare a spec of the gallery with torch's own shape inference: its module on the meta device."""
    graph = gallery(name)
    nodes, model = operations(graph.typed.body), on_meta(graph).eval()
    inputs = {key: given.to("meta") for key, given in inputs_of(graph, batch=1).items()}

    @torch.no_grad()
    def run() -> None:
        for _ in range(WARM):
            model(**inputs)

    return shapes(graph.declared, nodes), clocked(run, WARM * nodes)


def cases() -> Iterator[Case]:
    yield per_node(
        "shapes, 1,000 unlike nodes",
        "mlnode's validate of a dict",
        shapes_against_mlnode,
        at_most=1.0,
        rounds=5,
        peer="mlnode",
    )
    for path in SPECS:
        if path.stem not in (*READ_VALUES, *TORCHVISION):
            yield per_node(
                f"shapes, {path.stem}",
                "its module on the meta device",
                partial(gallery_against_meta, path.stem),
                rounds=3,
                group="shapes of a spec of the gallery",
            )
