"""`mimgraph diff`: its text, its picture, and its exit code."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

import mimgraph as mg
from tests.cli.conftest import TEXT, WRONG


def test_diff_prints_what_changed(run, wider: str) -> None:
    code, out = run("diff", TEXT, wider)
    assert code == 0
    assert "~ hidden" in out and "value 64 → 96" in out
    assert str(mg.diff(mg.load(TEXT), mg.load(wider))) == out.rstrip("\n")


def test_diff_of_specs_that_mean_the_same(run, wider: str) -> None:
    assert run("diff", TEXT, wider, "--set", "hidden=8", "--exit-code") == (0, "no changes\n")


def test_diff_sets_a_param_in_the_spec_that_has_it(run, wider: str, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed.yaml"
    text = Path(TEXT).read_text()
    fixed.write_text(
        re.sub(r"^params: .*\n", "", text, flags=re.MULTILINE).replace("$hidden", "96")
    )
    for specs in ((TEXT, str(fixed)), (str(fixed), TEXT)):
        assert run("diff", *specs, "--set", "hidden=96") == (0, "no changes\n")
    code, out = run("diff", TEXT, str(fixed), "--set", "hiden=96")
    assert (code, out) == (2, "")
    message = f"no param is called 'hiden': {TEXT} has hidden, {fixed} has none"
    assert out.error == f"error: {message}\n"


def test_diff_exits_as_git_diff_does(run, wider: str) -> None:
    assert run("diff", TEXT, wider, "--exit-code")[0] == 1
    assert run("diff", TEXT, TEXT, "--exit-code")[0] == 0


def test_diff_as_json_and_as_markdown(run, wider: str) -> None:
    code, out = run("diff", TEXT, wider, "--format", "json")
    assert code == 0
    assert json.loads(out) == mg.diff(mg.load(TEXT), mg.load(wider)).data()
    code, out = run("diff", TEXT, wider, "--format", "md")
    assert (code, out) == (0, mg.diff(mg.load(TEXT), mg.load(wider)).markdown())


def test_diff_of_a_commit_and_the_file(run, wider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git show HEAD:spec.yaml | mimgraph diff - spec.yaml`"""
    old = io.TextIOWrapper(io.BytesIO(Path(TEXT).read_bytes()))
    monkeypatch.setattr("sys.stdin", old)
    assert run("diff", "-", wider) == run("diff", TEXT, wider)


def test_diff_draws_both_specs_in_one_picture(run, wider: str, tmp_path: Path) -> None:
    path = tmp_path / "diff.dot"
    code, _ = run("diff", TEXT, wider, "-o", str(path), "--direction", "LR")
    assert code == 0
    assert "out_features 64 → 96" in path.read_text()
    assert "rankdir=LR" in path.read_text()


def test_diff_reports_the_errors_of_both_specs(run, wrong: str, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(WRONG.replace("Liner", "Lineer"))
    code, out = run("diff", wrong, str(other))
    assert (code, out) == (1, "")
    assert f"--> {wrong}:3:14" in out.error
    assert f"--> {other}:3:14" in out.error
    code, out = run("diff", wrong, wrong)
    assert out.error.count("error[") == 1
    code, out = run("diff", TEXT, wrong)
    assert (code, out) == (1, "")
    assert f"--> {wrong}:3:14" in out.error
