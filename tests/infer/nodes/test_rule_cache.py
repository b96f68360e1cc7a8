"""The cache of rules' answers changes nothing: a spec emits the same code after any other spec."""

from __future__ import annotations

from itertools import permutations

import mimgraph as mg
from mimgraph.infer.nodes import known_nodes, rule_cache
from mimgraph.infer.nodes.known_nodes import forget
from tests.helpers.cases import each

ALIKE = {  # equal options that are emitted in different text
    "zeros of two signs": ("Pad: {pad: [1, 1], value: %s}", ["0.0", "-0.0", "$(-zero)"]),
    "sizes of other origins": ("Linear: %s", ["8", "$hidden", "$(2 * half)", "$(half + half)"]),
    "numbers in a list": ("Reshape: [%s, -1]", ["4", "$half", "$(hidden // 2)"]),
    "numbers in a text": (
        'Rearrange: {pattern: "n (a b) -> n a b", sizes: {a: %s}}',
        ["4", "$half", "$(hidden // 2)"],
    ),
}


@each("item, options", ALIKE)
def test_a_spec_emits_the_same_after_any_other(item: str, options: list[str]) -> None:
    specs = [
        "params: {hidden: 8, half: 4, zero: 0.0}\ninputs: {x: [8]}\n"
        f"blocks:\n  b: {{params: {{hidden: 8}}, seq: [{item % option}]}}\n"
        "nodes:\n  y: {block: b, from: x}\n  z: {block: b, from: x, hidden: 16}\n"
        "outputs: [y, z]\n"
        for option in options
    ]
    alone = {}
    for spec in specs:
        forget()
        alone[spec] = _emitted(spec)
    for order in permutations(specs):
        forget()
        assert {spec: _emitted(spec) for spec in order} == alone


def _emitted(spec: str) -> str:
    try:
        return mg.loads(spec).source()
    except mg.SpecError as error:
        return str(error)


def test_long_options_are_not_remembered() -> None:
    forget()
    expr = " + ".join(["x" * 20] * 60)
    mg.loads(
        f"inputs: {{x: [8]}}\nnodes:\n  y: {{merge: formula, expr: {expr}, from: {{{'x' * 20}: x}}}}\n"
        "  z: {layer: ReLU, from: y}\noutputs: z\n"
    )
    assert len(rule_cache._asked) == len(known_nodes._known) == 1
