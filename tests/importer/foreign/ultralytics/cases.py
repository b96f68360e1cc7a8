"""Small models in Ultralytics' format, one for each module and way to write its arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
FILES = {path.stem: path for path in sorted(HERE.glob("*.yaml"))}

ROWS = yaml.safe_load((HERE / "modules.yml").read_text())
STEM = [-1, 1, "Conv", [128, 3, 2]]


def models() -> dict[str, dict[str, Any]]:
    """Return all models by name."""
    half = {"nc": 6, "kpt_shape": [3, 2], "scales": {"n": [0.5, 0.5, 512]}}
    found = {
        name: {**half, "backbone": [STEM], "head": [row]} for name, row in ROWS["last"].items()
    }
    maps = [STEM, [-1, 1, "Conv", [64, 3, 2]], [-1, 1, "C2f", [64]], [-1, 1, "Conv", [128, 3, 2]]]
    newer = [*maps[:2], [-1, 1, "C3k2", [64]], maps[3]]
    for name, (module, given) in ROWS["heads"].items():
        head = [[2, 3], 1, module, given]
        found[name] = {**half, "backbone": maps, "head": [head]}
        found[f"{name} newer"] = {**half, "backbone": newer, "head": [head]}
    twice = {"end2end": True, "reg_max": 1}
    found["Detect twice"] = {**found["Detect newer"], **twice}
    found["Segment twice"] = {**found["Segment newer"], **twice, "reg_max": 4}
    found["OBB twice"] = {**found["OBB26 newer"], **twice}
    found["Pose twice"] = {**found["Pose26 newer"], **twice, "kpt_shape": [4, 3]}
    found["Segment26 twice"] = {**found["Segment26 newer"], **twice}
    found["Pose of three"] = {**found["Pose"], "kpt_shape": [4, 3]}
    split = [
        [-1, 1, "CBLinear", [[16, 24]]],
        [0, 1, "CBLinear", [[24]]],
        [0, 1, "Conv", [48, 3, 1]],
    ]
    found["CBFuse"] = {
        **half,
        "backbone": [STEM, *split],
        "head": [[[1, 2, -1], 1, "CBFuse", [[1, 0]]]],
    }
    found |= {name: yaml.safe_load(path.read_text()) for name, path in FILES.items()}
    return found
