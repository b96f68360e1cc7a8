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


@pytest.fixture
def trained(tmp_path: Path) -> tuple[str, str, str]:
    """Return a spec, the weights of a model of it, and the spec after an edit."""
    spec = "inputs: {x: [4]}\nnodes:\n  a: {layer: Linear, from: x, out_features: 3}\n"
    spec += "  b: {layer: Linear, from: a, out_features: 2}\noutputs: b\n"
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(spec)
    new.write_text(spec.replace("a:", "wide:").replace("from: a", "from: wide").replace("3", "5"))
    graph = mg.load(old)
    graph.save(graph.compile(), tmp_path / "old.safetensors")
    return str(old), str(tmp_path / "old.safetensors"), str(new)


def test_diff_says_which_weights_carry_over(run, trained: tuple[str, str, str]) -> None:
    old, weights, new = trained
    code, out = run("diff", old, new, "--weights", weights)
    assert code == 0
    assert "~ wide (Linear)  renamed from a; padded: weight (3, 4) → (5, 4)" in out
    assert "= b  equal to before" in out
    code, out = run("diff", old, new, "--weights", weights, "--format", "json")
    keys = {one["key"]: one["from"] for one in json.loads(out)["weights"]["tensors"]}
    assert keys["wide.weight"] == "a.weight"
    code, out = run("diff", old, new, "--weights", weights, "--format", "md")
    assert "| ~ | `wide (Linear)` |" in out


def test_diff_writes_the_weights_of_the_new_spec(
    run, trained: tuple[str, str, str], tmp_path: Path
) -> None:
    old, weights, new = trained
    target = tmp_path / "new.safetensors"
    code, out = run("diff", old, new, "--weights", weights, "-o", str(target), "--seed", "3")
    assert code == 0
    assert f"wrote {target}" in out.error
    model, expected = mg.load_model(target), mg.carry(mg.load(old), mg.load(new), weights, seed=3)
    assert mg.load(target) == mg.load(new)
    for key, tensor in model.state_dict().items():
        assert tensor.equal(expected[key])


def test_diff_refuses_weights_that_do_not_fit(
    run, trained: tuple[str, str, str], tmp_path: Path
) -> None:
    old, weights, new = trained
    target = str(tmp_path / "new.safetensors")
    for more in ((), ("-o", target)):
        code, out = run("diff", new, old, "--weights", weights, *more)
        assert (code, str(out)) == (2, "")
        assert (
            "are not of the old graph: missing: wide.weight, wide.bias; unexpected: a." in out.error
        )
        code, out = run("diff", old, new, "--weights", str(tmp_path / "none"), *more)
        assert code == 2
        assert "cannot read" in out.error
    assert not Path(target).exists()
    code, out = run("diff", old, new, "-o", target)
    assert code == 2
    assert "give the weights of OLD: --weights FILE.safetensors" in out.error
    before = Path(weights).read_bytes()
    code, out = run("diff", old, new, "--weights", weights, "-o", weights)
    assert code == 2
    assert "write to another file" in out.error
    assert Path(weights).read_bytes() == before
