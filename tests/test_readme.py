"""The README is up to date: its specs, class, error, summary, picture and Python code."""

from __future__ import annotations

import re
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

import mimgraph as mg
from mimgraph.diagnostics.render import render_text
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
PICTURE = ROOT / ".github" / "image_numerical.svg"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_class_is_emitted_from_the_spec() -> None:
    spec, emitted = blocks("yaml")[0], blocks("python")[0]
    assert mg.loads(spec).source() == emitted


def test_the_lowest_torch_is_the_one_in_pyproject() -> None:
    lowest = re.search(r"Tested with torch ([\d.]+),", README)
    assert lowest is not None
    assert f'"torch>={lowest[1]}"' in (ROOT / "pyproject.toml").read_text()


def test_the_spec_is_short() -> None:
    assert len(blocks("yaml")[0].splitlines()) <= 10


def test_the_error_is_the_text_that_a_user_sees() -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(blocks("yaml")[1], name="bad.yaml")
    assert blocks("text")[0] == render_text(caught.value.diagnostics) + "\n"


def test_the_summary_is_the_printed_table() -> None:
    assert blocks("text")[1] == f"{mg.loads(blocks('yaml')[0]).summary()}\n"


def test_the_difference_is_the_printed_one() -> None:
    spec = blocks("yaml")[0]
    (fused,) = re.findall(r"`\{(merge: gated.*?)\}`", README)
    new = spec.replace("merge: concat, from: [image_vec, numeric_vec]", fused)
    assert blocks("text")[2] == f"{mg.diff(mg.loads(spec), mg.loads(new))}\n"


def test_the_python_block_builds_the_graph_of_the_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    exec(blocks("python")[1], namespace)  # noqa: S102 - what the README tells users to run
    assert namespace["graph"] == mg.loads(blocks("yaml")[0])
    assert str(namespace["fused"].shape) == "(N, 3664)"
    assert mg.load("model.yaml") == namespace["graph"]


def test_the_idioms_of_torch_build_a_graph() -> None:
    namespace = ran("out, (h, c)")
    assert str(namespace["graph"].shapes["fused"]) == "(N, 72)"
    assert str(namespace["left"].shape) == "(N, 8, H, W)"


def test_the_block_of_python_builds_a_graph() -> None:
    assert str(ran("@mg.block\ndef residual")["graph"].shapes["fused"]) == "(N, 64)"


def test_a_graph_is_looked_into_and_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    monkeypatch.chdir(tmp_path)
    now = ran("base.replace(")
    base, widest = now["base"], now["widest"]
    told = [line for line in README.splitlines() if line.startswith('base.nodes["combined"]')]
    assert told[0].partition("# ")[2] == repr(base.nodes["combined"])
    assert (widest.op, widest.options["in_features"]) == ("Linear", 2112)
    assert str(widest.origin) == "image_numerical.yaml:15"
    shapes = {name: str(now[name].shapes["combined"]) for name in ("gated", "wide", "features")}
    assert shapes == {"gated": "(N, 64)", "wide": "(N, 2176)", "features": "(N, 2112)"}
    assert now["plain"] == base != now["normed"]
    assert list(now["renamed"].outputs) == ["score"]
    assert {node.options.get("activation") for node in now["smooth"].nodes.values()} == {
        None,
        "GELU",
    }
    assert now["loaded"].missing == ("head.weight", "head.bias")


def ran(text: str) -> dict[str, Any]:
    """Return the names that the one Python block with this text defines."""
    (block,) = (code for code in blocks("python") if text in code)
    namespace: dict[str, Any] = {}
    exec(block, namespace)  # noqa: S102 - what the README tells users to run
    return namespace


def test_the_loops_of_both_languages_run() -> None:
    (spec,) = (text for text in blocks("yaml") if "scan:" in text)
    (code,) = (text for text in blocks("python") if ".scan(" in text)
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - likewise
    sizes = {}
    for graph in (mg.loads(spec), namespace["graph"]):
        given = seeded_inputs(graph.typed, batch=2, seed=0, sizes={"T": 5})
        outputs = graph.compile().eval()(**given)
        sizes |= {name: tuple(value.shape) for name, value in outputs.items()}
    assert sizes == {
        "last": (2, 16),
        "every": (2, 3, 5, 16),
        "by_time": (5, 2, 16),
        "alike": (2, 2),
    }


def test_the_weights_of_bert_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    if not pytest.importorskip("transformers").is_torch_available():
        pytest.skip("transformers takes no torch as old as this")
    monkeypatch.chdir(ROOT)
    namespace: dict[str, Any] = {}
    (block,) = (code for code in blocks("python") if "load_state" in code)
    exec(block, namespace)  # noqa: S102 - likewise
    transfer = namespace["transfer"]
    assert len(transfer.mapping["states.0.attention.in_proj_weight"]) == 3
    assert transfer.equal == ("states", "pooled")


def test_the_spec_with_a_block_is_legal() -> None:
    start = "inputs: {stem: [8, 4, 4]}\n"
    (block,) = (text for text in blocks("yaml") if "stage1: " in text)
    assert mg.loads(start + block + "outputs: stage1\n").shapes["stage1"]


def test_the_module_becomes_the_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = (code for code in blocks("python") if "mg.from_module(" in code)
    Path("net.py").write_text(block)  # names of nodes are read off the lines of a file
    now = run_path("net.py")
    (spec,) = (text for text in blocks("yaml") if text.startswith("name: Net\n"))
    assert (tmp_path / "net.yaml").read_text() == spec
    assert capsys.readouterr().out == blocks("text")[3]
    assert now["model"].state_dict().keys() == now["Net"]().state_dict().keys()


def test_the_picture_is_drawn_by_the_tool(rewrite: bool, tmp_path: Path) -> None:
    mg.loads(blocks("yaml")[0]).draw(tmp_path / "now.svg")
    now = (tmp_path / "now.svg").read_text()
    if rewrite:
        PICTURE.write_text(now)
    assert PICTURE.read_text() == now


def test_the_spec_with_optional_inputs_runs_with_and_without_them() -> None:
    (spec,) = (text for text in blocks("yaml") if "optional: true" in text)
    graph = mg.loads(spec)
    model = graph.compile().eval()
    given = seeded_inputs(graph.typed, batch=2, seed=0, sizes={})
    for inputs in (given, {name: x for name, x in given.items() if name != "audio"}):
        assert {k: tuple(v.shape) for k, v in model(**inputs).items()} == {"churn": (2, 1)}
    assert model.train()(**given).keys() == {"churn", "next"}


def test_the_gallery_lists_every_spec() -> None:
    table = README.partition("## The gallery")[2].partition("##")[0]
    named = {word for word in re.findall(r"`(\w+)`", table) if word != "specs"}
    assert named == {path.stem for path in (ROOT / "specs").glob("*.yaml")}
