"""An axis that `over` folds is given back in the same line, unless a call of several values fills it."""

from __future__ import annotations

import mimgraph as mg

SPEC = "inputs: {x: [T, 4, 5], z: [T, 4, 5]}\nnodes: {y: NODE}\noutputs: {y: y, x: x, z: z}\n"
ONE_LINE = {  # the node, and how its line ends
    "{layer: Slice, from: x, over: 1, dim: 1, start: 1}": "[:, 1:].unflatten(0, x.shape[:2])",
    "{layer: Linear, from: x, over: 1, out_features: 3}": ").unflatten(0, x.shape[:2])",
    "{merge: formula, from: [x], expr: x * 2, over: 1}": " * 2).unflatten(0, x.shape[:2])",
}
TWO_LINES = "{layer: Bilinear, from: [x, z], over: 1, out_features: 3}"


def body(node: str) -> list[str]:
    lines = mg.loads(SPEC.replace("NODE", node)).source().splitlines()
    return [line.partition("  #")[0].strip() for line in lines if "flatten" in line]


def test_one_value_is_folded_and_given_back_in_one_line() -> None:
    found = {node: body(node) for node in ONE_LINE}
    wrong = {n: b for n, b in found.items() if len(b) != 1 or not b[0].endswith(ONE_LINE[n])}
    assert not wrong, wrong


def test_a_call_of_several_values_has_a_line_of_its_own() -> None:
    call, back = body(TWO_LINES)
    assert call.startswith("y = self.y(") and back == "y = y.unflatten(0, x.shape[:2])"
