"""Every spec is emitted as the file in tests/golden; `--rewrite` writes these again."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import mimgraph as mg

GOLDEN = Path(__file__).parent.parent / "golden"
RUFF = Path(sysconfig.get_path("scripts")) / "ruff"


def test_emits_the_golden_file(spec: Path, rewrite: bool) -> None:
    golden = GOLDEN / f"{spec.stem}.py"
    source = mg.load(spec).source()
    if rewrite:
        golden.write_text(source)
    assert source == golden.read_text()


def test_ruff_has_no_finding() -> None:
    files = sorted(map(str, GOLDEN.glob("*.py")))
    options = ["--isolated", "--no-cache", "--line-length", "100"]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [RUFF, *command, *options, *files], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_files_run_without_mimgraph(tmp_path: Path) -> None:
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
    files = sorted(map(str, GOLDEN.glob("*.py")))
    done = subprocess.run(
        [sys.executable, "-c", script, *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
