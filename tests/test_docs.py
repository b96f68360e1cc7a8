"""docs/ is up to date: import order, examples, paths and diffs; and the files in .github/ are valid."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.test_imports import ORDER

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
CONTRIBUTING = (ROOT / "docs" / "contributing.md").read_text()
DOCUMENTS = {"architecture": ARCHITECTURE, "contributing": CONTRIBUTING}


def test_the_picture_of_the_layers_equals_the_import_order() -> None:
    picture = re.search(r"```mermaid\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert picture is not None
    floors = re.findall(r"subgraph .*?\n(.*?)\n    end", picture[1], re.DOTALL)
    drawn = [frozenset(re.findall(r"^ +(\w+)\[", floor, re.MULTILINE)) for floor in floors]
    assert drawn == list(ORDER)


def test_the_examples_print_the_output_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the examples without their fences, which doctest would take for output."""
    monkeypatch.chdir(ROOT)
    text = re.sub(r"^```.*$", "", ARCHITECTURE, flags=re.MULTILINE)
    example = doctest.DocTestParser().get_doctest(text, {}, "architecture.md", None, 0)
    assert len(example.examples) > 10
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(example, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_in_backticks_exist(name: str) -> None:
    """Paths are relative to the repository or to mimgraph/."""
    paths = re.findall(r"`((?:[\w.]+/)+[\w.*]*|[\w/]+\.(?:py|md|toml))`", DOCUMENTS[name])
    lost = [
        path
        for path in paths
        if not any(list(place.glob(path.rstrip("/"))) for place in (ROOT, ROOT / "mimgraph"))
    ]
    assert paths and not lost


ADDED = re.findall(
    r"^### (.*?)\n.*?^```diff\n(.*?)^```$.*?^```sh\n(.*?)^```$",
    ARCHITECTURE,
    re.MULTILINE | re.DOTALL,
)


def apply(diff: str, folder: Path, *options: str) -> None:
    command = ["git", "apply", *options, "-"]
    done = subprocess.run(
        command, input=diff, cwd=folder, text=True, capture_output=True, check=False
    )
    advice = "if you changed lines of this diff, change docs/architecture.md too"
    assert done.returncode == 0, f"{done.stderr}{advice}"


@pytest.mark.parametrize(("what", "diff"), [(what, diff) for what, diff, _ in ADDED])
def test_a_diff_applies_to_this_tree(what: str, diff: str) -> None:
    apply(diff, ROOT, "--check")


def test_every_kind_of_addition_has_a_diff() -> None:
    assert len(ADDED) == ARCHITECTURE.partition("## How to add")[2].count("\n### ") == 6


@pytest.mark.slow
@pytest.mark.parametrize(("what", "diff", "commands"), ADDED)
def test_each_diff_passes_its_commands(what: str, diff: str, commands: str, tmp_path: Path) -> None:
    for name in ("mimgraph", "tests", "specs", "examples", ".github", "docs"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "_build")
        )
    for name in ("README.md", "CHANGELOG.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    apply(diff, tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-ec", commands],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


GITHUB = sorted(path for path in (ROOT / ".github").rglob("*.yml")) + [
    ROOT / ".github" / "pre-commit-config.yaml"
]


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.stem)
def test_files_for_github_are_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_the_workflow_runs_what_developers_run() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    assert [step.get("run") for step in jobs["ci"]["steps"]][-1] == ".ci/run"
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_glossary_is_sorted_and_each_term_is_in_the_code() -> None:
    table = ARCHITECTURE.partition("## Glossary")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z ,]+) \| .* \| (.*) \|$", table, re.MULTILINE)[1:]
    terms = [term for term, _ in rows]
    assert terms == sorted(terms) and len(terms) > 30
    for term, places in rows:
        files = [
            file
            for place in re.findall(r"`(.*?)`", places)
            for file in [ROOT / "mimgraph" / place]
            for file in (file.rglob("*.py") if file.is_dir() else [file])
        ]
        text = " ".join(file.read_text().lower() for file in files)
        assert all(word.split()[-1][:5] in text for word in term.split(", ")), term
