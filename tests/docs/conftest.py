"""The built manual, which all tests share that look at it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest
from filelock import FileLock

from tests.conftest import ROOT, needed

if str(ROOT / "docs") not in sys.path:
    sys.path.append(str(ROOT / "docs"))  # tests import the extension of Sphinx


class Site(NamedTuple):
    """The folder of the pages, and what Sphinx printed, which is nothing if all is well."""

    folder: Path
    printed: str

    def pages(self) -> list[Path]:
        """Return the pages, in a steady order."""
        found = sorted(self.folder.rglob("*.html"))
        return [path for path in found if "_static" not in path.parts]  # templates of the theme


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build the manual as its readers do, once for all processes of the tests."""
    needed("sphinx")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, log = shared / "manual", shared / "manual.log"
    with FileLock(shared / "manual.lock"):
        if not log.exists():
            command = ["-m", "sphinx", "-q", "-W", "--keep-going", "-j", "2", "docs", str(folder)]
            done = subprocess.run(
                [sys.executable, *command],
                cwd=ROOT,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            log.write_text(done.stdout or ("" if done.returncode == 0 else "failed"))
    return Site(folder, log.read_text())


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="session")
def address(site: Site) -> Iterator[str]:
    """Return the address at which the manual is served: a search reads its index by requests."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site.folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
