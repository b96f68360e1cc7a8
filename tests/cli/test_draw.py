"""`mimgraph draw` writes a picture, and says which blocks it left closed."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph

ROW = ", ".join(["Tanh"] * 40)
LONG = f"""
inputs: {{x: [4]}}
nodes: {{y: {{from: x, seq: [{ROW}]}}}}
outputs: y
"""


def test_the_command_says_which_depth_it_chose(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("long.yaml").write_text(LONG)
    note = "blocks are open to depth 0 of 1; --depth all opens all"
    for options, is_said in (["--depth", "all"], False), (["--depth", "1"], False), ([], True):
        code, out = run("draw", "long.yaml", "-o", "long.svg", *options)
        assert (code, note in out.error) == (0, is_said)
    mimgraph.load("long.yaml").draw("same.svg")
    assert Path("same.svg").read_bytes() == Path("long.svg").read_bytes()
