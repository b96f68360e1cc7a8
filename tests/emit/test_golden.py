"""Every spec is emitted as before: ten as the files in tests/golden, the others by their digests.

`--rewrite` writes both again.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from hashlib import sha256
from pathlib import Path

import pytest

import mimgraph as mg
from tests.conftest import ROOT, SPECS, TEN

GOLDEN = ROOT / "tests" / "golden"
DIGESTS = GOLDEN / "digests.txt"  # lines `name digest`
RUFF = Path(sysconfig.get_path("scripts")) / "ruff"


def assert_ruff_leaves(*paths: Path | str) -> None:
    """Check that ruff accepts emitted files, or all files of folders, and formats none."""
    options = ["--isolated", "--no-cache", "--line-length", "100"]
    for command in (["check", "--extend-select", "I"], ["format", "--diff"]):
        arguments = [RUFF, *command, *options, *paths]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_emits_the_golden_files(rewrite: bool) -> None:
    found = {spec.stem: mg.load(spec).source() for spec in SPECS}
    digests = {name: sha256(found[name].encode()).hexdigest() for name in found.keys() - {*TEN}}
    if rewrite:
        for name in TEN:
            (GOLDEN / f"{name}.py").write_text(found[name])
        DIGESTS.write_text("".join(f"{name} {digests[name]}\n" for name in sorted(digests)))
    golden = {path.stem: path.read_text() for path in GOLDEN.glob("*.py")}
    golden |= dict(line.split() for line in DIGESTS.read_text().splitlines())
    assert golden.keys() == found.keys()
    different = [
        f"{name}: tests/golden/{name}.py"
        if name in TEN
        else f"{name}: compare `mimgraph emit specs/{name}.yaml` before the change and after it"
        for name in found
        if golden[name] != digests.get(name, found[name])
    ]
    assert not different, "other source than before:\n" + "\n".join(different)


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the files of all specs."""
    folder = tmp_path_factory.mktemp("emitted")
    for spec in SPECS:
        (folder / f"{spec.stem}.py").write_text(mg.load(spec).source())
    return sorted(map(str, folder.iterdir()))


@pytest.mark.slow
def test_ruff_has_no_finding(emitted: list[str]) -> None:
    assert_ruff_leaves(*emitted)


@pytest.mark.slow
def test_files_run_without_mimgraph(emitted: list[str], tmp_path: Path) -> None:
    script = (
        "import sys, importlib.util, torch\n"
        "sys.modules['mimgraph'] = None\n"
        "for path in sys.argv[1:]:\n"
        "    spec = importlib.util.spec_from_file_location('emitted', path)\n"
        "    module = importlib.util.module_from_spec(spec)\n"
        "    spec.loader.exec_module(module)\n"
        "    classes = [v for v in vars(module).values() if getattr(v, '__module__', '') == 'emitted']\n"
        "    with torch.device('meta'): classes[-1]()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *emitted],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
