"""A frozen block leaves a layer that it shares from outside learning, and a warning says so."""

from __future__ import annotations

import mimgraph as mg
from tests.helpers.cases import each
from tests.helpers.marked import warnings

SPEC = """\
params: {{frozen: true}}
inputs: {{x: [5]}}
blocks:
  borrows: {{inputs: [v], nodes: {{b: {{share: own, from: v}}, c: {{layer: Linear, from: b, out_features: 5}}}}, outputs: c}}
  only: {{inputs: [v], nodes: {{b: {{share: own, from: v}}}}, outputs: b}}
  within: {{inputs: [v], nodes: {{b: {{block: borrows, from: v}}}}, outputs: b}}
  without: {{inputs: [v], nodes: {{b: {{layer: ReLU, from: v}}}}, outputs: b}}
nodes:
  own: {{layer: Linear, from: x, out_features: 5, freeze: {own}}}
  a: {{block: {block}, from: own, freeze: {freeze}}}
outputs: a
"""


@each("block", ["borrows", "only", "within"])
@each("own", [True, False])
def test_a_warning_stands_where_a_shared_layer_learns(block: str, own: bool) -> None:
    text = SPEC.format(block=block, own=str(own).lower(), freeze="true")
    found = [one for one in warnings(text) if one.code == "partly-frozen"]
    learning = {n for n, p in mg.loads(text).compile().named_parameters() if p.requires_grad}
    assert learning == (set() if own else {"own.weight", "own.bias"})
    assert [one.node for one in found] == ([] if own else ["a"])


@each("block, freeze", [("borrows", "false"), ("borrows", "$frozen"), ("without", "true")])
def test_nothing_is_reported_of_other_blocks(block: str, freeze: str) -> None:
    text = SPEC.format(block=block, own="false", freeze=freeze)
    assert not [one for one in warnings(text) if one.code == "partly-frozen"]
