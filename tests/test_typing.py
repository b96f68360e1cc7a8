"""mypy and pyright accept code as users write it, and find the mistakes in it."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mimgraph.cli import main
from tests.conftest import ROOT, needed
from tests.helpers.npm import PLACES, install
from tests.test_readme import blocks

pytestmark = pytest.mark.slow

PYRIGHT = "pyright@1.1.414"
IDIOMS = ROOT / "tests" / "typed" / "idioms.py"
TABLES = ROOT / "tests" / "builder" / "test_idioms.py"  # run by pytest, with torch as the oracle
NAMES = """\
import mimgraph as mg
from idioms import attend, cell, cnn, first, image, residual, second, tower
from mimgraph import layers, merges

x, a, b = first, first, second
"""
WRONG = {
    "misspelt": "layers.Linear(out_feature=64)",
    "wrong type": 'layers.Linear("64")',
    "no such layer": "layers.Liner(64)",
    "no such name": "mg.Inptu",
    "a name of another library": "mg.import_module",
    "misspelt option of a merge": "merges.concat(a, b, dmi=1)",
    "misspelt option of a merge without sources": "merges.gated(out_feature=64)",
    "a merge without sources as a tensor": "layers.ReLU()(merges.concat(dim=1))",
    "wrong choice": 'layers.Conv2d(3, kernel_size=1, padding_mode="zeroes")',
    "a size that is inferred": "layers.Conv2d(3, 16, 3)",
    "a vocabulary by position": "layers.Embedding(1000, 64)",
    "an attribute of a graph": "tower.trainable = False",
    "a graph on a list of handles": "tower([image, image])",
    "a layer on data": "layers.Linear(64)([1.0, 2.0])",
    "a layer on a number": "layers.Linear(64)(x, 3)",
    "a name that is no text": "layers.Linear(64)(x, name=3)",
    "a sequential of a tensor": "mg.Sequential(x)",
    "a sequential of layers in a list": "mg.Sequential([layers.ReLU()])",
    "a sequential on data": "cnn([1.0])",
    "a misspelt param of a block": "residual(kernel=5)",
    "a misspelt param of a block on a source": "residual(image, kernel=5)",
    "a param of a block with another type": 'residual(kernel_size="5")',
    "a block with too many sources": "residual(image, image)",
    "a block with a name that is no text": "residual(image, name=3)",
    "a block as a tensor": "layers.ReLU()(residual(kernel_size=5))",
    "a function that returns no tensor": "mg.block(len)",
    "a graph as a tensor": "layers.ReLU()(tower)",
    "an unfinished call of a graph as a tensor": "layers.ReLU()(tower(freeze=True))",
    "a graph on a set": "tower({1, 2})",
    "an attribute that a handle lacks": "x.size",
    "a text added to a handle": 'x + "1"',
    "a list as an index": "x[[0, 2]]",
    "an input without a list of sizes": 'mg.Input("y", 5)',
    "an input with a text as vocab": 'mg.Input("y", vocab="100")',
    "an initial value of another kind": 'mg.Parameter("p", [5], init=None)',
    "a misspelt option of a parameter": 'mg.Parameter("p", [5], init="zeros", frozen=True)',
    "a graph of a number": "mg.Graph(3)",
    "a result of a block with another type": "number: int = residual(image)",
    "a param by position that is a source": "merges.concat(1, 2)",
    "a wrong word of a node": "layers.ReLU(freeze=1)",
    "an unknown word of a node": "layers.ReLU(nmae=1)",
    "a string for one of its ports": "layers.LSTM(3)[0]",
    "a misspelt option of a graph": 'mg.Graph(x, nmae="M")',
    "an output that is no handle": 'mg.Graph({"y": 3})',
    "an unknown word of an output": 'mg.Output(x, only="eval")',
    "a carry that is no handle": 'cell().scan(x, carry={"h": 0})',
    "a model by position": "tower.compile(True)",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the idioms, the mistakes, the code of the README, the examples, that of a plugin too, and
    projects as `mimgraph new` writes them."""
    (tmp_path / "mistakes.py").write_text(NAMES + "\n".join(WRONG.values()) + "\n")
    for number, code in enumerate(blocks("python")):
        (tmp_path / f"readme_{number}.py").write_text(code)
    for path in (IDIOMS, TABLES, *(ROOT / "examples").glob("*.py")):
        shutil.copy(path, tmp_path)
    shutil.copytree(ROOT / "examples" / "plugin" / "acme_blocks", tmp_path / "acme_blocks")
    for name in ("two_tower_retrieval", "conformer", "googlenet", "image_table_missing"):
        assert main(["new", str(tmp_path / f"like_{name}"), "--like", name]) == 0
    return tmp_path


