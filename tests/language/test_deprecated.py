"""Old spellings stay legal: `check` warns of them with the new one, and Python at the user's line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
import torch

import mimgraph as mg
from mimgraph import layers
from mimgraph.cli import main
from mimgraph.ops import deprecated
from mimgraph.ops.deprecated import OPS, Instead, as_item, in_python
from tests.conftest import ROOT
from tests.helpers.cases import each

OLD = "inputs: {image: [3, 4, 6]}\nnodes:\n  y: {layer: NAME, from: image, size: [5, 9]}\noutputs: y\n"
KEYS = {
    ("a spec", "title"): Instead("name", "0.9"),
    ("an input", "size"): Instead("shape", "0.9"),
    ("a block", "layers"): Instead("seq", "0.9"),
    ("a node", "source"): Instead("from", "0.9"),
    ("repeat", "count"): Instead("times", "0.9"),
    ("an output", "source"): Instead("from", "0.9"),
}
OPTIONS = {
    ("layer", "Linear", "units"): Instead("out_features", "0.9"),
    ("merge", "concat", "axis"): Instead("dim", "0.9"),
}
RENAMED = """\
title: Net
inputs: {x: {size: [4]}}
blocks: {step: {layers: [{Linear: {units: 4}}]}}
nodes:
  a: {layer: Linear, source: x, units: 4}
  b: {block: step, source: a, repeat: {count: 2}}
  c: {merge: concat, from: [a, b], axis: 1}
outputs: {y: {source: c}}
"""
NEW = """\
name: Net
inputs: {x: [4]}
blocks: {step: {seq: [{Linear: {out_features: 4}}]}}
nodes:
  a: {layer: Linear, from: x, out_features: 4}
  b: {block: step, from: a, repeat: {times: 2}}
  c: {merge: concat, from: [a, b], dim: 1}
outputs: {y: {from: c}}
"""


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let some keys and options have old names, as none has one today."""
    for module in ("mimgraph.ops.deprecated", "mimgraph.declare.values"):
        monkeypatch.setattr(f"{module}.KEYS", KEYS)
        monkeypatch.setattr(f"{module}.OPTIONS", OPTIONS)


@each("kind, name", [*OPS])
def test_the_new_spelling_of_an_op_computes_the_same(kind: str, name: str) -> None:
    instead = OPS[kind, name].spelling
    old = mg.loads(OLD.replace("NAME", name))
    node = instead.replace("...", "from: image, size: [5, 9]")
    new = mg.loads(OLD.replace("{layer: NAME, from: image, size: [5, 9]}", node))
    item = as_item(instead).replace("...", "size: [5, 9]")
    seq = mg.loads(
        OLD.replace("{layer: NAME, from: image, size: [5, 9]}", f"{{from: image, seq: [{item}]}}")
    )
    image = torch.rand(2, 3, 4, 6)
    expected = old.compile()(image=image)
    for graph in (new, seq):
        assert not graph.warnings
        torch.testing.assert_close(graph.compile()(image=image), expected)


@pytest.mark.usefixtures("renamed")
def test_old_names_of_keys_and_options_are_read_as_the_new_ones() -> None:
    graph = mg.loads(RENAMED)
    assert graph == mg.loads(NEW)
    assert {one.code for one in graph.warnings} == {"deprecated"}
    assert [one.help.removeprefix("write ") for one in graph.warnings] == [
        *("name", "shape", "seq", "out_features", "from", "out_features", "from", "times"),
        *("dim", "from"),
    ]
    assert "source" not in graph.dumps() and not mg.loads(graph.dumps()).warnings


@pytest.mark.usefixtures("renamed")
def test_both_names_at_once_are_a_fault() -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(NEW.replace("out_features: 4}\n", "out_features: 4, units: 4}\n"))
    assert [one.code for one in caught.value.diagnostics] == ["unknown-option"]


@pytest.mark.usefixtures("renamed")
def test_a_part_warns_of_its_own_spellings(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text(RENAMED.replace("{x: {size: [4]}}", "{x: [4]}"))
    (tmp_path / "net.yaml").write_text(
        "parts: {p: part.yaml}\ninputs: {x: [4]}\nnodes: {y: {block: p, from: x}}\noutputs: y\n"
    )
    found = mg.load(tmp_path / "net.yaml").warnings
    assert {Path(one.span.file.name).name for one in found} == {"part.yaml"}


def test_every_format_of_check_has_the_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> tuple[int, str]:
        code = main(words)
        return code, capsys.readouterr().out

    spec = tmp_path / "spec.yaml"
    spec.write_text(OLD.replace("NAME", "UpsamplingNearest2d"))
    code, out = run("check", str(spec))
    assert code == 0
    assert "warning[deprecated]: UpsamplingNearest2d is deprecated since mimgraph 0.2" in out
    assert "help: write {layer: Upsample, mode: nearest, ...}" in out
    (result,) = json.loads(run("check", str(spec), "--format", "sarif")[1])["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("deprecated", "warning")
    assert run("check", str(spec), "--format", "github")[1].startswith("::warning file=")
    assert json.loads(run("check", str(spec), "--format", "json")[1]) == []


def test_python_warns_at_the_line_of_the_user() -> None:
    x = mg.Input("x", (3, 4, 4))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        y = layers.UpsamplingNearest2d(size=8)(x)
        mg.Output(y, training_only=True)
        mg.training_only(y)
        mg.Output(y, only="training")
    assert [(one.category, one.filename) for one in caught] == [(DeprecationWarning, __file__)] * 2
    assert [one.lineno for one in caught] == [caught[0].lineno, caught[0].lineno + 1]
    assert [str(one.message) for one in caught] == [
        "layers.UpsamplingNearest2d is deprecated since mimgraph 0.2: write layers.Upsample(mode='nearest', ...)",
        'mg.Output(training_only=True) is deprecated since mimgraph 0.2: write mg.Output(only="training")',
    ]


def test_the_new_spelling_in_python_is_a_call() -> None:
    for (kind, _), instead in OPS.items():
        call = in_python(instead.spelling).replace("...", "size=8")
        assert eval(call, {"layers": layers}).op.kind == kind


def test_the_promise_lists_every_deprecated_spelling() -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text()
    olds = [*(name for _, name in OPS), *deprecated.PYTHON]
    olds += [name for *_, name in (*deprecated.OPTIONS, *deprecated.KEYS)]
    assert [old for old in olds if f"`{old}`" not in page] == []
