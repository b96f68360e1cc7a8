"""Lifting: what differs between the uses of a block becomes an argument of its class.

`lifting.md` has specs, the classes that their blocks become, and how each use makes one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mimgraph
from tests.helpers.cases import each, texts


def lifted(spec: str, *_: str) -> tuple[str, str]:
    """Return the classes of the blocks, and the statements that make the uses."""
    before, _, model = mimgraph.loads(spec).source().partition("class Model")
    made = re.findall(r"^ +(self\.[pq] = .*\n)", model, re.MULTILINE)
    return before[before.index("class ") :].strip() + "\n", "".join(made)


def test_what_differs_is_an_argument() -> None:
    @each("spec, classes, made", texts(Path(__file__).with_name("lifting.md")))
    def check(spec: str, classes: str, made: str) -> None:
        assert lifted(spec) == (classes, made)

    check()


def test_a_default_may_read_the_param_of_the_spec_that_it_hides() -> None:
    source = mimgraph.loads("""
params: {width: 8}
inputs: {x: [4]}
blocks: {tower: {params: {width: $(2 * width)}, seq: [{Linear: $width}]}}
nodes:
  p: {block: tower, from: x}
  q: {block: tower, from: x, width: 5}
  both: {merge: concat, from: [p, q]}
outputs: both
""").source()
    assert "def __init__(self, width: int = 16) -> None:" in source
    assert "self.p = Tower()\n" in source


COMMENTED = """
blocks:
  tower:
    inputs: [x]
    nodes: {y: {layer: ReLU, from: x}, m: {layer: Mean, from: y, dim: 1}, z: {layer: Tanh, from: m}}
    outputs: z
  outer: {inputs: [x], nodes: {i: {block: tower, from: x}, j: {share: i, from: x}}, outputs: j}
inputs: {a: [T, 4], b: [S, 4]}
nodes: {p: USE, q: {share: p, from: b}, r: {merge: add, from: [p, q]}}
outputs: r
"""


@pytest.mark.parametrize("use", ["{block: tower, from: a}", "{block: outer, from: a}"])
def test_a_comment_on_which_a_share_disagrees_is_left_out(use: str) -> None:
    source = mimgraph.loads(COMMENTED.replace("USE", use)).source()
    tower, _, _ = source.partition("class Model")
    assert "m = self.y(x)\n        m = m.mean(1)  # (N, 4)\n" in tower


def test_a_comment_on_which_shares_agree_stays() -> None:
    text = COMMENTED.replace("USE", "{block: tower, from: a}").replace("b: [S, 4]", "b: [T, 4]")
    assert "m = self.y(x)  # (N, T, 4)\n" in mimgraph.loads(text).source()
