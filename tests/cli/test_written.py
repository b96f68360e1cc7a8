"""Files that cannot be written: `rename` changes all of its files or none, `fmt` those that it can."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimgraph.support.files import write_whole

LOOSE = "inputs: {x: [5]}   # a row\noutputs: 'y'\nnodes: {y: {from: x,layer: ReLU}}\n"
TIDY = "inputs: {x: [5]}  # a row\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"
WHOLE = """\
parts: {text: part.yaml}
inputs: {x: [T, 8]}   # eight
nodes: {y: {block: text, from: {tokens: x}}}
outputs: y
"""
PART = "inputs: {tokens: [T, C]}\nnodes: {y: {layer: ReLU, from: tokens}}\noutputs: y\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_specs_behind_one_that_cannot_be_written_are_formatted(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    for name in ("a", "b", "c"):
        Path(f"{name}.yaml").write_text(LOOSE)

    def write(path: str, text: str) -> None:
        if path.endswith("b.yaml"):
            raise OSError("the disk is full")
        Path(path).write_text(text)

    monkeypatch.setattr("mimgraph.cli.commands.fmt.write_whole", write)
    code, printed = run("fmt", ".")
    assert code == 2 and "b.yaml: the disk is full" in printed.error
    assert [Path(f"{name}.yaml").read_text() for name in ("a", "b", "c")] == [TIDY, LOOSE, TIDY]


def test_if_one_file_cannot_be_written_none_is_renamed(  # type: ignore[no-untyped-def]
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: str, data: bytes) -> None:
        if path == "whole.yaml" and b"words" in data:
            raise OSError(28, "No space left on device", path)
        write_whole(path, data)

    Path("whole.yaml").write_text(WHOLE)
    Path("part.yaml").write_text(PART)
    monkeypatch.setattr("mimgraph.support.files.write_whole", write)
    code, out = run("rename", "part.yaml", "tokens", "words")
    assert code == 2 and "cannot write whole.yaml: No space left" in out.error
    assert (Path("whole.yaml").read_text(), Path("part.yaml").read_text()) == (WHOLE, PART)


def test_a_rename_keeps_line_ends(run) -> None:  # type: ignore[no-untyped-def]
    text = PART.replace("\n", "\r\n")
    Path("part.yaml").write_bytes(text.encode())
    assert run("rename", "part.yaml", "tokens", "words")[0] == 0
    assert Path("part.yaml").read_bytes().decode() == text.replace("tokens", "words")
