"""Every example runs as a newcomer runs it, and is the graph of the spec of its name."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import mimgraph as mg
from tests.conftest import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_is_the_graph_of_its_spec(path: Path) -> None:
    graph = runpy.run_path(str(path))["graph"]
    assert graph == mg.load(ROOT / "specs" / f"{path.stem}.yaml")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_runs(path: Path) -> None:
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "tensor(" in done.stdout
