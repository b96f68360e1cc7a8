"""`new` writes a project into a new folder: from nothing, a spec of the gallery, a file, or Python code."""

from __future__ import annotations

import ast
import importlib.machinery
import json
import subprocess
import sys
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.project.plan import TAKEN
from tests.conftest import ROOT

FILES = ["my_model.yaml", "test_my_model.py", "train.py"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_a_spec_it_has_an_image_and_a_table(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    code, out = run("new", "my_model")
    assert (code, names(place / "my_model")) == (0, FILES)
    assert "wrote my_model " in out.error
    assert "python my_model/train.py\n" in out
    graph = mg.load("my_model/my_model.yaml")
    assert (graph.name, [*graph.inputs], graph.warnings) == ("MyModel", ["image", "table"], ())


def test_a_spec_of_the_gallery_keeps_its_text(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("new", "my_model", "--like", "digits", "--set", "fusion=gated")[0] == 0
    text = (ROOT / "specs" / "digits.yaml").read_text()
    expected = text.replace("name: Digits", "name: MyModel").replace(
        "fusion: joined,", "fusion: gated,"
    )
    assert (place / "my_model" / "my_model.yaml").read_text() == expected


def test_parts_come_along(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("new", "my_model", "--like", "search")[0] == 0
    assert names(place / "my_model") == sorted([*FILES, "reader.yaml"])
    assert mg.load("my_model/my_model.yaml").name == "MyModel"


def test_a_part_without_blocks_comes_along(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    write_parts(place)
    assert run("new", "my_model", "--like", "top.yaml")[0] == 0
    for name in ("middle.yaml", "towers/tower.yaml"):
        assert (place / "my_model" / name).read_text() == (place / name).read_text()
    assert mg.load("my_model/my_model.yaml").shapes["y"] == mg.load("top.yaml").shapes["y"]


def write_parts(place: Path) -> None:
    """Write `top.yaml`, whose part `middle.yaml` has the part `towers/tower.yaml`."""
    (place / "towers").mkdir()
    parts = {"top": "middle.yaml", "middle": "towers/tower.yaml"}
    for name, part in parts.items():
        (place / f"{name}.yaml").write_text(
            f"inputs: {{x: [{4 if name == 'top' else 'C'}]}}\nparts: {{inner: {part}}}\n"
            "nodes: {y: {block: inner, from: x}}\noutputs: y\n"
        )
    (place / "towers" / "tower.yaml").write_text(
        "inputs: {x: [C]}\nnodes: {y: {layer: Linear, from: x, out_features: 5}}\noutputs: y\n"
    )


def test_a_part_cannot_be_a_file_of_the_project(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    write_parts(place)
    code, out = run("new", "middle", "--like", "top.yaml")
    assert code == 2 and "middle.yaml is a part of the spec, and a file of the project" in out.error
    assert not (place / "middle").exists()


def test_marks_and_separators_of_unicode_are_no_lines(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    text = (
        "# a\u2028b\nparams: {width: 2}\ninputs: {x: [4]}\n"
        "nodes: {y: {layer: Linear, from: x, out_features: $width}}\noutputs: y\n"
    )
    (place / "old.yaml").write_text(f"\ufeff{text}", encoding="utf-8")
    assert run("new", "my_model", "--like", "old.yaml", "--set", "width=7")[0] == 0
    expected = text.replace("params: {width: 2}", "name: MyModel\nparams: {width: 7}")
    assert (place / "my_model" / "my_model.yaml").read_text(encoding="utf-8") == expected


def test_python_code_is_imported(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    code, out = run("new", "net", "--from", "my_model.py:Net", "--input", "x=4", "--input", "y=6")
    assert code == 0, out.error
    graph = mg.load("net/net.yaml")
    assert (graph.name, [*graph.inputs]) == ("Net", ["x", "y"])


def test_a_project_of_the_name_of_its_module_hides_it_not(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    words = ["--from", "my_model.py:Net", "--input", "x=4", "--input", "y=6"]
    assert run("new", "my_model", *words)[0] == 0
    found = importlib.machinery.PathFinder.find_spec("my_model", [str(my_model)])
    assert found is not None and found.origin == str(my_model / "my_model.py")
    assert run("import", *words[1:])[0] == 0


GATE = """\
import mimgraph as mg
import torch
from torch import nn

@mg.register
class Gate(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.fc = nn.Linear(hidden, hidden)

    def forward(self, x):
        return self.fc(x).sigmoid()

class Odd(nn.Module):
    def forward(self, x):
        return torch.linalg.eigvalsh(torch.diag_embed(x))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.odd, self.fc = Odd(), nn.Linear(4, 3)

    def forward(self, x):
        return self.odd(self.fc(x))
"""


@pytest.mark.slow  # starts a Python
def test_a_project_registers_its_layers(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    (place / "gates.py").write_text(GATE)
    (place / "old.yaml").write_text(
        "inputs: {x: [4]}\nnodes: {y: {layer: Gate, from: x, hidden: 4}}\noutputs: y\n"
    )
    assert run("new", "gated", "--like", "old.yaml", "--import", "gates")[0] == 0
    assert run("new", "odd", "--from", "gates.py:Net", "--input", "x=4")[0] == 0
    assert names(place / "odd") == ["odd.yaml", "odd_layers.py", "test_odd.py", "train.py"]
    for project in ("gated", "odd"):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", project]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert "3 passed" in done.stdout, done.stdout


def test_a_disk_that_fails_leaves_nothing(run, place: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    code, out = run("new", "my_model")
    assert code == 2 and "cannot write my_model: No space left on device" in out.error
    assert names(place) == []


@pytest.mark.slow
def test_the_code_is_as_formatters_write_it(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("bert_base", "conformer", "detr", "googlenet", "mmoe", "simple_numerical"):
        assert run("new", f"like_{name}", "--like", name)[0] == 0
    for words in (
        ["format", "--diff"],
        ["check", "--select=E,F,W,I,N,UP,B,SIM,RUF,ANN", "--ignore=N812"],
    ):
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "."]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_json_of_the_gallery_names_what_like_takes(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    first = json.loads(run("gallery", "--format", "json")[1])[0]["name"]
    assert run("new", "like_first", "--like", first)[0] == 0


def test_a_size_may_have_a_name_of_the_script(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    """Only a name that the script does not use is a constant of it."""
    for size in ("len", "torch", "rng", "AdamW", "F", "Width"):
        (place / "old.yaml").write_text(
            f"inputs: {{x: [{size}, 4]}}\n"
            "nodes: {y: {layer: Linear, from: x, out_features: 2}}\noutputs: y\n"
        )
        assert run("new", f"my_{size}", "--like", "old.yaml")[0] == 0
        text = (place / f"my_{size}" / "train.py").read_text()
        assert (f"\n{size} = 8  # of x" in text) == (size == "Width"), size
        script = ast.parse(text)
        used = {one.id for one in ast.walk(script) if isinstance(one, ast.Name)}
        used |= {one.name for one in ast.walk(script) if isinstance(one, ast.ClassDef | ast.alias)}
        assert {one for one in used if one[0].isupper()} - {"Width"} <= TAKEN, size


def test_a_file_without_a_name_gets_one(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    node = "y: {layer: Linear, from: x, out_features: 2}"
    block = f"# mine\n\ninputs: {{x: [4]}}\nnodes:\n  {node}\noutputs: y\n"
    flow = f"{{inputs: {{x: [4]}}, nodes: {{{node}}}, outputs: y}}"
    for folder, text in {"of_block": block, "of_flow": flow}.items():
        (place / "old.yaml").write_text(text)
        assert run("new", folder, "--like", "old.yaml")[0] == 0
        written = (place / folder / f"{folder}.yaml").read_text()
        assert mg.loads(written).name == f"Of{folder[3:].title()}"
        assert ("# mine\n" in written) == ("# mine" in text)


def test_what_exists_or_cannot_be_is_no_new_folder(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    (place / "link").symlink_to("nothing")
    assert "error: link exists" in run("new", "link")[1].error
    long = "a" * 300
    assert f"cannot write {long}: File name too long" in run("new", long)[1].error
    assert names(place) == ["link"]
