"""Layers and merges of installed packages are found by their entry points, and only when they are needed.

What a user sees of wrong ones is in `tests/corpus/plugins.md`.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.support import plugins
from tests.helpers.plugin_packages import declare, declare_broken, declare_example, use

SPEC = """\
inputs: {a: [4], b: [4]}
nodes:
  g: {layer: GatedLinear, from: a, width: 4}
  m: {merge: blend, from: [g, b], start: 0.2}
  s: {from: m, seq: [{GatedLinear: 8}, ReLU]}
outputs: s
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    declare_example(tmp_path / "site")
    use(tmp_path / "site", monkeypatch)
    return tmp_path / "site"


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare_broken(tmp_path / "site")
    use(tmp_path / "site", monkeypatch)


def fault(text: str) -> tuple[str, str, str, str]:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(text)
    (one,) = caught.value.diagnostics
    return one.code, one.message, one.note, one.help


def spec_of(node: str) -> str:
    return f"inputs: {{x: [4], y: [4]}}\nnodes:\n  z: {node}\n  w: {{merge: add, from: [z, x, y]}}\noutputs: w\n"


@pytest.mark.usefixtures("acme")
def test_a_spec_uses_layers_and_merges_of_a_plugin() -> None:
    graph = mg.loads(SPEC)
    assert str(graph.shapes["s"]) == "(N, 8)"
    assert "from acme_blocks.layers import GatedLinear\n" in graph.source()
    assert [*graph.compile().state_dict()][-1] == "s.0.gate.bias"
    assert mg.loads(graph.dumps()) == graph
    assert pickle.loads(pickle.dumps(graph)) == graph
    wide = graph.with_options("g", width=4, bias=False)
    assert "bias False" in str(mg.diff(graph, wide)) or "bias" in str(mg.diff(graph, wide))


@pytest.mark.usefixtures("acme")
def test_python_finds_layers_and_merges_of_a_plugin() -> None:
    a, b = mg.Input("a", (4,)), mg.Input("b", (4,))
    g = layers.GatedLinear(4)(a, name="g")
    m = merges.blend(g, b, start=0.2, name="m")
    s = mg.Sequential(layers.GatedLinear(8), layers.ReLU())(m, name="s")
    assert mg.Graph(s) == mg.loads(SPEC)
    with pytest.raises(AttributeError, match="did you mean GatedLinear"):
        _ = layers.GatedLinaer


@pytest.mark.slow
@pytest.mark.usefixtures("acme")
def test_a_model_of_a_plugin_is_pickled_to_a_process_that_loaded_none(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(mg.loads(SPEC).compile()))
    code = "import pickle, sys; print(type(pickle.load(open(sys.argv[1], 'rb'))).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model.pkl"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Model\n"


@pytest.mark.usefixtures("acme")
def test_a_block_may_have_the_name_of_a_plugin_whatever_was_loaded_before() -> None:
    text = """\
inputs: {x: [4]}
blocks: {GatedLinear: {seq: [ReLU]}}
nodes:
  a: {block: GatedLinear, from: x}
  b: {from: a, seq: [GatedLinear]}
outputs: b
"""
    assert mg.loads(text)
    mg.loads(SPEC)
    assert "acme" not in mg.loads(text).source()
    wrong = text.replace("{from: a, seq: [GatedLinear]}", "{layer: GatedLinear, from: a, width: 4}")
    assert fault(wrong)[0::3] == (
        "unknown-layer",
        "GatedLinear is a block: write {block: GatedLinear, ...}",
    )


@pytest.mark.usefixtures("acme")
def test_a_class_of_the_user_replaces_the_layer_of_a_plugin() -> None:
    mg.loads(SPEC)

    class GatedLinear(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()

        def forward(self, x):
            return x

    mg.register(GatedLinear)
    graph = mg.loads(spec_of("{layer: GatedLinear, from: x, width: 4}"))
    assert "acme" not in graph.source()


@pytest.mark.usefixtures("acme")
def test_plugins_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIMGRAPH_PLUGINS", "0")
    help = "acme-blocks 0.1 has it, but MIMGRAPH_PLUGINS turns plugins off"
    assert fault(spec_of("{layer: GatedLinear, from: x, width: 4}"))[0::3] == (
        "unknown-layer",
        help,
    )
    with pytest.raises(AttributeError):
        _ = layers.GatedLinear


def test_a_package_in_the_working_directory_is_no_plugin(
    acme: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(acme)
    assert plugins.plugins() == []
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert plugins.plugins() == []
    (acme.parent / "link").symlink_to(acme)
    monkeypatch.setattr(sys, "path", [str(acme.parent / "link")])
    assert plugins.plugins() == []


def test_nothing_looks_for_plugins_while_all_names_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plugins, "installed", None)
    text = """\
inputs: {x: [4]}
blocks: {twice: {seq: [{Linear: 4}, ReLU]}}
nodes:
  a: {block: twice, from: x, repeat: 2}
  b: {from: a, seq: [twice, {Dropout: 0.1}]}
outputs: b
"""
    assert mg.loads(text)


@pytest.mark.usefixtures("broken")
def test_a_broken_plugin_in_python_is_an_attribute_error_with_its_package() -> None:
    with pytest.raises(AttributeError, match=r"of acme-broken 1\.2 cannot be imported"):
        _ = layers.Missing


def test_what_is_no_class_of_modules_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {"mimgraph.layers": {"Answer": "acme_odd:answer", "Net": "acme_odd:net"}}
    declare(tmp_path, "acme-odd", "1.0", entries, acme_odd="answer = 'yes'\nnet = 3\n")
    use(tmp_path, monkeypatch)
    wanted = "not a class of modules, a function, or what mg.register returned"
    for name, what in (("Answer", "str"), ("Net", "int")):
        message = fault(spec_of(f"{{layer: {name}, from: x}}"))[1]
        assert message == f"the layer {name} of acme-odd 1.0 is {what}, {wanted}"


def test_an_unreadable_file_of_entry_points_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {"mimgraph.layers": {"Gate": "no module at all!", "Wrong": ""}}
    declare(tmp_path, "acme-odd", "1.0", entries)
    use(tmp_path, monkeypatch)
    assert fault(spec_of("{layer: Gate, from: x}"))[0] == "broken-plugin"
    assert fault(spec_of("{layer: Gat, from: x}"))[0] == "unknown-layer"


@pytest.mark.parametrize("text", [b"no section\n[console_scripts]\nno value\n", b"\xff\xfe"])
def test_a_package_whose_metadata_is_broken_is_passed_over(acme: Path, text: bytes) -> None:
    declare(acme, "other", "1.0", {})
    (acme / "other-1.0.dist-info" / "entry_points.txt").write_bytes(text)
    assert {one.package for one in plugins.plugins()} == {"acme-blocks"}


def test_plugins_are_found_after_the_working_directory_was_removed(
    acme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert plugins.plugin("layers", "GatedLinear")
