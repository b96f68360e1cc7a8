"""`mimgraph check`: errors, warnings, patterns and the formats for tools."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SIMPLE, TEXT


def test_check_reports_specs_without_errors(run) -> None:
    code, out = run("check", SIMPLE, TEXT)
    assert code == 0
    assert out == f"{SIMPLE}: ok, 4 nodes\n{TEXT}: ok, 6 nodes\n2 specs, no errors\n"


def test_check_reports_every_error(run, wrong: str) -> None:
    code, out = run("check", SIMPLE, wrong)
    assert code == 1
    assert f"error[unknown-layer]: no layer is called 'Liner'\n  --> {wrong}:3:14" in out
    assert f"{SIMPLE}: ok" in out


ODD = """\
params: {hidden: 64, hiden: 128}
inputs: {x: [5]}
nodes:
  y: {layer: Linear, from: x, out_features: $hidden}
outputs: y
"""


@pytest.fixture
def odd(tmp_path: Path) -> str:
    path = tmp_path / "odd.yaml"
    path.write_text(ODD)
    return str(path)


def test_check_warns_of_legal_but_odd_specs(run, odd: str, wrong: str) -> None:
    code, out = run("check", odd)
    assert code == 0
    assert out.startswith("warning[unused-param]: nothing uses hiden\n")
    assert out.endswith(f"\n\n{odd}: ok, 1 node\n")
    code, out = run("check", odd, wrong)
    assert code == 1
    assert re.findall(r"^(\w+)\[", out, re.MULTILINE) == ["warning", "error"]


def test_check_as_json_has_no_warnings(run, odd: str) -> None:
    code, out = run("check", odd, "--format", "json")
    assert (code, json.loads(out), out.error) == (0, [], "")
    code, out = run("check", odd, "--format", "sarif")
    (result,) = json.loads(out)["runs"][0]["results"]
    assert (code, result["ruleId"], result["level"]) == (0, "unused-param", "warning")
    code, out = run("check", odd, "--format", "github")
    assert (code, out.partition(" ")[0]) == (0, "::warning")


def test_check_as_json_prints_warnings_to_a_terminal(
    run, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    code, out = run("check", odd, "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert out.error.startswith("warning[unused-param]: nothing uses hiden\n")


def test_only_check_prints_warnings(run, odd: str) -> None:
    for command in ("summary", "emit"):
        code, out = run(command, odd)
        assert (code, out.error, "unused-param" in out) == (0, "", False)


def test_check_as_json(run, wrong: str) -> None:
    code, out = run("check", "--format", "json", wrong)
    assert code == 1
    assert json.loads(out) == [
        {
            "code": "unknown-layer",
            "message": "no layer is called 'Liner'",
            "file": wrong,
            "line": 3,
            "column": 14,
            "end_line": 3,
            "end_column": 19,
            "node": "y",
            "help": "did you mean Linear?",
            "fixes": [
                {
                    "title": "Replace with Linear",
                    "edits": [
                        {
                            "line": 3,
                            "column": 14,
                            "end_line": 3,
                            "end_column": 19,
                            "text": "Linear",
                        }
                    ],
                }
            ],
        }
    ]


def test_check_as_json_without_errors_is_an_empty_list(run) -> None:
    assert run("check", "--format", "json", SIMPLE) == (0, "[]\n")


def test_check_expands_patterns(run, tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml", "deep/er/c.yaml", "[x].yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(Path(SIMPLE).read_text())
    every = ["[x].yaml", "a.yaml", "b.yaml", "deep/er/c.yaml"]
    for pattern, found in (
        ("*.yaml", every[:3]),
        ("**/*.yaml", every),
        ("deep/**", ["deep/er/c.yaml"]),
        ("[x].yaml", ["[x].yaml"]),
        ("[ab].yaml", ["a.yaml", "b.yaml"]),
    ):
        code, out = run("check", str(tmp_path / pattern))
        assert code == 0
        lines = [f"{tmp_path / name}: ok, 4 nodes" for name in found]
        assert out.splitlines()[: len(found)] == lines


def test_a_pattern_without_a_file_exits_2_after_all_checks(run, wrong: str) -> None:
    code, out = run("check", "no/such/*.yaml", wrong, SIMPLE)
    assert code == 2
    assert out.error == "error: no file matches no/such/*.yaml\n"
    assert "unknown-layer" in out and f"{SIMPLE}: ok" in out


def test_check_as_github_annotations_and_as_sarif(run, wrong: str) -> None:
    code, out = run("check", "--format", "github", wrong, SIMPLE)
    assert code == 1
    assert out == (
        f"::error file={wrong},line=3,endLine=3,col=14,endColumn=19,title=unknown-layer::"
        "no layer is called 'Liner'%0Ahelp: did you mean Linear?\n"
    )
    code, out = run("check", "--format", "sarif", wrong)
    assert code == 1
    assert json.loads(out)["runs"][0]["results"][0]["ruleId"] == "unknown-layer"
    assert run("check", "--format", "github", SIMPLE) == (0, "")
