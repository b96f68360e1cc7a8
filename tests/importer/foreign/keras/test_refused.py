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
from tests.importer.cases import check_cases
from tests.importer.foreign.keras.configs import layer, read, sequential
from tests.importer.foreign.keras.oracle import FILES

DENSE = layer("Dense", units=2)


def test_wrong_configs_are_refused(tmp_path: Path, rewrite: bool) -> None:
    file = tmp_path / "model.json"

    def faults(text: str) -> str:
        file.write_text(text.removesuffix("\n"))
        with pytest.raises(SpecError) as caught:
            read_keras(file)
        return "".join(
            f"{one.code} {one.span.line} {one.message}\n" for one in caught.value.diagnostics
        )

    assert faults("[" * 100_000).startswith("too-large 1 ")
    check_cases(Path(__file__).with_name("faults.md"), faults, rewrite)


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
