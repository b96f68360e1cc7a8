"""Tests of the report of an import: its text, its data, and the comments in the spec."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.imported import Imported
from mimgraph.importer.proof.prove import Proof


class Gate(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cdist(x, x)  # no layer of a spec


class Model(nn.Module):
    """Has a module to keep, a function that no spec has, and a condition on inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = nn.Sequential(nn.Linear(4, 4))
        self.gates = nn.ModuleList([Gate(), Gate()])

    def forward(self, x: Tensor) -> Any:
        if x.abs().max() > 1000:
            x = x / 2
        y = self.kept(x)
        return y + self.gates[0](y).sum(-1, keepdim=True) + self.gates[1](x).sum(-1, keepdim=True)


def line_of(text: str) -> int:
    """Return the number of the line of this file that has a text first."""
    lines = inspect.getsource(inspect.getmodule(line_of)).splitlines()  # type: ignore[arg-type]
    return 1 + next(number for number, line in enumerate(lines) if text in line)


def imported() -> Imported:
    return mg.from_module(Model(), {"x": ("T", 4)}, opaque=["kept"])


def test_the_report_shows_the_lines_of_the_users_code() -> None:
    text = imported().report.text(200)
    number = line_of("torch.cdist(x, x)")
    assert "opaque[function]: cdist is no function that a spec can express\n" in text
    assert f"test_report.py:{number}:9\n" in text
    assert "return torch.cdist(x, x)  # no layer of a spec\n" in text
    assert text.count("opaque[function]") == 1
    assert "^ also gates.1.cdist\n" in text
    assert f"test_report.py:{line_of('y = self.kept(x)')}:9\n" in text
    assert "frozen[branch]: a condition on inputs is fixed as False\n" in text
    assert f"test_report.py:{line_of('if x.abs().max() > 1000')}:9\n" in text
    *_, counts, keys, proof = text.splitlines()
    assert counts.endswith(" nodes: 3 opaque, 1 frozen, 0 left out")
    assert keys == "keys: all the same"
    assert proof.startswith("compared at N = 4, T = 8; N = 6, T = 19; N = 7, T = 13: ")


def test_the_data_is_plain() -> None:
    data = imported().data()
    assert data["proven"] is True
    assert [one["path"] for one in data["opaque"]] == ["kept", "gates.0.cdist", "gates.1.cdist"]
    (frozen,) = data["frozen"]
    assert frozen["line"] == line_of("if x.abs().max() > 1000")
    assert frozen["file"] == __file__
    assert (frozen["reason"], data["left_out"], data["keys"]) == ("branch", [], {})


def test_the_spec_has_the_remarks_as_comments() -> None:
    lines = imported().dumps().splitlines()
    assert lines[0] == "# frozen[branch]: a condition on inputs is fixed as False"
    remark = next(number for number, line in enumerate(lines) if "# opaque[function]" in line)
    assert "layer: Cdist" in lines[remark + 1]
    assert mg.loads("\n".join(lines)).dumps() == imported().graph.dumps()


class OneLine(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.kept = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        return self.kept(self.first(x).relu()).tanh()


def test_of_the_nodes_of_a_line_only_the_opaque_one_has_the_remark() -> None:
    lines = mg.from_module(OneLine(), {"x": (4,)}, opaque=["kept"]).dumps().splitlines()
    (remark,) = (number for number, line in enumerate(lines) if "# opaque[asked]" in line)
    assert lines[remark + 1].lstrip().startswith("kept: ")


class Batched(nn.Module):
    """Does something else at one size, which no trace has."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 1 if len(x) == 6 else x * 2


def test_a_spec_that_is_not_proven_says_so_first() -> None:
    found = mg.from_module(Batched(), {"x": (3,)})
    assert not found.proven and not found.data()["proven"]
    (first, *_) = found.dumps().splitlines()
    assert first.startswith("# Not proven: output differs by ")
    assert first.endswith(" in evaluation at N = 6")
    assert "\nnot proven: output differs by " in str(found.report)


class Resized(nn.Module):
    """Takes images of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, stride=2)

    def forward(self, image: Tensor, unread: Tensor) -> Any:
        return nn.functional.interpolate(self.conv(image), image.shape[2:])


def test_sizes_that_only_the_spec_fixes_are_named() -> None:
    fixed = (
        "image=3,8,10; the module runs at other sizes too, but the spec may then compute something"
    )
    fixed += " else; to free them, import with image=3,H,W\n"
    found = mg.from_module(Resized(), {"image": (3, 8, 10), "unread": (4,)})
    assert found.proven and f"\nfixed sizes: {fixed}" in found.report.text(200)
    assert found.dumps().startswith(f"# Fixed sizes: {fixed}")
    (one,) = found.data()["fixed_sizes"]
    assert one == {"input": "image", "shape": (3, 8, 10), "free": (3, "H", "W")}
    free = mg.from_module(Resized(), {"image": (3, "H", "W"), "unread": (4,)})
    assert free.proven and not free.data()["fixed_sizes"] and "$H, $W" in free.dumps()


def test_a_strict_import_refuses_what_is_not_exact() -> None:
    with pytest.raises(ValueError, match=r"(?s)^the graph is not the module as it is\n\nopaque\["):
        mg.from_module(Model(), {"x": ("T", 4)}, strict=True)
    assert mg.from_module(nn.Sequential(nn.Linear(4, 2)), {"input": (4,)}, strict=True).proven


def test_the_summary_fits_the_terminal_and_has_titles_in_color() -> None:
    report = imported().report
    for width in (60, 80, 120):
        *_, summary = report.text(width).split("\n\n")
        assert max(map(len, summary.splitlines())) <= width
    colored = report.text(60, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == report.text(60)
    assert "\n\x1b[1mkeys:\x1b[0m " in colored


def test_what_is_not_proven_is_red() -> None:
    report = replace(imported().report, proof=Proof(faults=["output differs by 1"]))
    assert "\x1b[1;31mnot proven:\x1b[0m output differs by 1" in report.text(color=True)
