"""Folding closes clusters into boxes, and collapsing draws long chains as one box."""

from __future__ import annotations

from pathlib import Path

import mimgraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.chains import close_chains
from mimgraph.picture.diagram.collapse import collapse
from mimgraph.picture.diagram.flat_repeats import fold_repeats
from mimgraph.picture.diagram.fold import fold
from mimgraph.picture.diagram.model import Cluster, Diagram, Item, boxes, clusters
from mimgraph.picture.diagram.open_once import open_once

NESTED = """
inputs: {x: [8], y: [8]}
blocks:
  inner: {inputs: [a, b], nodes: {sum: {merge: add, from: [a, b]}}, outputs: sum}
  outer:
    doc: two steps
    inputs: [a, b]
    nodes:
      one: {block: inner, from: [a, b]}
      rnn: {layer: Linear, from: one, out_features: 8}
    outputs: {first: one, second: rnn}
nodes:
  o: {block: outer, from: [x, y], repeat: 2}
  tower: {from: o.first, seq: [{Linear: 4}, ReLU]}
  again: {share: tower, from: o.second}
  twice: {merge: add, from: [tower, tower]}
  all: {merge: concat, from: [twice, again]}
outputs: all
"""


def drawn(text: str) -> Diagram:
    return diagram(mimgraph.loads(text).typed)


def outline(items: tuple[Item, ...]) -> list[str]:
    """Return a line `kind id` for each item, those in clusters indented."""
    lines = []
    for item in items:
        lines.append(f"{item.kind} {item.id}")
        if isinstance(item, Cluster):
            lines += [f"  {line}" for line in outline(item.items)]
    return lines


def edges(picture: Diagram) -> list[str]:
    return [f"{e.tail} -> {e.head}{f' ({e.label})' if e.label else ''}" for e in picture.edges]


def test_a_depth_opens_that_many_levels() -> None:
    one = fold(drawn(NESTED), 1)
    assert outline(one.items)[2:6] == ["block o", "  block o.0.one", "  layer o.0.rnn", "seq tower"]
    assert edges(one)[:3] == ["x -> o.0.one", "y -> o.0.one", "o.0.one -> o.0.rnn"]
    assert fold(drawn(NESTED), 2) == drawn(NESTED)


def test_a_closed_cluster_has_the_tooltip_of_the_open_one() -> None:
    (box,) = (item for item in fold(drawn(NESTED), 0).items if item.id == "o")
    assert box.tooltip == "two steps"


def test_every_folding_of_every_spec_has_no_dangling_edge(spec: Path) -> None:
    whole = diagram(mimgraph.load(spec).typed)
    some = (
        fold(whole, 0),
        fold(whole, 1),
        close_chains(whole),
        fold_repeats(whole),
        open_once(whole),
        collapse(whole),
    )
    for picture in (*some, collapse(fold(whole, 1)), fold_repeats(fold(whole, 0))):
        ids = [box.id for box in boxes(picture.items)]
        assert len(ids) == len(set(ids)) <= len(list(boxes(whole.items)))
        assert {e.tail for e in picture.edges} | {e.head for e in picture.edges} == set(ids)
        assert {box.shares for box in boxes(picture.items)} - {""} <= {
            *ids,
            *(cluster.id for cluster, _ in clusters(picture.items)),
        }
