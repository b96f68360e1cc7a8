"""`mimgraph layers`, `explain` and `schema` print the reference of the language."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.helpers.plugin_packages import declare_broken, declare_example, use


def test_schema_is_printed_and_written(run, tmp_path: Path) -> None:
    code, printed = run("schema")
    assert code == 0
    assert json.loads(printed)["$schema"].endswith("2020-12/schema")
    path = tmp_path / "mimgraph.schema.json"
    assert run("schema", "-o", str(path)) == (0, "")
    assert path.read_text() == printed


def test_layers_lists_plugins_without_importing_them(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("layers", "--plugins") == (0, "no installed package has plugins of mimgraph\n")
    declare_example(tmp_path)
    declare_broken(tmp_path)
    use(tmp_path, monkeypatch)
    code, out = run("layers", "--plugins")
    assert code == 0
    assert (
        out.split("\n\n")[0]
        == """\
acme-blocks 0.1
  GatedLinear  layer           acme_blocks.layers:GatedLinear
  blend        merge           acme_blocks.merges:blend
  tex          picture format  acme_blocks.tikz:tikz
  mlp          importer        acme_blocks.widths:read_mlp"""
    )
    assert "acme_missing:Linear; not used: Linear is a layer of mimgraph\n" in out
    assert "acme_odd:Answer; not used: acme-twin 3.0 has it, too\n" in out
    assert "acme_blocks.layers" not in sys.modules
    listed = json.loads(run("layers", "--plugins", "--format", "json")[1])
    assert next(one for one in listed if one["name"] == "Linear") == {
        "package": "acme-broken",
        "version": "1.2",
        "kind": "layer",
        "name": "Linear",
        "object": "acme_missing:Linear",
        "unused": "Linear is a layer of mimgraph",
    }
    assert run("layers", "Linear", "--plugins")[0] == 2


def test_layers_finds_and_describes_plugins(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_example(tmp_path)
    use(tmp_path, monkeypatch)
    assert run("layers", "--search", "gatedl") == (
        0,
        "Plugins\n  GatedLinear  layer of acme-blocks 0.1\n",
    )
    assert run("layers")[1].endswith("  blend        merge of acme-blocks 0.1\n")
    code, out = run("layers", "GatedLinear")
    assert code == 0
    assert "\nplugin                 acme-blocks 0.1\n" in out
    assert "did you mean GatedLinear?" in run("layers", "GatedLinera")[1].error


def test_the_schema_has_the_layers_and_merges_of_plugins(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_example(tmp_path)
    declare_broken(tmp_path)
    use(tmp_path, monkeypatch)
    code, out = run("schema")
    assert code == 0
    assert '"GatedLinear"' in out and '"blend"' in out
    assert "the schema lacks a name: the layer Missing of acme-broken 1.2" in out.error
