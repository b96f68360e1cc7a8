"""Install packages of plugins for a test: a folder on `sys.path` with the metadata that pip would write."""

from __future__ import annotations

import importlib
import shutil
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import ROOT

EXAMPLE = ROOT / "examples" / "plugin"


def declare(
    site: Path, name: str, version: str, entries: Mapping[str, Mapping[str, str]], **files: str
) -> None:
    """Write the metadata of a package into a folder, and its Python files by their modules."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, plugins in entries.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in plugins.items())]
    (info / "entry_points.txt").write_text("\n".join([*lines, ""]))
    for module, text in files.items():
        (site / f"{module}.py").write_text(text)


def declare_example(site: Path) -> None:
    """Install the package of `examples/plugin` into a folder, as `pip install --target` does."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    declare(site, project["name"], project["version"], project["entry-points"])
    shutil.copytree(EXAMPLE / "acme_blocks", site / "acme_blocks")


def use(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Python find the packages in a folder, in this process and those that it starts."""
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT}")
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.partition(".")[0].startswith("acme")]:
        monkeypatch.delitem(sys.modules, name)


BROKEN = {  # plugins that cannot be used, each for another reason, by the package acme-broken
    "acme_missing": "import a_module_that_is_not_there\n",
    "acme_odd": "def Answer():\n    return 42\n",
    "acme_rules": """\
from torch import nn
import mimgraph as mg

class Halves(nn.Module):
    def forward(self, x):
        return x

class Alone(nn.Module):
    def forward(self):
        return None

Halves = mg.register(Halves, shape=lambda x: "half")
""",
    "acme_quits": """import os

from torch import nn

class Quits(nn.Module):
    def forward(self, x):
        if x.sum().item() > -1e9:
            os._exit(3)
        return x
""",
}


def declare_broken(site: Path) -> None:
    """Install a package whose layers and merges are broken, and one that has the same name as another."""
    layers = {
        "Missing": "acme_missing:Missing",
        "Answer": "acme_odd:Answer",
        "Nowhere": "acme_odd:Nowhere",
        "Halves": "acme_rules:Halves",
        "Alone": "acme_rules:Alone",
        "Other": "acme_rules:Halves",
        "Quits": "acme_quits:Quits",
        "Linear": "acme_missing:Linear",
    }
    entries = {"mimgraph.layers": layers, "mimgraph.merges": {"halves": "acme_rules:Halves"}}
    declare(site, "acme-broken", "1.2", entries, **BROKEN)
    declare(site, "acme-twin", "3.0", {"mimgraph.layers": {"Answer": "acme_odd:Answer"}})
