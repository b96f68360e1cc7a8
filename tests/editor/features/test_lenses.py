"""Lenses tell the cost of the model and of its blocks."""

from __future__ import annotations

from mimgraph.editor.features.lenses import lenses
from mimgraph.editor.features.node_facts import Facts
from mimgraph.editor.features.uses import uses_of
from tests.helpers.cases import each
from tests.helpers.editor import analysed

LEGAL = """\
inputs: {x: [8], t: [T, 8]}
blocks:
  tower: {params: {width: 4}, seq: [{Linear: $width}]}
  plain: {seq: [ReLU]}
  spare: {seq: [ReLU]}
nodes:
  a: {block: tower, from: x}
  b: {block: tower, from: a, width: 5}
  c: {layer: Linear, from: t, out_features: 2}
  d: {block: plain, from: c}
outputs: [b, d]
"""


@each(
    "text, expected",
    [
        (
            LEGAL,
            [
                "1 79 parameters, 16·N·T + 52·N MACs",
                "1 draw",
                "1 emit",
                "3 36 parameters, 32·N MACs in a, 2 different uses",
                "4 no parameters",
            ],
        ),
        (
            LEGAL.replace("ReLU", "Relu"),
            ["1 draw", "3 36 parameters, 32·N MACs in a, 2 different uses"],
        ),
        ("", []),
        ("- 1", []),
    ],
)
def test_lenses(text: str, expected: list[str]) -> None:
    analysis = analysed(text)
    found = lenses(analysis, uses_of(analysis), Facts(analysis))
    assert [f"{one.span.line} {one.text}" for one in found] == expected
