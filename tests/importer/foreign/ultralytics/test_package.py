"""With the same weights a spec returns what the model of the package returns, in training and evaluation."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import mimgraph as mg
from mimgraph.importer.foreign.model import weight_names
from mimgraph.importer.foreign.ultralytics.read import read_ultralytics
from tests.importer.foreign.ultralytics.cases import models
from tests.importer.foreign.ultralytics.real import build, outputs, single_name

pytestmark = pytest.mark.nightly
ultralytics = pytest.importorskip("ultralytics")  # an extra that only the nightly run installs

MODELS = models()
PUBLISHED = [
    ("v3/yolov3-tiny", None),
    ("v5/yolov5", "n"),
    ("v6/yolov6", "n"),
    ("v8/yolov8", "n"),
    ("v8/yolov8", "m"),
    ("v8/yolov8-cls", "n"),
    ("v8/yolov8-seg", "n"),
    ("v8/yolov8-pose-p6", "n"),
    ("v8/yolov8-ghost", "n"),
    ("v9/yolov9t", None),
    ("v9/yolov9e", None),
    ("v10/yolov10n", None),
    ("11/yolo11", "n"),
    ("11/yolo11", "m"),
    ("11/yolo11-obb", "n"),
    ("12/yolo12", "n"),
    ("12/yolo12", "l"),
    ("26/yolo26", "n"),
]


@pytest.mark.parametrize("name", MODELS)
def test_cases(name: str, tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(yaml.safe_dump(MODELS[name], sort_keys=False))
    _compare(file, MODELS[name], None)


@pytest.mark.parametrize(("name", "scale"), PUBLISHED)
def test_published_models(name: str, scale: str | None) -> None:
    file = Path(ultralytics.__file__).parent / "cfg" / "models" / f"{name}.yaml"
    _compare(file, yaml.safe_load(file.read_text()), scale)


def _compare(file: Path, config: dict[str, Any], scale: str | None) -> None:
    found = read_ultralytics(file, scale)
    model = mg.from_dict(found.spec).compile()
    real = build(config, scale)
    state = real.state_dict()
    names = weight_names(found.keys, model.state_dict())
    model.load_state_dict({ours: state[theirs] for ours, theirs in names.items()})
    torch.manual_seed(1)
    image = torch.randn(2, 3, 128, 64)
    for training in (True, False):
        theirs, ours = copy.deepcopy(real).train(training), copy.deepcopy(model).train(training)
        with torch.no_grad():
            expected = outputs(theirs(image), single_name(config))
            returned = ours(image=image)
        returned = returned if isinstance(returned, dict) else {"": returned}
        if any(note.reason == "TopK" for note in found.notes):
            expected.pop("predictions", None)
        for name, value in expected.items():
            scale_of = value.abs().max().clamp(min=1e-6)
            assert (returned[name] - value).abs().max() / scale_of < 1e-4, name
