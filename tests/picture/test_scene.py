"""Wrong options of a picture are refused before a file is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg

SPEC = "inputs: {x: [4]}\nnodes: {y: {layer: Linear, from: x, out_features: %d}}\noutputs: y"
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"direction": "RL"}, "direction is 'TB' or 'LR', not 'RL'"),
    ({"direction": None}, "direction is 'TB' or 'LR', not None"),
    ({"theme": "blue"}, "theme is 'light' or 'dark', not 'blue'"),
    ({"depth": -1}, "depth is an integer of at least 0, or 'all', not -1"),
    ({"depth": "x"}, "depth is an integer of at least 0, or 'all', not 'x'"),
]


@pytest.mark.parametrize(("how", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_wrong_option_is_refused(how: dict[str, Any], message: str, tmp_path: Path) -> None:
    old, new = (mg.loads(SPEC % width) for width in (2, 3))
    for drawn in (old, mg.diff(old, new)):
        with pytest.raises(ValueError) as caught:
            drawn.draw(tmp_path / "x.svg", **how)
        assert str(caught.value) == message
    assert not list(tmp_path.iterdir())
