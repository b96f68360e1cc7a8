"""Packages bring importers: functions of a file's path, found by the ending of its name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import mimgraph as mg
from tests.helpers.plugin_packages import declare, declare_example, use

pytestmark = pytest.mark.slow

ODD = """\
import mimgraph as mg
import torch

def graph(path):
    return mg.loads(path.read_text())

def weights(path):
    return mg.loads(path.read_text()), {"y.weight": torch.ones(3, 4), "y.bias": torch.zeros(3)}

def number(path): return 3
def fails(path): return {}["key"]
def objects(path): return {"inputs": {"x": object}}
def refuses(path): raise ValueError(f"{path.name} has no layers")
def wrong(path): return {"inputs": {"x": [4]}, "nodes": {"y": {"layer": "Liner"}}, "outputs": "y"}
"""
SPEC = "inputs: {x: [4]}\nnodes: {y: {layer: Linear, from: x, out_features: 3}}\noutputs: y\n"


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare_example(tmp_path / "site")
    names = ("graph", "weights", "number", "fails", "objects", "refuses", "wrong", "nowhere", "py")
    entries = {"mimgraph.importers": {name: f"acme_odd:{name}" for name in names}}
    declare(tmp_path / "site", "acme-odd", "1.0", entries, acme_odd=ODD)
    use(tmp_path / "site", monkeypatch)


def given(tmp_path: Path, ending: str, text: str = SPEC) -> Path:
    path = tmp_path / f"net.{ending}"
    path.write_text(text)
    return path


def test_a_spec_as_data_is_imported(tmp_path: Path) -> None:
    imported = mg.from_module(given(tmp_path, "mlp", "13 64 32 1"))
    assert len(imported.graph.nodes["y"].nodes) == 5
    assert "# Not compared: acme-blocks 0.1 read the file" in imported.dumps()
    assert not imported.comparable


def test_a_graph_is_imported_with_its_weights(tmp_path: Path) -> None:
    assert mg.from_module(given(tmp_path, "graph")).graph == mg.loads(SPEC)
    model = mg.from_module(given(tmp_path, "weights")).compile()
    torch.testing.assert_close(model(x=torch.ones(2, 4)), torch.full((2, 3), 4.0))


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        ("number", "the importer number of acme-odd 1.0 returns int, not a spec as a dict"),
        ("fails", "the importer fails of acme-odd 1.0 cannot read"),
        ("objects", "an importer of acme-odd 1.0 returned a spec that is no plain data"),
        ("nowhere", "the importer nowhere of acme-odd 1.0 cannot be imported"),
    ],
)
def test_a_broken_importer_is_a_diagnostic_with_its_package(
    ending: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.from_module(given(tmp_path, ending))
    (fault,) = caught.value.diagnostics
    assert fault.code == "broken-plugin"
    assert fault.message.startswith(message)


def test_an_importer_may_refuse_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^net.refuses has no layers$"):
        mg.from_module(given(tmp_path, "refuses"))


def test_a_wrong_spec_names_the_importer(tmp_path: Path) -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.from_module(given(tmp_path, "wrong"))
    assert caught.value.__notes__ == ["the spec is from an importer of acme-odd 1.0"]


def test_a_model_given_as_a_spec_is_refused_with_the_command_that_imports_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(mg.SpecError, match=r"mimgraph import model.mlp -o net.yaml"):
        mg.load(given(tmp_path, "mlp", "13 64"))


def test_an_ending_of_mimgraph_is_never_that_of_a_plugin(tmp_path: Path) -> None:
    with pytest.raises(mg.SpecError, match=r"this is Python code, not a spec"):
        mg.load(given(tmp_path, "py", "import torch"))
