"""`pad_like` adds what an axis lacks at the side that is named, and `both` gives the odd one to the end."""

from __future__ import annotations

import torch

import mimgraph as mg

SPEC = """\
inputs: {x: [T], longer: [S]}
nodes: {y: {merge: pad_like, from: [x, longer], dim: 1, side: SIDE, value: 9}}
outputs: y
"""
PADDED = {  # one step of two values, as long as three and four
    "start": ([9, 1, 2], [9, 9, 1, 2]),
    "end": ([1, 2, 9], [1, 2, 9, 9]),
    "both": ([1, 2, 9], [9, 1, 2, 9]),
}


def test_the_side_gets_what_is_missing() -> None:
    found = {}
    for side in PADDED:
        model = mg.loads(SPEC.replace("SIDE", side)).compile()
        x = torch.tensor([[1.0, 2.0]])
        results = (model(x=x, longer=torch.zeros(1, length)) for length in (3, 4))
        found[side] = tuple(result[0].int().tolist() for result in results)
    assert found == PADDED
