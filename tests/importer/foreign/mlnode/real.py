"""Build the modules of the package itself: to compare with them, and to write `expected.json`.

python -m tests.importer.foreign.mlnode.real
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tests.importer.foreign.mlnode.cases import MODELS

EXPECTED = Path(__file__).with_name("expected.json")
SIZES = {"Seq": 5}


def build(data: dict[str, Any]) -> nn.Module:
    """Return the module of the package."""
    from mlnode import MLnodeModel

    torch.manual_seed(0)
    module: nn.Module = MLnodeModel.from_dict(data).build()
    return module


def arguments(data: dict[str, Any]) -> list[Tensor]:
    """Return a batch for each input, in order."""
    torch.manual_seed(1)
    shape = [2, *(SIZES.get(size, size) for size in data["input_shape"][1:])]
    count = sum(node["type"] == "Input" for node in data["nodes"])
    if any(node["type"] == "Embedding" for node in data["nodes"]):
        return [torch.randint(20, shape) for _ in range(count)]
    return [torch.randn(shape) for _ in range(count)]


def main() -> None:
    """Write what the package says of each model: the shapes of its weights and of its result."""
    found = {}
    for name, data in MODELS.items():
        module = build(data)
        found[name] = {
            "state": {key: list(one.shape) for key, one in module.state_dict().items()},
            "output": list(module(*arguments(data)).shape),
        }
    EXPECTED.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