def mistakes(found: Iterator[tuple[str, int]]) -> list[str]:
    """Return the labels of the mistakes that a type checker did not find, and what it found elsewhere."""
    start = len(NAMES.splitlines()) + 1
    lines = dict(enumerate(WRONG, start))
    missed = dict(lines)
    odd = []
    for file, line in found:
        if file == "mistakes.py" and line in lines:
            missed.pop(line, None)
        else:
            odd.append(f"{file}:{line}")
    return [*missed.values(), *odd]


def mypy(folder: Path, *settings: str) -> Iterator[tuple[str, int]]:
    """Yield the file and line of each error."""
    needed("mypy")
    (folder / "mypy.ini").write_text(
        "\n".join(["[mypy]", "strict = true", "explicit_package_bases = true", *settings])
    )
    cache = ROOT / ".mypy_cache" / "typing"  # what it knows of mimgraph stays from run to run
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(cache), "."]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    print(done.stdout, done.stderr)
    assert done.returncode in (0, 1), done.stderr
    for line in done.stdout.splitlines():
        if ": error:" in line:
            file, number, _ = line.split(":", 2)
            yield file, int(number)


def test_mypy_accepts_right_code_and_refuses_mistakes(folder: Path) -> None:
    # reading torch takes half a minute, and the calls are about something else
    skipped = [
        f"[mypy-{name}.*]\nfollow_imports = skip\nignore_missing_imports = true"
        for name in ("torch", "sklearn", "transformers")
    ]
    settings = [f"exclude = {TABLES.name}"]  # reads numpy and hypothesis
    settings += ["warn_return_any = false", "disallow_subclassing_any = false"]
    settings += [
        "disallow_untyped_decorators = false",
    ]
    assert mistakes(mypy(folder, *settings, *skipped)) == []


def test_mypy_accepts_right_code_with_torch(folder: Path) -> None:
    # torch's backward has no types, and in the class of the README a call of a torch module is Any
    settings = [
        "untyped_calls_exclude = torch",
        "[mypy-readme_0,acme_blocks.layers]",
        "warn_return_any = false",
    ]
    settings += [
        "[mypy-sklearn.*]",
        "ignore_missing_imports = true",
    ]
    assert mistakes(mypy(folder, *settings)) == []


def test_pyright_accepts_right_code_and_refuses_mistakes(folder: Path) -> None:
    install(folder, PYRIGHT)
    settings = {"extraPaths": [str(ROOT)], "pythonVersion": "3.11", "strict": [IDIOMS.name]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    node, program = shutil.which("node", path=PLACES), "node_modules/pyright/index.js"
    command = [str(node), program, "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    faults = [one for one in report["generalDiagnostics"] if one["severity"] == "error"]
    print(*(f"{one['file']}: {one['message']}" for one in faults), sep="\n")
    assert report["summary"]["filesAnalyzed"] > len(blocks("python"))
    found = ((Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in faults)
    assert mistakes(found) == []


def test_the_idioms_run() -> None:
    names = runpy.run_path(str(IDIOMS))
    assert re.match(r"<Graph Tower: image -> ", repr(names["tower"]))
