"""Programs from npm for tests; npm and node are installed by the extra test-all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import missing

PLACES = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def npm(folder: Path, *words: str) -> None:
    """Run an npm command in a folder; skip the test if that is impossible."""
    program = shutil.which("npm", path=PLACES)
    if program is None:
        missing("there is no npm")
    environment = {**os.environ, "PATH": PLACES}
    done = subprocess.run(
        [program, *words], cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        missing(f"npm cannot {' '.join(words)}: {done.stderr}")


def install(folder: Path, package: str) -> None:
    """Install a package into the `node_modules` of a folder."""
    npm(folder, "install", "--no-save", "--ignore-scripts", "--prefix", str(folder), package)
