"""`mimgraph layers`, `explain` and `schema` print the reference of the language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_layers_lists_all_by_family(run) -> None:
    code, out = run("layers")
    assert code == 0
    assert "\nConvolution\n  Conv1d " in out
    assert "\nJoin\n  concat " in out


def test_layers_searches_in_the_width_of_the_terminal(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    code, out = run("layers", "--search", "attn")
    assert (code, out.split("\n")[0]) == (0, "Attention")
    assert max(map(len, out.splitlines())) <= 60
    code, out = run("layers", "--search", "zzz")
    assert (code, out) == (2, "")
    assert "no layer, merge or key has 'zzz' in its name or description" in out.error
    assert run("layers", "cat", "--search", "attn")[0] == 2


def test_layers_as_json(run) -> None:
    entries = {entry["name"]: entry for entry in json.loads(run("layers", "--format", "json")[1])}
    linear = entries["Linear"]
    assert linear["kind"] == "layer"
    assert linear["inputs"] == ["input"]
    options = {option["name"]: option for option in linear["options"]}
    assert options["in_features"]["inferred"]
    assert options["bias"]["default"] is True
    assert entries["concat"]["kind"] == "merge"


def test_schema_is_printed_and_written(run, tmp_path: Path) -> None:
    code, printed = run("schema")
    assert code == 0
    assert json.loads(printed)["$schema"].endswith("2020-12/schema")
    path = tmp_path / "mimgraph.schema.json"
    assert run("schema", "-o", str(path)) == (0, "")
    assert path.read_text() == printed


def test_explain(run) -> None:
    code, out = run("explain", "shape-mismatch", "cycle")
    assert code == 0
    assert out.startswith("shape-mismatch\n\nSizes that must be equal are not")
    assert "\n\n\ncycle\n\n" in out
    code, out = run("explain")
    assert code == 0
    assert "cycle              nodes feed each other, or a block contains itself\n" in out


@pytest.mark.parametrize(
    ("code", "help"),
    [
        ("shape-missmatch", "did you mean shape-mismatch?"),
        ("../codes", "mimgraph explain lists them"),
    ],
)
def test_explain_suggests_a_known_code(run, code: str, help: str) -> None:
    exit, out = run("explain", code)
    assert (exit, out) == (2, "")
    assert out.error == f"error: no code is called {code!r}\n  help: {help}\n"
