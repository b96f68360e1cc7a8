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
