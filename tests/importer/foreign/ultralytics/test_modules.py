"""Each module has the weights, the keys and the outputs of the package, as `expected.json` has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import mimgraph as mg
from mimgraph.importer.foreign.model import weight_names
from mimgraph.importer.foreign.ultralytics.read import read_ultralytics
from tests.conftest import sampled
from tests.importer.foreign.ultralytics.cases import models
from tests.importer.foreign.ultralytics.real import EXPECTED, digest

MODELS = models()


@pytest.mark.parametrize("name", sampled(MODELS, 30))
def test_weights_and_outputs(name: str, tmp_path: Path) -> None:
    expected: dict[str, Any] = json.loads(EXPECTED.read_text())[name]
    file = tmp_path / "model.yaml"
    file.write_text(yaml.safe_dump(MODELS[name], sort_keys=False))
    found = read_ultralytics(file)
    model = mg.from_dict(found.spec).compile()
    ours = model.state_dict()
    theirs = {key: ours[our] for our, key in weight_names(found.keys, ours).items()}
    assert digest(theirs) == expected["state"]
    assert sum(one.numel() for one in model.parameters()) == expected["parameters"]
    with torch.no_grad():
        returned = model.train()(image=torch.zeros(2, 3, 64, 32))
    outputs = returned if isinstance(returned, dict) else {"": returned}
    shapes = {key: list(one.shape) for key, one in outputs.items() if key in expected["outputs"]}
    assert shapes == expected["outputs"]
    assert not outputs.keys() - expected["outputs"].keys() - {"predictions", "probabilities"}
