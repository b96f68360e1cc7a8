"""Every file that a command writes is named on standard error, with the time until then."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import NET, SIMPLE

FILES = {
    "emit SPEC -o model.py": "model.py",
    "schema -o schema.json": "schema.json",
    "draw SPEC -o model.dot": "model.dot",
    "diff SPEC SPEC -o diff.dot": "diff.dot",
    "run SPEC --outputs out.npz": "out.npz",
    "import NET -o net.yaml --weights net.safetensors --opaque right": "net.safetensors net.yaml net_layers.py",
    "emit SPEC": "",
}


@pytest.mark.usefixtures("my_model")
@pytest.mark.parametrize("words", FILES)
def test_files_are_named(run, words: str) -> None:  # type: ignore[no-untyped-def]
    places = {"SPEC": (SIMPLE,), "NET": NET}
    code, out = run(*(part for word in words.split() for part in places.get(word, (word,))))
    named = re.findall(r"^wrote (\S+) \(\d+\.\d s\)$", out.error, re.MULTILINE)
    assert (code, named) == (0, FILES[words].split())
    assert "wrote" not in out and all(Path(name).exists() for name in named)


@pytest.mark.parametrize("command", ["emit", "draw"])
def test_what_is_read_is_not_overwritten(run, tmp_path: Path, command: str) -> None:  # type: ignore[no-untyped-def]
    spec, part = tmp_path / "spec.yaml", tmp_path / "part.yaml"
    spec.write_text(
        "inputs: {x: [4]}\nparts: {inner: part.yaml}\n"
        "nodes: {y: {block: inner, from: x}}\noutputs: y\n"
    )
    part.write_text("inputs: {x: [C]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n")
    for path, what in ((spec, "the spec itself"), (part, "a part of the spec")):
        before = path.read_text()
        code, out = run(command, str(spec), "-o", str(path))
        assert code == 2 and f"error: {path} is {what}\n" in out.error
        assert path.read_text() == before
