"""Run commands in this process, on a correct and a wrong spec."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mimgraph.cli import main
from tests.conftest import ROOT

SIMPLE = str(ROOT / "specs" / "simple_numerical.yaml")


TEXT = str(ROOT / "specs" / "text_numerical.yaml")


WRONG = "inputs: {x: [5]}\nnodes:\n  y: {layer: Liner, from: x}\noutputs: y\n"


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    return str(path)


class Printed(str):
    """The standard output of a command, and its standard error as `error`."""

    error = ""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def call(*arguments: str) -> tuple[int, Printed]:
        try:
            code = main(arguments)
        except SystemExit as exit:
            code = int(exit.code or 0)
        captured = capsys.readouterr()
        printed = Printed(captured.out)
        printed.error = captured.err
        return code, printed

    return call


@pytest.fixture
def wider(tmp_path: Path) -> str:
    """The spec TEXT with another width."""
    path = tmp_path / "wider.yaml"
    text = Path(TEXT).read_text()
    assert "hidden: 64" in text
    path.write_text(text.replace("hidden: 64", "hidden: 96"))
    return str(path)


CODE = """\
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.left = nn.Linear(4, hidden)
        self.right = nn.Linear(6, hidden)
        self.head = nn.Linear(2 * hidden, 2)

    def forward(self, x, y):
        print("forward runs")
        left = F.relu(self.left(x))
        return self.head(torch.cat([left, self.right(y)], 1))


class Words(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.table = nn.Embedding(50, width)

    def forward(self, batch):
        return self.table(batch["ids"])
"""

NET = ("my_model.py:Net", "--input", "x=4", "--input", "y=6")


@pytest.fixture
def my_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with `my_model.py`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("my_model", "net_layers"):  # of other tests
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "my_model.py").write_text(CODE)
    return tmp_path
