"""`mimgraph summary`: its formats, and sizes filled in by `--set`."""

from __future__ import annotations

import io
import json
import re

import pytest

import mimgraph as mg
from tests.cli.conftest import SIMPLE

LENGTH = """
params: {width: 4}
inputs: {x: [4, T]}
nodes: {y: {layer: Conv1d, from: x, out_channels: $width, kernel_size: 3}}
outputs: y
"""


@pytest.fixture
def length(monkeypatch: pytest.MonkeyPatch) -> str:
    """Standard input with a spec whose size T is known only at run time."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LENGTH.encode())))
    return "-"


def test_set_of_summary_fills_in_a_size_that_is_no_param(run, length: str) -> None:
    code, out = run("summary", length, "--set", "T=10", "--set", "width=8", "--batch", "2")
    assert code == 0
    assert re.search(r"^y +Conv1d +\(2, 8, 8\) +104 +1,536 +x$", out, re.MULTILINE)
    assert "At run time" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "T=2"], "T = 2 breaks T >= 3, which y needs (<stdin>:4)"),
        (["--set", "T=ten"], "T must be an integer of at least 1, not 'ten'"),
        (
            ["--set", "T=9", "--set", "L=9"],
            "no param is called 'L'; the spec's params: width; the sizes of its inputs: T",
        ),
    ],
    ids=["constraint", "no size", "no name"],
)
def test_a_wrong_setting_is_reported(run, length: str, arguments: list[str], message: str) -> None:
    code, out = run("summary", length, *arguments)
    assert (code, out, out.error) == (2, "", f"error: {message}\n")


def test_other_commands_fill_in_no_sizes(run, length: str) -> None:
    code, out = run("emit", length, "--set", "T=10")
    assert code == 2
    assert out.error == "error: no param is called 'T'; the spec's params: width\n"


@pytest.mark.parametrize(
    ("format", "method"), [("csv", "csv"), ("md", "markdown"), ("text", "text")]
)
def test_summary_in_each_format(run, format: str, method: str) -> None:
    code, out = run("summary", SIMPLE, "--format", format)
    assert code == 0
    assert out.rstrip("\n") == getattr(mg.load(SIMPLE).summary(), method)().rstrip("\n")


def test_summary_to_a_depth(run) -> None:
    assert "├─ 0" in run("summary", "specs/resnet18.yaml")[1]
    assert "├─" not in run("summary", "specs/resnet18.yaml", "--depth", "0")[1]


def test_summary_as_json(run) -> None:
    code, out = run("summary", SIMPLE, "--format", "json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert {k: rows["fc1"][k] for k in ("layer", "shape", "dtype", "params")} == {
        "layer": "Linear",
        "shape": "(N, 32)",
        "dtype": "float32",
        "params": 192,
    }
