"""What was legal in an older version loads for good, and gives the classes, arguments, outputs and
keys of weights that it gave there. A folder for each version; docs/compatibility.md is the promise."""

from __future__ import annotations

import ast
import json
import re
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch

import mimgraph as mg
from tests.compatibility import record as recorder
from tests.compatibility.record import Record, record
from tests.compatibility.surface import lost, surface
from tests.conftest import in_ci, needed

HERE = Path(__file__).parent
VERSIONS = sorted(path for path in HERE.glob("v*") if path.is_dir())
SPECS = [path for version in VERSIONS for path in sorted((version / "specs").glob("*.yaml"))]
PROGRAMS = [path for version in VERSIONS for path in sorted((version / "python").glob("*.py"))]
SMALL = ("simple_numerical", "text_numerical", "image_numerical", "two_tower_retrieval")
TRAINED = ("digits", "fusions", "search", "missing_modality")  # examples that train for seconds
CASE = re.compile(r"```yaml\n(.*?)```\n\n```text\n(.*?)\n```\n", re.DOTALL)


@cache
def records(version: Path) -> dict[str, Record]:
    found: dict[str, Record] = json.loads((version / "records.json").read_text())
    return found


def name(path: Path) -> str:
    return f"{path.parents[1].name}-{path.stem}"


def test_every_spec_has_a_record() -> None:
    for version in VERSIONS:
        assert records(version).keys() == {p.stem for p in SPECS if p.parents[1] == version}


@pytest.mark.parametrize(
    "path", [in_ci(path, unless=path.stem in SMALL, name=name(path)) for path in SPECS]
)
def test_an_old_spec_loads_and_keeps_its_class_arguments_and_outputs(path: Path) -> None:
    graph = mg.load(path)
    wanted = records(path.parents[1])[path.stem]
    assert list(graph.outputs) == wanted["outputs"]
    emitted = {
        node.name: node for node in ast.parse(graph.source()).body if isinstance(node, ast.ClassDef)
    }
    (forward,) = (
        node
        for node in emitted[wanted["class"]].body
        if isinstance(node, ast.FunctionDef) and node.name == "forward"
    )
    given = zip(forward.args.kwonlyargs, forward.args.kw_defaults, strict=True)
    assert [arg.arg + "?" * (default is not None) for arg, default in given] == wanted["forward"]


@pytest.mark.slow
@pytest.mark.parametrize("path", SPECS, ids=name)
def test_an_old_spec_keeps_the_keys_and_shapes_of_its_weights(path: Path) -> None:
    found, wanted = record(mg.load(path)), records(path.parents[1])[path.stem]
    assert list(found["weights"].items()) == list(wanted["weights"].items())
    assert found == wanted


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(HERE.glob("v*/cases.md")), ids=lambda p: p.parent.name)
def test_old_cases_load_and_keep_the_shapes_of_their_outputs(path: Path) -> None:
    wrong, text = [], path.read_text()
    cases = CASE.findall(text)
    assert len(cases) == text.count("```yaml\n") > 300
    for spec, outputs in cases:
        graph = mg.loads(spec)
        found = "\n".join(f"{name} {output}" for name, output in graph.outputs.items())
        if found != outputs:
            wrong.append((spec, outputs, found))
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_nothing_public_has_gone(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed("docutils")
    monkeypatch.chdir(tmp_path)
    old = json.loads((version / "surface.json").read_text())
    now = surface(set(old["python"]), list(old["commands"])) | {"records": recorder.records()}
    assert lost(old, now) == []


def test_old_weights_load_and_give_the_same() -> None:
    """`graph.save` of 0.1 wrote the file, and its model gave the numbers."""
    model = mg.load_model(HERE / "v0_1" / "small.safetensors").eval()
    image = torch.linspace(-1, 1, 128).reshape(2, 1, 8, 8)
    with torch.no_grad():
        scores = model(image=image, words=torch.arange(10).reshape(2, 5))
    torch.testing.assert_close(scores, torch.tensor([[0.605705, 0.052467], [0.627029, 0.042977]]))


def test_what_would_break_a_program_is_noticed() -> None:
    parts = {"ops": {"layer Linear": ["bias"]}, "codes": ["cycle"], "commands": {}, "json": {}}
    old = parts | {"python": {"load": ["path", "params="], "diff": ["old", "new"]}}
    now = parts | {"python": {"load": ["path", "*params=", "base"]}, "ops": {}, "codes": []}
    assert lost(old, now) == [
        "ops: layer Linear: bias",
        "ops: layer Linear",
        "code: cycle",
        "python: load: params has moved",
        "python: load: base is needed now",
        "python: diff",
    ]


@pytest.mark.slow
def test_a_release_can_be_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the next version are complete: docs/release.md has the command."""
    needed("docutils")
    # what all specs give is tested above
    monkeypatch.setattr(recorder, "record", lambda graph: {"outputs": list(graph.outputs)})
    recorder.main(tmp_path)
    first = VERSIONS[0]
    assert {path.name for path in first.iterdir()} - {"small.safetensors"} == {
        path.name for path in tmp_path.iterdir()
    }
    old = json.loads((tmp_path / "surface.json").read_text())
    assert lost(old, recorder.public_surface()) == []
    assert len(CASE.findall((tmp_path / "cases.md").read_text())) > 300


@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_an_old_program_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if path.stem == "readme_weights":
        pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").symlink_to(path.parents[1] / "specs")
    if path.stem in TRAINED:
        command = [sys.executable, str(path)]
        subprocess.run(command, check=True, capture_output=True, timeout=600)
    else:
        runpy.run_path(str(path), run_name="__main__")
