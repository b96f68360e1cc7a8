"""A program of torch.export becomes a spec with the original keys, and is compared with the program."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

import mimgraph as mg
from mimgraph.importer.exported import load_exported


class TextAndNumbers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.body = nn.Sequential(nn.Conv1d(8, 6, 3, padding=1), nn.BatchNorm1d(6), nn.ReLU())
        self.head = nn.Linear(6 + 5, 3)

    def forward(self, text: Tensor, numbers: Tensor) -> Tensor:
        words = self.body(self.embedding(text).transpose(1, 2))
        result: Tensor = self.head(torch.cat([words.mean(2), numbers], 1))
        return result


def program() -> ExportedProgram:
    batch, length = Dim("batch"), Dim("length", max=1000)  # torch 2.10 needs a limit of the length
    sizes = {"text": {0: batch, 1: length}, "numbers": {0: batch}}
    given = (torch.randint(0, 50, (2, 7)), torch.randn(2, 5))
    return torch.export.export(TextAndNumbers().eval(), given, dynamic_shapes=sizes)


SPEC = """\
name: Exported
inputs:
  text: {shape: [T], vocab: 50}
  numbers: [5]
"""


def test_a_program_knows_its_inputs_and_keeps_its_keys() -> None:
    exported = program()
    imported = mg.from_module(exported)
    assert imported.dumps().startswith(SPEC)
    assert imported.proven and not imported.keys
    assert imported.compile().state_dict().keys() == exported.state_dict.keys()


class Weighed(nn.Module):
    """Weighs 80 numbers by a tensor that is not in its state_dict."""

    table = torch.arange(80.0)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.table


def test_a_constant_that_a_spec_cannot_hold_is_named() -> None:
    exported = torch.export.export(
        Weighed(), (torch.randn(2, 80),), dynamic_shapes={"x": {0: Dim("batch")}}
    )
    found = mg.from_module(exported)
    assert not found.proven and [one["reason"] for one in found.data()["left_out"]] == [
        "large-constant"
    ]


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    exported = program()
    torch.export.save(exported, path)
    assert mg.from_module(load_exported(str(path))).graph == mg.from_module(exported).graph


def test_a_fixed_batch_is_refused_with_what_to_write() -> None:
    given = (torch.randint(0, 50, (2, 7)), torch.randn(2, 5))
    exported = torch.export.export(TextAndNumbers().eval(), given)
    with pytest.raises(ValueError, match='dynamic_shapes={"text": {0: torch.export.Dim'):
        mg.from_module(exported)
