"""The box of a closed `seq` names the layers and blocks inside it, in few words."""

from __future__ import annotations

import pytest

from mimgraph.picture.diagram.captions import box_lines, cards
from mimgraph.picture.diagram.chain_text import chain_text
from mimgraph.picture.diagram.fold import fold
from mimgraph.picture.diagram.model import Box
from tests.picture.diagram.test_fold import drawn

BLOCKS = """
blocks:
  pair: {seq: [ReLU, Tanh]}
  twin: {params: {width: 4}, inputs: [x], nodes: {a: {layer: Linear, from: x, out_features: $width}, b: {merge: add, from: [a, a]}}, outputs: b}
"""


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["Linear 4", "ReLU"], "Linear 4 + ReLU"),
        (["Linear 4", "ReLU", "Linear 8", "ReLU"], "(Linear 4/8 + ReLU) × 2"),
        (["Linear 4", "ReLU", "Linear 8", "Tanh"], "Linear 4 + ReLU + Linear 8 + Tanh"),
        (
            ["Linear 4", "ReLU", "Linear 8", "Tanh", "Linear 6", "ReLU", "Linear 4", "ReLU"],
            "(Linear 4/8/6/4 + ReLU/Tanh) × 4",
        ),
        (["a", "b", "c"] * 2 + ["a", "d", "e"], "9 layers: a + b + c + a + b + c + …"),
        (["a", "b", "c", "d", "e", "f", "g"], "7 layers: a + b + c + d + e + f + …"),
    ],
)
def test_the_texts_of_layers_are_joined(words: list[str], text: str) -> None:
    assert chain_text(words, len(words)) == text


@pytest.mark.parametrize(
    ("node", "text", "stacked"),
    [
        ("{from: x, seq: [{Linear: 4}, {Dropout: 0.1}]}", "Linear 4 + Dropout", 1),
        ("{from: x, seq: [{Linear: 4}, ReLU, {Linear: 8}, ReLU]}", "(Linear 4/8 + ReLU) × 2", 2),
        ("{from: x, seq: [ReLU, {twin: {repeat: 3}}]}", "ReLU + twin × 3", 1),
        ("{from: x, seq: [{twin: 4}, {twin: 4}, {pair: {}}]}", "twin × 2 + pair", 1),
        ("{from: x, seq: [{Linear: 4}, ReLU], over: 1}", "Linear 4 + ReLU, over T", 1),
        ("{block: twin, from: x, repeat: 3}", "twin × 3", 2),
        ("{block: twin, from: x}", "twin", 1),
    ],
)
def test_a_closed_seq_names_what_is_inside(node: str, text: str, stacked: int) -> None:
    shape = "[T, 4]" if "over" in node else "[4]"
    picture = fold(drawn(f"{BLOCKS}inputs: {{x: {shape}}}\nnodes: {{y: {node}}}\noutputs: y"), 0)
    (box,) = (item for item in picture.items if item.id == "y")
    assert isinstance(box, Box)
    assert (box.subtitle, cards(box)) == (text, stacked)


def test_the_number_of_repeats_is_bold_as_a_whole() -> None:
    (row,) = box_lines(Box("a", "block", "", "dense_layer × 6/12/24, frozen"))
    assert [run.text for run in row.runs if run.face == "bold"] == ["× 6/12/24"]
