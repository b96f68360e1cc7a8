"""Collapsing opens each block once; a block that hides nothing of a comparison or of shared weights is closed."""

from __future__ import annotations

from dataclasses import replace

from mimgraph.picture.diagram.model import Cluster, Diagram, Item
from mimgraph.picture.diagram.open_once import open_once
from tests.picture.diagram.test_fold import drawn, edges, outline

GATE = "{layer: Linear, from: x, out_features: $width}"


def twice(gate: str = GATE) -> Diagram:
    """Return the diagram of a block that is used twice, and of one with other edges; `head` is a node
    outside, whose module the gate may share."""
    return drawn(f"""
inputs: {{x: [8], y: [8]}}
blocks:
  residual:
    params: {{width: 8}}
    inputs: [x]
    nodes:
      fc: {{layer: Linear, from: x, out_features: $width}}
      gate: {gate}
      sum: {{merge: add, from: [fc, gate]}}
    outputs: sum
  other:
    inputs: [x]
    nodes:
      fc: {{layer: Linear, from: x, out_features: 8}}
      gate: {{layer: Linear, from: fc, out_features: 8}}
      sum: {{merge: add, from: [fc, gate]}}
    outputs: sum
nodes:
  head: {{layer: Linear, from: x, out_features: 8}}
  a: {{block: residual, from: head}}
  b: {{block: residual, from: y, width: {4 if gate == GATE else 8}}}
  c: {{block: other, from: x}}
  all: {{merge: concat, from: [a, b, c]}}
outputs: all
""")


def test_the_first_use_of_a_block_is_open_and_the_others_are_closed() -> None:
    picture = open_once(twice())
    assert outline(picture.items) == [
        "input x",
        "input y",
        "layer head",
        "block a",
        "  layer a.fc",
        "  layer a.gate",
        "  merge a.sum",
        "block b",
        "block c",
        "  layer c.fc",
        "  layer c.gate",
        "  merge c.sum",
        "merge all",
        "output output all",
    ]
    assert "y -> b" in edges(picture)
    assert "b -> all" in edges(picture)


def marked(diagram: Diagram, id_: str) -> Diagram:
    def changed(item: Item) -> Item:
        if isinstance(item, Cluster):
            item = replace(item, items=tuple(map(changed, item.items)))
        return replace(item, mark="changed") if item.id == id_ else item

    return replace(diagram, items=tuple(map(changed, diagram.items)))


def test_a_block_that_shows_more_than_its_structure_stays_open() -> None:
    pictures = {
        "a change inside": marked(twice(), "b.gate"),
        "a module of a node outside": twice("{share: head, from: x}"),
    }
    opened = {what: outline(open_once(picture).items) for what, picture in pictures.items()}
    assert [what for what, lines in opened.items() if "  layer b.fc" not in lines] == []


def test_a_block_that_shares_a_module_within_itself_is_closed() -> None:
    picture = open_once(twice("{share: fc, from: x}"))
    assert "block b" in outline(picture.items)
    assert "  layer b.fc" not in outline(picture.items)
