"""All commands: exit codes, `--set`, standard input, colour; and the commands `emit` and `draw`."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.cli import main
from tests.cli.conftest import SIMPLE, TEXT, WRONG


@pytest.mark.parametrize("command", ["summary", "emit", "run"])
def test_a_wrong_spec_exits_1(run, wrong: str, command: str) -> None:
    code, out = run(command, wrong)
    assert (code, out) == (1, "")
    assert "unknown-layer" in out.error


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "no/such/file.yaml"],
        ["check", ""],
        ["import", "no_such.py:Net", "-o", ""],
        ["check", "mimgraph/ir"],
        ["check"],
        ["chek", SIMPLE],
        ["check", SIMPLE, "--set", "hidden"],
        ["check", SIMPLE, "--set", "hidden=3"],
        ["check", TEXT, "--set", "hidden=no"],
        ["draw", SIMPLE, "-o", "picture.bmp"],
        ["diff", SIMPLE],
        ["diff", SIMPLE, "no/such/file.yaml"],
        ["diff", "-", "-"],
        ["diff", SIMPLE, TEXT, "-o", "picture.bmp"],
        ["diff", SIMPLE, TEXT, "-o", SIMPLE],
        ["emit", SIMPLE, "-o", "no/such/folder/model.py"],
        ["summary", SIMPLE, "--batch", "0"],
        ["summary", TEXT, "--set", "T=0"],
        ["run", SIMPLE, "--batch", "0"],
        ["run", SIMPLE, "--inputs", "no/such/file.npz"],
        ["run", SIMPLE, "--weights", "no/such/file.safetensors"],
        ["run", SIMPLE, "--weights", SIMPLE],
        ["check", "no/such/file.safetensors"],
        ["layers", "Conv2"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_exits_2(run, arguments: list[str]) -> None:
    code, out = run(*arguments)
    assert code == 2
    assert out.error


def test_set_replaces_a_param(run) -> None:
    code, out = run("emit", TEXT, "--set", "hidden=128")
    assert code == 0
    assert "nn.LSTM(100, 128, batch_first=True)" in out


def test_a_dash_is_standard_input(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(WRONG.encode())))
    code, out = run("check", "-")
    assert code == 1
    assert "--> <stdin>:3:14" in out


def test_draw_says_that_a_picture_is_too_long_to_read(run, tmp_path: Path) -> None:
    rows = (f"  n{i}: {{layer: ReLU, from: {f'n{i - 1}' if i else 'x'}}}\n" for i in range(300))
    spec = tmp_path / "long.yaml"
    spec.write_text(f"inputs: {{x: [4]}}\nnodes:\n{''.join(rows)}outputs: n299\n")
    code, out = run("draw", str(spec), "--depth", "all", "-o", str(tmp_path / "long.pdf"))
    assert code == 0
    assert re.search(r"^warning: the picture is 2\d,\d{3} points high ", out.error, re.MULTILINE)
    code, out = run("draw", str(spec), "-o", str(tmp_path / "long.pdf"), "--collapse")
    assert (code, "warning" in out.error) == (0, False)


def test_emit_to_a_file(run, tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    assert run("emit", SIMPLE, "-o", str(path)) == (0, "")
    assert path.read_text() == mg.load(SIMPLE).source()


@pytest.mark.parametrize(
    ("terminal", "variables", "colored"),
    [
        (False, {}, False),
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
    ],
)
def test_color(
    run,
    wrong: str,
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    variables: dict[str, str],
    colored: bool,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    assert ("\x1b[" in run("check", wrong)[1]) is colored
    assert ("\x1b[" in run("emit", wrong)[1].error) is colored


def test_a_terminal_shows_how_to_explain_the_codes(
    run, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("check", wrong)[1].error == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run("check", wrong, wrong)[1].error == "\nfor more: mimgraph explain unknown-layer\n"
    assert run("check", "--format", "json", wrong)[1].error == ""


def test_an_ambiguous_value_of_set_says_what_to_write_instead(run) -> None:
    error = run("check", SIMPLE, "--set", "frozen=yes")[1].error
    assert 'help: write true, or, if it is a string, quote it: "yes"' in error


@pytest.mark.parametrize("params", ["[hidden]", "{hidden: 2, hidden: 3}", "{{ x }}"])
def test_set_in_a_spec_with_unreadable_params(
    params: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spec.yaml"
    rest = "inputs: {x: [5]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"
    path.write_text(f"params: {params}\n{rest}")
    assert main(["check", str(path), "--set", "width=3"]) == 1
    assert capsys.readouterr().out.count("error[") == 1


IMPORTS = {
    "lost_layers": "help: run this in the folder of lost_layers, or add that folder to PYTHONPATH",
    "models.layers.gated": "help: run this in the folder of models, or add that folder to PYTHON",
    "layers.py": "help: write --import layers, and run this in the folder of layers, or add",
    "models/layers.py": "help: write --import layers, and run this in models, or add that folder to",
}


@pytest.mark.parametrize("name", IMPORTS)
def test_an_import_that_is_not_found_says_what_to_write(
    run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    code, out = run("check", SIMPLE, "--import", name)
    assert code == 2 and IMPORTS[name] in out.error
