"""Chains of layers are drawn as one box, whose text names the layers."""

from __future__ import annotations

import pytest

from mimgraph.picture.diagram.chains import close_chains
from mimgraph.picture.diagram.model import Box, boxes
from tests.picture.diagram.test_fold import drawn, edges, outline

BLOCKS = """
inputs: {x: [3, 8, 8]}
blocks:
  conv_bn: {params: {width: null, kernel: 3}, seq: [Conv2d: {out_channels: $width, kernel_size: $kernel, padding: same}, BatchNorm2d, ReLU]}
  double: {params: {width: null}, seq: [conv_bn: $width, conv_bn: $(2 * width)]}
  down: {params: {width: null}, seq: [MaxPool2d: {kernel_size: 2, stride: 2}, double: $width]}
nodes:
  y: {from: x, seq: [%s]}
outputs: y
"""


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ("{Linear: 4}, ReLU, {Linear: 4}, ReLU", "(Linear 4 + ReLU) × 2"),
        ("{Linear: 4}, ReLU, {Linear: 8}, ReLU", "(Linear 4/8 + ReLU) × 2"),
        ("Tanh, Tanh, Tanh", "Tanh × 3"),
        ("{Linear: {out_features: 4, activation: GELU}}, Tanh", "Linear 4 + GELU + Tanh"),
        ("{Linear: 4}", "Linear 4"),
        (
            "{Linear: 4}, ReLU, Tanh, ReLU, GELU, Softplus, Tanh",
            "7 layers: Linear 4 + ReLU + Tanh + ReLU + GELU + Softplus + …",
        ),
    ],
)
def test_a_seq_of_layers_is_one_box(nodes: str, text: str) -> None:
    picture = close_chains(
        drawn(f"{{inputs: {{x: [4]}}, nodes: {{y: {{from: x, seq: [{nodes}]}}}}, outputs: y}}")
    )
    assert [(box.id, box.kind, box.subtitle) for box in boxes(picture.items)][1:-1] == [
        ("y", "seq", text)
    ]


DOUBLE = "MaxPool2d 2×2 /2 + (Conv2d 8/16 3×3 + BatchNorm2d + ReLU) × 2"


@pytest.mark.parametrize(
    ("items", "texts"),
    [
        (["conv_bn: 8"], ["Conv2d 8 3×3 + BatchNorm2d + ReLU"]),
        (["double: 8"], ["(Conv2d 8/16 3×3 + BatchNorm2d + ReLU) × 2"]),
        (["down: 8"], [DOUBLE]),
        (
            ["conv_bn: {width: 8, kernel: 1}", "conv_bn: 8"],
            ["Conv2d 8 1×1 + BatchNorm2d + ReLU + Conv2d 8 3×3 + BatchNorm2d + ReLU"],
        ),
        (
            ["Conv2d: {out_channels: 4, kernel_size: [1, 3]}", "down: 8", "down: 8"],
            ["Conv2d 4 1×3", DOUBLE, DOUBLE],
        ),
    ],
)
def test_blocks_that_are_chains_are_boxes_as_long_as_these_can_name_all(
    items: list[str], texts: list[str]
) -> None:
    chain = ", ".join(f"{{{item}}}" for item in items)
    picture = close_chains(drawn(BLOCKS.replace("%s", chain)))
    found = [box.brief or box.subtitle for box in boxes(picture.items)]
    assert found[1:-1] == texts


def test_layers_beside_a_chain_stay_boxes_if_they_are_few() -> None:
    text = "inputs: {x: [4]}\nnodes: {a: {layer: Tanh, from: x}, b: {layer: ReLU, from: a}}\noutputs: b"
    assert outline(close_chains(drawn(text)).items) == [
        "input x",
        "layer a",
        "layer b",
        "output output b",
    ]


def test_a_chain_ends_at_a_layer_that_others_read_or_share() -> None:
    row = "\n".join(
        f"  n{i + 1}: {{layer: Linear, from: n{i}, out_features: 4}}" for i in range(12)
    )
    picture = close_chains(
        drawn(f"""
inputs: {{n0: [4]}}
nodes:
{row}
  sum: {{merge: add, from: [n12, n5]}}
  again: {{share: n6, from: sum}}
outputs: again
""")
    )
    assert outline(picture.items) == [
        "input n0",
        "chain n1 to n5",
        "layer n6",
        "chain n7 to n12",
        "merge sum",
        "layer again",
        "output output again",
    ]
    assert edges(picture)[:3] == ["n0 -> n1 to n5", "n1 to n5 -> n6", "n6 -> n7 to n12"]
    chain = picture.items[1]
    assert isinstance(chain, Box)
    assert (chain.title, chain.subtitle) == ("n1 … n5", "Linear 4 × 5")
    assert chain.shapes == ("(N, 4)",)
