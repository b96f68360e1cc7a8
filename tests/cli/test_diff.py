"""`mimgraph diff`: its text, its picture, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mimgraph as mg


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
