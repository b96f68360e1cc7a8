"""`mimgraph fmt`: what it writes, what it says, and how it exits."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

LOOSE = "inputs: {x: [5]}   # a row\noutputs: 'y'\nnodes: {y: {from: x,layer: ReLU}}\n"
TIDY = "inputs: {x: [5]}  # a row\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    path = tmp_path / "loose.yaml"
    path.write_text(LOOSE)
    return path


def test_a_file_is_written_once(run, loose: Path) -> None:  # type: ignore[no-untyped-def]
    code, printed = run("fmt", str(loose))
    assert (code, printed) == (0, "")
    assert printed.error == f"formatted {loose}\n"
    assert loose.read_text() == TIDY
    code, printed = run("fmt", str(loose))
    assert printed.error == "1 spec already in the style\n"


def test_check_and_diff_write_nothing(run, loose: Path) -> None:  # type: ignore[no-untyped-def]
    code, printed = run("fmt", "--check", str(loose))
    assert (code, printed, printed.error) == (1, "", f"would format {loose}\n")
    code, printed = run("fmt", "--diff", str(loose))
    assert code == 0
    assert "-outputs: 'y'\n" in printed and "+outputs: y\n" in printed
    assert run("fmt", "--check", "--diff", str(loose))[0] == 1
    assert loose.read_text() == LOOSE


def test_standard_input_is_printed(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    stdin = SimpleNamespace(buffer=io.BytesIO(LOOSE.encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    code, printed = run("fmt", "-")
    assert (code, printed, printed.error) == (0, TIDY, "")


def test_a_folder_stands_for_its_specs_and_their_parts(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "part.yaml").write_text(LOOSE)
    (tmp_path / "whole.yaml").write_text(LOOSE + "parts: {p: part.yaml}\n")
    (tmp_path / "other.yaml").write_text("on:   push\n")
    (tmp_path / "data.json").write_text(json.dumps({"inputs": {}, "nodes": {}, "outputs": []}))
    assert run("fmt", str(tmp_path))[0] == 0
    assert (tmp_path / "part.yaml").read_text() == TIDY
    assert (tmp_path / "whole.yaml").read_text() == "parts: {p: part.yaml}\n" + TIDY
    assert (tmp_path / "other.yaml").read_text() == "on:   push\n"


def test_the_specs_behind_one_that_cannot_be_written_are_formatted(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text(LOOSE)

    def write(path: str, text: str) -> None:
        if path.endswith("b.yaml"):
            raise OSError("the disk is full")
        Path(path).write_text(text)

    monkeypatch.setattr("mimgraph.cli.commands.fmt.write_whole", write)
    code, printed = run("fmt", str(tmp_path))
    assert code == 2 and "b.yaml: the disk is full" in printed.error
    texts = [(tmp_path / f"{name}.yaml").read_text() for name in ("a", "b", "c")]
    assert texts == [TIDY, LOOSE, TIDY]


def test_a_file_that_cannot_be_read_stays(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bad.yaml"
    path.write_text(LOOSE + "more: [1\n")
    code, printed = run("fmt", str(path))
    assert code == 1
    assert printed.error.startswith("error[yaml-syntax]")
    assert path.read_text() == LOOSE + "more: [1\n"
    code, printed = run("fmt", str(tmp_path / "none.yaml"))
    assert code == 2
    assert printed.error.startswith("error: cannot read")


def test_a_wrong_spec_is_formatted(run, loose: Path) -> None:  # type: ignore[no-untyped-def]
    loose.write_text(LOOSE.replace("ReLU", "Relux"))
    assert run("fmt", str(loose))[0] == 0
    assert loose.read_text() == TIDY.replace("ReLU", "Relux")


def test_json_stays(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "spec.json"
    path.write_text('{"inputs": {"x":[5]}}')
    code, printed = run("fmt", str(path))
    assert code == 0
    assert "is JSON and stays as it is" in printed.error
    assert path.read_text() == '{"inputs": {"x":[5]}}'
