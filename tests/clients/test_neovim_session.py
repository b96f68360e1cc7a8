"""Neovim gets all that the server offers, of a text with characters of two UTF-16 units."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, missing

SCRIPT = Path(__file__).parent / "neovim_session.lua"
SPEC = """name: Small
inputs: {x: {doc: "🙂", shape: [8]}}
nodes:
  one: {layer: Liner, from: x, out_features: 4}
  two: {layer: ReLU, from: one}
outputs: two
"""


@pytest.mark.nightly
def test_neovim_gets_all(tmp_path: Path) -> None:
    if shutil.which("nvim") is None:
        missing("there is no nvim")
    spec, output = tmp_path / "model.yaml", tmp_path / "answers.json"
    spec.write_text(SPEC)
    command = ["nvim", "--clean", "--headless", "-l", SCRIPT, sys.executable, spec, output]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert output.exists(), done.stderr
    answers = json.loads(output.read_text())
    assert answers["diagnostic"] == {"code": "unknown-layer", "line": 3, "column": 15}
    assert answers["hints"] == [[1, "(N, 8)"], [3, "(N, 4)  in_features 8"], [4, "(N, 4)"]]
    assert answers["hover"].startswith("**one** layer `Linear` → `(N, 4)`")
    assert "self.one = nn.Linear(8, 4)" in answers["hover"]
    assert answers["symbols"] == ["inputs", "nodes", "outputs"]
    assert answers["folds"] == [{"startLine": 2, "endLine": 4}]
    assert answers["tokens"] % 5 == 0 and answers["tokens"] > 0
    assert answers["lenses"] == ["36 parameters, 32·N MACs", "draw", "emit"]
    assert answers["definition"] == {"line": 3, "character": 2}
    assert answers["renamed"][3:6] == [
        "  first: {layer: Linear, from: x, out_features: 4}",
        "  two: {layer: ReLU, from: first}",
        "outputs: two",
    ]
