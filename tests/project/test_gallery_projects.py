"""A project like any spec of the gallery runs as it is written: it trains, and its test passes."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest
import torch

import mimgraph as mg
from mimgraph.cli import main
from mimgraph.gallery.catalogue import entries
from tests.conftest import TEN, in_ci
from tests.gallery import SMALL

IN_CI = [name for name in TEN if name not in ("densenet121", "swin_t")]  # quick ones
EVERY = [
    in_ci(name, unless=name == "simple_numerical")
    if name in ("simple_numerical", *IN_CI)
    else pytest.param(name, marks=pytest.mark.nightly)
    for name in (one.name for one in entries())
]


def new(folder: Path, name: str, *words: str) -> Path:
    """Write a project and return its folder."""
    assert main(["new", str(folder / name), *words]) == 0
    return folder / name


@pytest.mark.parametrize("name", EVERY)
def test_it_trains_and_its_test_passes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = f"like_{name}"
    params = [f"--set={key}={value}" for key, value in SMALL.get(name, {}).items()]
    project = new(tmp_path, module, "--like", name, *params)
    graph = mg.load(project / f"{module}.yaml")
    assert {key: graph.typed.body.params[key] for key in SMALL.get(name, {})} == SMALL.get(name, {})
    test = SimpleNamespace(**run_path(str(project / f"test_{module}.py")))
    script = test.SCRIPT
    # a step and a bit, as the models are many
    script.BATCH = script.main.__globals__["BATCH"] = 2
    monkeypatch.setattr(script.Data, "__len__", lambda self: 5)
    script.main(1, 0)
    assert "epoch 1: loss " in capsys.readouterr().out
    saved = mg.load_model(project / f"{module}.safetensors")
    assert all(torch.isfinite(p).all() for p in saved.parameters() if p.is_floating_point())
    for check in [value for key, value in vars(test).items() if key.startswith("test_")]:
        check()
