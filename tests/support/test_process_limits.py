"""A process whose memory and time are limited cannot take more."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

IMPORT = "from mimgraph.support.limited_process import limit_process; "


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", IMPORT + code]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="others have no such limit")
def test_memory_is_limited() -> None:
    assert run("limit_process(1 << 28); bytearray(1 << 29)").stderr.endswith("MemoryError\n")
    assert run("limit_process(1 << 28); bytearray(1 << 26)").returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_time_is_limited() -> None:
    assert run("limit_process(1 << 30, 1)\nwhile True: pass").returncode < 0
