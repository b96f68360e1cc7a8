"""Collapsing opens each block once; tests/picture/drawings/simplified.md has the diagrams."""

from __future__ import annotations

from dataclasses import replace

from mimgraph.picture.diagram.model import Cluster, Diagram, Item
from mimgraph.picture.diagram.open_once import open_once
from tests.picture.diagram.test_fold import drawn, outline

TWICE = """
inputs: {x: [8], y: [8]}
blocks: {step: {inputs: [x], nodes: {fc: {layer: Linear, from: x, out_features: 8}}, outputs: fc}}
nodes:
  a: {block: step, from: x}
  b: {block: step, from: y}
  all: {merge: concat, from: [a, b]}
outputs: all
"""


def marked(diagram: Diagram, id_: str) -> Diagram:
    def changed(item: Item) -> Item:
        if isinstance(item, Cluster):
            item = replace(item, items=tuple(map(changed, item.items)))
        return replace(item, mark="changed") if item.id == id_ else item

    return replace(diagram, items=tuple(map(changed, diagram.items)))


def test_a_block_with_a_change_inside_stays_open() -> None:
    for picture, is_open in ((drawn(TWICE), False), (marked(drawn(TWICE), "b.fc"), True)):
        assert ("  layer b.fc" in outline(open_once(picture).items)) == is_open
