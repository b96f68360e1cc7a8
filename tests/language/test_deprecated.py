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
from mimgraph.ops.deprecated import OPS
from mimgraph.ops.spelling import as_item
from tests.conftest import ROOT
from tests.helpers.cases import each

OLD = "inputs: {image: [3, 4, 6]}\nnodes:\n  y: {layer: NAME, from: image, size: [5, 9]}\noutputs: y\n"


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
        call = instead.python.replace("...", "size=8")
        assert eval(call, {"layers": layers}).op.kind == kind


def test_the_promise_lists_every_deprecated_spelling() -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text()
    olds = [*(name for _, name in OPS), *deprecated.PYTHON]
    assert [old for old in olds if f"`{old}`" not in page] == []
