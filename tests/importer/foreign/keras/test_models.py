"""Imported models of Keras give the outputs that Keras gives, with the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import needed
from tests.importer.foreign.keras.equality import TOLERANCE, outputs, worst
from tests.importer.foreign.keras.oracle import FILES, made

pytestmark = pytest.mark.slow
needed("h5py")

STORED = sorted(path.stem for path in FILES.glob("*.keras"))
NAMES = [
    line.removeprefix("def ").partition("(")[0]
    for line in (Path(__file__).parent / "models.py").read_text().splitlines()
    if line.endswith("() -> Any:") and line.startswith("def ")
]
APPLICATIONS = (
    *("MobileNetV2", "MobileNetV3Small", "ResNet50", "EfficientNetB0", "EfficientNetV2B0"),
    *("DenseNet121", "ConvNeXtTiny", "VGG16", "InceptionV3", "Xception"),
)


@pytest.mark.parametrize("name", STORED)
def test_a_stored_model_computes_what_keras_computed(name: str) -> None:
    arrays = np.load(FILES / f"{name}.npz")
    inputs = {key.partition(".")[2]: arrays[key] for key in arrays if key.startswith("input.")}
    wanted = [arrays[key] for key in arrays if key.startswith("output.")]
    foreign, found = outputs(FILES / f"{name}.keras", inputs)
    assert worst(found, wanted) < TOLERANCE
    assert not [note for note in foreign.notes if note.kind == "opaque"]


@pytest.mark.parametrize(
    "name", [*NAMES, *(pytest.param(name, marks=pytest.mark.nightly) for name in APPLICATIONS)]
)
def test_a_model_computes_what_keras_computes(name: str, tmp_path: Path) -> None:
    needed("keras")
    model, inputs, wanted = made(name)
    model.save(tmp_path / "model.keras")
    foreign, found = outputs(tmp_path / "model.keras", inputs)
    assert worst(found, wanted) < TOLERANCE
    assert not [note for note in foreign.notes if note.kind == "opaque"]
