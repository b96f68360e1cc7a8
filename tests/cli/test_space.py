"""`space` lists what a search may change, and says which points cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import SIMPLE

SPEC = """\
params:
  width: {search: [7, 8], default: 8}
  heads: {search: [1, 2]}
  fusion: {search: [add, transformer]}
inputs: {a: [4], b: [4]}
nodes:
  x: {layer: Linear, each: [a, b], out_features: $width}
  f: {merge: $fusion, from: x.*, num_heads: $heads}
outputs: f
"""
LISTED = """\
Param   Search              Default  Read by  Asked
──────  ──────────────────  ───────  ───────  ────────────────────
width   [7, 8]              8        x        always
heads   [1, 2]              1        f        fusion = transformer
fusion  [add, transformer]  add      f        always

Points: 6
"""
REFUSED = """\
error[bad-option]: num_heads 2 does not divide the width 7
  --> model.yaml:8:45
   |
 8 |   f: {merge: $fusion, from: x.*, num_heads: $heads}
   |                                             ^^^^^^ 1 of 6 points: width = 7 with heads = 2
   |
   = help: num_heads may be any divisor of 7, such as 1 or 7

all 6 points: 1 cannot be
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)


def test_lists_the_params(run) -> None:  # type: ignore[no-untyped-def]
    assert run("space", "model.yaml") == (0, LISTED)


def test_says_which_points_cannot_be(run) -> None:  # type: ignore[no-untyped-def]
    assert run("space", "model.yaml", "--prove", "100") == (1, REFUSED)


def test_a_param_that_is_set_is_not_searched(run) -> None:  # type: ignore[no-untyped-def]
    out = run("space", "model.yaml", "--prove", "100", "--set", "width=8")
    assert out == (0, "all 3 points: each can be\n")


def test_draws_some_points(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("space", "model.yaml", "--prove", "3", "--seed", "1")
    assert out.endswith("3 points of 6: each can be\n") or (code == 1 and "3 points of 6:" in out)


def test_prints_data(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("space", "model.yaml", "--prove", "100", "--format", "json")
    found = json.loads(out)
    assert (code, found["points"], found["proof"]["checked"]) == (1, 6, 6)
    assert found["params"][1] == {
        "name": "heads",
        "kind": "choices",
        "values": [1, 2],
        "default": 1,
        "read_by": ["f"],
        "asked": [{"fusion": ["transformer"]}],
    }
    (fault,) = found["proof"]["faults"]
    assert (fault["code"], fault["line"], fault["points"]) == ("bad-option", 8, 1)
    assert fault["when"] == [{"width": [7], "heads": [2]}]
    assert fault["example"] == {"width": 7, "heads": 2, "fusion": "transformer"}


def test_a_spec_without_a_search(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    path = Path(__file__).parents[2] / SIMPLE
    code, out = run("space", str(path))
    assert code == 0 and out.endswith(": no param has a search\n")
