"""No value of a parameter, buffer or position raises a traceback: each fault is reported at the node."""

from __future__ import annotations

import json
from itertools import product

from tests.helpers.marked import faults, locations

SPEC = """\
params: {{n: 2, l: [2], t: zeros}}
inputs: {{x: [T, 8]}}
nodes:
  y: {{layer: ReLU, from: x}}
  p: {node}
outputs: [y, p]
"""
VALUES = [None, True, 3, -1, 0, 1.5, "zeros", "$n", "$l", "$t", "$(n * 2)", "$T", "x", [], [2]]
VALUES += [[[2]], [None], ["$n"], ["$T"], {}, {"normal": None}, {"a": [1]}, float("nan")]
# the value is in the place of ?
PLACES = {
    "shape": '{"parameter": ?, "init": "zeros"}',
    "init": '{"parameter": [2], "init": ?}',
    "arguments": '{"parameter": [2], "init": {"normal": ?}}',
    "argument": '{"parameter": [2], "init": {"normal": {"std": ?}}}',
    "constant": '{"buffer": [2], "init": {"constant": {"val": ?}}, "dtype": "int64"}',
    "values": '{"buffer": [1, 1], "init": [[?]], "dtype": "bool"}',
    "batched": '{"parameter": [2], "init": "zeros", "batched": ?}',
    "dtype": '{"buffer": [2], "init": "zeros", "dtype": ?}',
    "activation": '{"parameter": [2], "init": "zeros", "activation": ?}',
    "take": '{"buffer": [2], "init": "zeros", "take": ?}',
    "from": '{"parameter": [2], "init": "zeros", "from": ?}',
    "arange": '{"arange": ?, "dim": 1}',
    "dim": '{"arange": "x", "dim": ?}',
}


def test_no_value_raises_a_traceback() -> None:
    wrong = []
    for place, value in product(PLACES.values(), VALUES):
        node = place.replace("?", json.dumps(value).replace("NaN", ".nan"))
        text = SPEC.format(node=node)
        line = text[: text.index("  p: ")].count("\n") + 1
        wrong += [(node, one.message) for one in faults(text) if one.span.line != line]
    assert not wrong, wrong


def test_a_number_that_is_too_long_to_read_is_no_port() -> None:
    text = f"""
inputs: {{x: [8]}}
blocks: {{b: {{inputs: [x], nodes: {{fc: {{layer: Linear, from: x, out_features: 8}}}}, outputs: fc}}}}
nodes:
  s: {{block: b, from: x, repeat: 2}}
  p: {{layer: ReLU, from: s.{"9" * 5000}.fc.weight}}
outputs: [s, p]
"""
    assert locations(text) == ["unknown-port 6:28"]
