"""A closed pipe, a full disk, a closed output and Ctrl-C end a command without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mimgraph import cli
from tests.cli.conftest import SIMPLE

COMMANDS = (
    "layers --format json",
    "layers",  # less than a buffer, so written when the command has ended
    "check --help",
    f"check {SIMPLE} --format sarif",
    f"emit {SIMPLE} -o /dev/stdout",
)


def _run(words: str, **streams: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mimgraph", *words.split()]
    return subprocess.run(command, text=True, check=False, **streams)  # type: ignore[call-overload]


@pytest.fixture
def closed() -> object:
    """A pipe whose reader has ended, as `head` does."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_reader_that_has_ended_is_no_error(words: str, closed: int) -> None:
    done = _run(words, stdout=closed, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_of_errors_that_has_ended_is_no_error(closed: int) -> None:
    done = _run("chek", stdout=subprocess.PIPE, stderr=closed)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_a_full_disk_is_reported() -> None:
    with open("/dev/full", "w") as full:
        done = _run("layers", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == "error: cannot write the output: No space left on device\n"


def test_a_closed_output_is_no_error() -> None:
    line = f"{sys.executable} -m mimgraph emit {SIMPLE} >&-"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_ends_a_command(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def interrupt(words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupt)
    assert run("check", SIMPLE) == (130, "")
