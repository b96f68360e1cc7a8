"""Models in MLnode's format, and an even smaller one for a layer alone."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

Data = dict[str, Any]
MODELS: dict[str, Data] = json.loads(Path(__file__).with_name("models.json").read_text())


def chain(shape: list[Any], *layers: Data) -> Data:
    """Return a model of layers one after another."""
    nodes = [{"id": "input", "type": "Input"}]
    nodes += [{"id": f"node{index}", **layer} for index, layer in enumerate(layers)]
    ids = [node["id"] for node in nodes]
    return {
        "mlnode_schema_version": "1.0",
        "input_shape": shape,
        "nodes": nodes,
        "edges": [{"source": one, "target": two} for one, two in pairwise(ids)],
        "output_node": ids[-1],
    }
