"""The box of a closed `seq` names the layers and blocks inside it, in few words."""

from __future__ import annotations

import pytest

from mimgraph.picture.diagram.captions import box_lines, cards
from mimgraph.picture.diagram.chain_text import chain_text
from mimgraph.picture.diagram.model import Box


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


def test_a_box_of_repeats_is_a_stack_of_cards() -> None:
    expected = {
        "Linear 4 + Dropout": 1,
        "(Linear 4/8 + ReLU) × 2": 2,
        "ReLU + twin × 3": 1,
        "twin × 2 + pair": 1,
        "Linear 4 + ReLU, over T": 1,
        "twin × 3": 2,
        "twin": 1,
    }
    found = {text: cards(Box("y", "seq", "y", text)) for text in expected}
    assert found == expected


def test_the_number_of_repeats_is_bold_as_a_whole() -> None:
    (row,) = box_lines(Box("a", "block", "", "dense_layer × 6/12/24, frozen"))
    assert [run.text for run in row.runs if run.face == "bold"] == ["× 6/12/24"]
