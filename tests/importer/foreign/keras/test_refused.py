"""Files that are no models, or attack the reader, are refused with a diagnostic at the fault."""

from __future__ import annotations

import copy
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg
from mimgraph.diagnostics import SpecError
from mimgraph.importer.foreign.keras import read_keras
from tests.conftest import needed, sampled
from tests.importer.foreign.keras.configs import call, functional, layer, read, sequential
from tests.importer.foreign.keras.oracle import FILES

DENSE = layer("Dense", units=2)
CASES: dict[str, tuple[Any, str, str]] = {
    "no JSON": ("{'a': 1}", "wrong-type", "this is not JSON"),
    "deep JSON": ("[" * 100_000, "too-large", "nested too deeply"),
    "another class": ({"class_name": "Mine"}, "wrong-type", "this is a Mine"),
    "no model": ([1], "wrong-type", "this is no model of Keras"),
    "no shape": (
        sequential([5], DENSE) | {"config": {"name": "s", "layers": [DENSE]}},
        "missing-key",
        "the model has no input shape",
    ),
    "a number that is a text": (
        sequential([5], layer("Dense", units="two")),
        "wrong-type",
        "Dense dense: units must be a whole number",
    ),
    "two layers of one name": (sequential([5], DENSE, DENSE), "duplicate-name", "'dense'"),
    "a cycle": (
        functional({"x": [5]}, ["a"], call(layer("ReLU", "a"), "b"), call(layer("ReLU", "b"), "a")),
        "unknown-source",
        "it reads 'b', which no layer before it gives",
    ),
    "an output that nobody gives": (
        functional({"x": [5]}, ["y"], call(layer("ReLU", "a"), "x")),
        "unknown-source",
        "no layer is called 'y'",
    ),
    "a padding that depends on an open size": (
        sequential(
            [None, None, 3], layer("Conv2D", filters=1, kernel_size=3, strides=2, padding="same")
        ),
        "symbolic-size",
        "a size that the file leaves open",
    ),
    "an image for text": (
        sequential([5, 5, 3], layer("Conv1D", filters=1, kernel_size=3)),
        "rank-mismatch",
        "",
    ),
}


def test_wrong_configs_are_refused(tmp_path: Path) -> None:
    wrong = {}
    for case, (config, code, text) in CASES.items():
        with pytest.raises(SpecError) as caught:
            read(config, tmp_path)
        (fault,) = caught.value.diagnostics
        if fault.code != code or text not in fault.message:
            wrong[case] = str(fault)
    assert not wrong, wrong


def test_a_fault_is_shown_at_the_layer(tmp_path: Path) -> None:
    config = sequential([5], layer("Dense", "first", units=2), layer("Dense", "second", units=[]))
    with pytest.raises(SpecError) as caught:
        read(config, tmp_path)
    span = caught.value.diagnostics[0].span
    assert span.excerpt().text == '"second"'


def test_models_nested_without_end_are_refused(tmp_path: Path) -> None:
    config = sequential([5], DENSE)
    for number in range(60):
        config = sequential([5], {**config, "name": f"m{number}"})
    with pytest.raises(SpecError, match="models are nested"):
        read(config, tmp_path)


def _archive(path: Path, config: str, weights: bytes, how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights)
    return path


def _stored() -> tuple[str, bytes]:
    with zipfile.ZipFile(FILES / "text_numbers.keras") as archive:
        return archive.read("config.json").decode(), archive.read("model.weights.h5")


def test_an_archive_without_a_config_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("other", "")
    with pytest.raises(SpecError, match=r"no config\.json"):
        read_keras(tmp_path / "m.keras")


def test_a_zip_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = _archive(tmp_path / "m.keras", _stored()[0], bytes(1 << 25), zipfile.ZIP_DEFLATED)
    with pytest.raises(SpecError, match="which is no model"):
        read_keras(path)


@pytest.mark.slow
def test_weights_that_are_no_hdf5_are_refused(tmp_path: Path) -> None:
    needed("h5py")
    with pytest.raises(SpecError, match="the weights cannot be read"):
        read_keras(_archive(tmp_path / "m.keras", _stored()[0], b"text"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "attack", ["external file", "soft link", "external link", "huge", "missing"]
)
def test_weights_that_point_elsewhere_are_refused(attack: str, tmp_path: Path) -> None:
    h5py = needed("h5py")
    config, weights = _stored()
    (tmp_path / "w.h5").write_bytes(weights)
    with h5py.File(tmp_path / "w.h5", "a") as file:
        place = file["layers/dense/vars"]
        del place["0"]
        if attack == "external file":
            place.create_dataset("0", (5, 4), "f4", external=[("/etc/passwd", 0, 80)])
        elif attack == "soft link":
            place["0"] = h5py.SoftLink("/layers/dense/vars/1")
        elif attack == "external link":
            place["0"] = h5py.ExternalLink("other.h5", "/x")
        elif attack == "huge":
            place.create_dataset("0", (1 << 40, 4), "f4", chunks=(1, 4))
    with pytest.raises(SpecError):
        read_keras(_archive(tmp_path / "m.keras", config, (tmp_path / "w.h5").read_bytes()))


def test_a_file_without_h5py_has_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    foreign = read_keras(FILES / "text_numbers.keras")
    assert foreign.state is None and "pip install h5py" in foreign.notes[-1].message
    assert mg.from_dict(foreign.spec)


JUNK: tuple[Any, ...] = (
    *(None, 0, -1, 3, 10**20, 1.5, True, "", "same", [], [1, 2], {}, float("nan"), [[1]]),
)


@pytest.mark.parametrize("seed", sampled(range(60), 20))
def test_a_damaged_config_gives_a_diagnostic_or_a_spec(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    with zipfile.ZipFile(rng.choice(sorted(FILES.glob("*.keras")))) as archive:
        config = json.loads(archive.read("config.json"))
    for _ in range(rng.choice([1, 1, 3])):
        place, key = rng.choice([*_places(config)])
        place[key] = copy.deepcopy(rng.choice(JUNK))
    try:
        mg.from_dict(read(config, tmp_path).spec)
    except SpecError as error:
        assert error.diagnostics


def _places(tree: Any) -> Any:
    """Yield every place of nested data, a container with a key."""
    for key, item in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(item, dict | list):
            yield from _places(item)
