"""docs/ is up to date: import order, examples and paths; and the files in .github/ are valid."""

from __future__ import annotations

import doctest
import re
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


GITHUB = sorted(path for path in (ROOT / ".github").rglob("*.yml")) + [
    ROOT / ".github" / "pre-commit-config.yaml"
]


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.stem)
def test_files_for_github_are_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_the_workflow_runs_the_parts_that_developers_run() -> None:
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]["ci"]
    script = ROOT / ".ci" / "run"
    assert job["steps"][-1]["run"] == ".ci/run ${{ matrix.part }}"
    assert f"set -- {' '.join(job['strategy']['matrix']['part'])}\n" in script.read_text()
    assert script.stat().st_mode & 0o111


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
