"""Build the models of the package itself: to compare with them, and to write `expected.json`.

python -m tests.importer.foreign.ultralytics.real
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tests.importer.foreign.ultralytics.cases import models

EXPECTED = Path(__file__).with_name("expected.json")
NO_WEIGHTS = re.compile(
    r".*\.(dfl\.conv\.weight|flow_model\..*)"
)  # constants, and parts of the loss
SHARED = ("feats", "proto")  # the same for both sets of convolutions


def build(config: dict[str, Any], scale: str | None = None) -> nn.Module:
    """Return the package's model, with other statistics than a new one has."""
    from ultralytics.nn.tasks import ClassificationModel, DetectionModel

    config = copy.deepcopy(config)
    config["scale"] = scale or next(iter(config.get("scales") or [""]))
    is_classifier = config["head"][-1][2] == "Classify"
    torch.manual_seed(0)
    model: nn.Module = (ClassificationModel if is_classifier else DetectionModel)(
        config, verbose=False
    )
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model


def state(model: nn.Module) -> dict[str, Tensor]:
    """Return the state_dict without what only the loss uses, and constants."""
    return {key: one for key, one in model.state_dict().items() if not NO_WEIGHTS.fullmatch(key)}


def digest(shapes: Mapping[str, Any]) -> str:
    """Return a digest of the keys of a state_dict and the shapes of its tensors."""
    lines = (f"{key} {tuple(value.shape)}" for key, value in sorted(shapes.items()))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def outputs(returned: Any, single: str = "") -> dict[str, Tensor]:
    """Return what a model of the package returned, by the names of our outputs; `single` is that of a
    tensor alone."""
    if isinstance(returned, Tensor):
        return {single: returned}
    if isinstance(returned, tuple) and isinstance(returned[0], Tensor) and returned[0].dim() == 4:
        return {"logits": returned[0], "aux": returned[1]}
    if isinstance(returned, tuple):
        first, raw = returned
        if isinstance(raw, Tensor):
            return {"probabilities": first, "logits": raw}
        return {"predictions": first[0] if isinstance(first, tuple) else first, **outputs(raw)}
    if "one2many" in returned:
        second = {key: one for key, one in returned["one2one"].items() if key not in SHARED}
        return outputs(returned["one2many"]) | {
            f"one2one_{key}": one for key, one in second.items()
        }
    found = dict(returned)
    maps = found.pop("feats", ())
    if isinstance(found.get("proto"), tuple):
        found["proto"], found["semantic"] = found["proto"]
    return found | {f"feats_{index}": one for index, one in enumerate(maps)}


def single_name(config: dict[str, Any]) -> str:
    """Return the name of our output where a model of the package returns one tensor in training."""
    return "logits" if config["head"][-1][2] in ("Classify", "SemanticSegment") else ""


def main() -> None:
    """Write what the package says of each case: its parameters, its weights and its outputs."""
    found = {}
    for name, config in models().items():
        model = build(config)
        with torch.no_grad():
            returned = outputs(model.train()(torch.zeros(2, 3, 64, 32)), single_name(config))
        found[name] = {
            "parameters": sum(
                one.numel()
                for key, one in model.named_parameters()
                if not NO_WEIGHTS.fullmatch(key)
            ),
            "state": digest(state(model)),
            "outputs": {key: list(one.shape) for key, one in returned.items()},
        }
    EXPECTED.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
