"""The stubs are what the catalogue says, and a type checker tells of a misspelt option."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.stubs import FILES, stub

CODE = """\
import mimgraph as mg
from mimgraph import layers, merges

x = mg.Input("x", (5,))
a = layers.Linear(64, activation="ReLU")(x, name="a")
b = layers.Linear(64, in_features=5)(x)
c = merges.concat(a, b, dim=1, name="c")
"""
WRONG = {
    "misspelt": "layers.Linear(out_feature=64)",
    "wrong type": 'layers.Linear("64")',
    "no such layer": "layers.Liner(64)",
    "no such name": "mg.Inptu",
    "a name of another library": "mg.import_module",
    "misspelt option of a merge": "merges.concat(a, b, dmi=1)",
    "wrong choice": 'layers.Conv2d(3, kernel_size=1, padding_mode="zeroes")',
}


@pytest.mark.parametrize("kind", FILES)
def test_is_fresh(kind: str, rewrite: bool) -> None:
    if rewrite:
        FILES[kind].write_text(stub(kind))
    assert FILES[kind].read_text() == stub(kind)


def test_a_type_checker_tells(tmp_path: Path) -> None:
    lines = len(CODE.splitlines())
    (tmp_path / "user.py").write_text(CODE + "\n".join(WRONG.values()) + "\n")
    # of torch the stubs say nothing, and it takes ten seconds
    (tmp_path / "mypy.ini").write_text("[mypy]\n[mypy-torch.*]\nfollow_imports = skip\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "user.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    told = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert told == set(range(lines + 1, lines + 1 + len(WRONG))), done.stdout
