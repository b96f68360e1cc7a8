"""Every example runs as a script: it builds the graph of the spec with its name, or trains and prints
the promised accuracy."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mimgraph as mg
from tests.conftest import ROOT, needed
from tests.helpers.plugin_packages import EXAMPLE, declare_example

EXAMPLES = ROOT / "examples"
TRAINED = ("digits", "fusions", "search", "ray_search", "missing_modality")
BUILT = sorted(p.stem for p in EXAMPLES.glob("*.py") if p.stem not in TRAINED)


def printed(name: str, folder: Path) -> str:
    """Run an example in a folder, and return its output."""
    command = [sys.executable, EXAMPLES / f"{name}.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_an_example_builds_the_graph_of_its_spec(name: str) -> None:
    graph = runpy.run_path(str(EXAMPLES / f"{name}.py"))["graph"]
    assert graph == mg.load(ROOT / "specs" / f"{name}.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_an_example_runs_its_model(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert "tensor(" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 80


@pytest.mark.slow
def test_digits_are_classified_as_accurately_as_promised(tmp_path: Path) -> None:
    needed("sklearn")
    (line,) = printed("digits", tmp_path).splitlines()
    # the last words have the accuracy reached, and the one asked for
    *_, reached, _, _, asked = line.split()
    assert float(reached) >= float(asked.rstrip(")")) >= 0.97


@pytest.mark.slow
def test_the_package_of_plugins_passes_its_tests(tmp_path: Path) -> None:
    declare_example(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", EXAMPLE / "tests"],
        cwd=tmp_path.parent,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


@pytest.mark.slow
def test_five_fusions_are_compared(tmp_path: Path) -> None:
    needed("sklearn")
    _, *rows = (line.split() for line in printed("fusions", tmp_path).splitlines())
    assert len({fusion for fusion, *_ in rows}) == 5
    for fusion, weights, accuracy, _ in rows:
        graph = mg.load(ROOT / "specs" / "digits.yaml", params={"fusion": fusion})
        assert f"{graph.summary().params:,}" == weights
        assert float(accuracy) > 0.9


@pytest.mark.slow
def test_a_search_finds_small_graphs_that_classify_digits(tmp_path: Path) -> None:
    needed("sklearn")
    first, _, *rows = printed("search", tmp_path).splitlines()
    budget = int(first.split()[-2].replace(",", ""))
    assert first.startswith("100 graphs")
    assert len(rows) == 3
    for weights, aside, held_out, *_ in map(str.split, rows):
        assert int(weights.replace(",", "")) <= budget
        assert float(aside) > 0.9 and float(held_out) > 0.9


@pytest.mark.nightly
def test_ray_searches_the_space_of_a_spec(tmp_path: Path) -> None:
    found = printed("ray_search", tmp_path)
    summary, best, spec = found[found.rindex("6 points, ") :].split("\n", 2)
    weights = int(best.split()[-2].replace(",", ""))
    assert weights <= 12_000 and float(best.split()[1]) > 0.8, (summary, best)
    graph = mg.loads(spec)
    assert graph.summary().params == weights and not graph.space


@pytest.mark.slow
def test_a_modality_missing_in_training_may_be_missing_later(tmp_path: Path) -> None:
    needed("sklearn")
    lines = printed("missing_modality", tmp_path).splitlines()[1:]
    always, *half = ([float(word) for word in line.split()[-4:]] for line in lines)
    for both, _, numbers, neither in half:
        assert both > 0.9
        assert numbers > always[2] + 0.2
        assert neither < 0.2


@pytest.mark.slow
def test_fusions_of_icons_are_searched_in_two_processes_and_the_best_is_trained_in_two(
    tmp_path: Path,
) -> None:
    needed("accelerate")
    folder = tmp_path / "icons"
    shutil.copytree(EXAMPLES / "icons", folder)
    searched = in_folder(
        folder,
        *("mimgraph", "search", "icons.yaml", "--objective", "train.py:objective"),
        *("--direction", "maximize", "--trials", "8", "--workers", "2", "-o", "best.yaml"),
    )
    assert "8 trials" in searched
    best = mg.load(folder / "best.yaml").summary()
    assert best.total.params - best.total.frozen <= 150_000
    head, *rows = in_folder(folder, "report", "icons.db").splitlines()
    assert head.split()[:2] == ["fusion", "models"]
    assert max(float(row.split()[2]) for row in rows) > 0.6
    assert (folder / "results.png").read_bytes().startswith(b"\x89PNG")
    launch = ("accelerate.commands.launch", "--cpu", "--num_processes", "2", "train.py")
    *_, last = in_folder(folder, *launch, "best.yaml").splitlines()
    assert float(last.split()[2]) > 0.6 and last.endswith("on 139 new icons")


def in_folder(folder: Path, module: str, *arguments: str) -> str:
    """Run a module in a folder, with a hub's cache of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_CACHE": str(folder / "hub")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
