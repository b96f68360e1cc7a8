"""The legend lists the marks of a picture, and only those that occur in it."""

from __future__ import annotations

import pytest

import mimgraph as mg
from mimgraph.picture.brush import Brush
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge
from mimgraph.picture.figure import figure
from mimgraph.picture.geometry import Text
from mimgraph.picture.legend import ENTRIES, KINDS, MARKS, below, marks
from mimgraph.picture.scene import Scene
from mimgraph.picture.themes import PALETTES
from tests.picture.scenes import EVERYTHING

BRUSH = Brush(PALETTES["light"])


def texts(picture: Diagram) -> list[str]:
    return [entry.text for entry in marks(picture)]


MARKED = [
    (Box("a", "layer", "a", "Linear 3 to 8"), []),
    (Box("a", "seq", "a", "Linear 8 + ReLU"), ["folded"]),
    (Box("a", "block", "a", "residual × 3"), ["folded and repeated"]),
    (Box("a", "chain", "a", "9 layers: Linear, ReLU"), ["chain of layers"]),
    (Box("a", "input", "a", optional=True), ["optional"]),
    (Box("a", "output", "a", optional=True), ["in training only"]),
    (Box("a", "layer", "a", shares="b"), ["same letter: same weights"]),
    (Box("a", "layer", "a", mark="follows"), ["follows from a change"]),
]


def test_a_mark_has_an_entry() -> None:
    for box, expected in MARKED:
        assert texts(Diagram("D", "", (Box("b", "layer", "b"), box), ())) == expected, box


def test_marks_inside_blocks_and_on_edges_have_entries() -> None:
    inner = Box("b.0", "layer", "", mark="removed")
    picture = Diagram(
        "D",
        "",
        (Box("a", "layer", "a"), Cluster("b", "repeat", "", "", (inner,))),
        (Edge("a", "b.0", mark="added"),),
    )
    assert texts(picture) == ["added", "removed", "repeated, drawn once"]


def test_every_mark_has_a_text() -> None:
    assert MARKS.keys() == PALETTES["light"].marks.keys()


def test_a_page_knows_every_entry_of_a_static_picture() -> None:
    assert {*marks(EVERYTHING)} < {*ENTRIES}
    assert [entry.text for entry in ENTRIES[: len(KINDS)]] == [
        *("input", "layer", "merge", "tensor of the model", "output")
    ]


def test_a_picture_without_marks_has_no_legend() -> None:
    graph = mg.loads(
        "inputs: {x: [4]}\nnodes: {y: {layer: Linear, from: x, out_features: 2}}\noutputs: y"
    )
    picture = diagram(graph.typed)
    assert "legend" not in [group.id for group in figure(Scene(picture)).groups]
    assert below(picture, BRUSH, 100, 50).height == 50


@pytest.mark.parametrize("width", [60, 300, 2000])
def test_the_legend_is_below_the_picture_and_inside_its_new_size(width: float) -> None:
    legend = below(EVERYTHING, BRUSH, width, 500)
    rows = [shape for shape in legend.shapes if isinstance(shape, Text) and shape.anchor == "start"]
    assert len(rows) == len(marks(EVERYTHING))
    for row in rows:
        assert 500 < row.y < legend.height and row.x + row.line.width < legend.width
    assert len({row.y for row in rows}) == {60: len(rows), 300: 4, 2000: 1}[int(width)]
