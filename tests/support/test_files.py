"""A file is written whole or not at all, and keeps its mode; a link stays a link, a pipe a pipe."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mimgraph.support.files import write_whole
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("data", "expected"),
    [("text", b"text"), ("größer\n", "größer\n".encode()), (b"\x00\xff", b"\x00\xff"), ("", b"")],
    ids=["text", "utf-8", "bytes", "nothing"],
)
def test_the_file_has_the_written_bytes(tmp_path: Path, data: str | bytes, expected: bytes) -> None:
    for _ in range(2):  # a new file, then the same over the old one
        write_whole(tmp_path / "file", data)
        assert (tmp_path / "file").read_bytes() == expected
        assert os.listdir(tmp_path) == ["file"]


def test_a_new_file_has_the_mode_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_whole(tmp_path / "whole", "")
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o666, 0o444], ids=oct)
def test_an_existing_file_keeps_its_mode_from_the_first_byte_on(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    before: list[tuple[int, int]] = []

    def chmod(new: Path, mode: int) -> None:
        before.append((new.stat().st_mode & 0o777, new.stat().st_size))
        os.chmod(new, mode)

    monkeypatch.setattr(Path, "chmod", chmod)
    write_whole(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", mode)
    assert before == [(0o600, 0)]  # nobody else may open it, and it is empty


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=write_whole, args=(pipe, "through"))
    writer.start()
    assert pipe.read_text() == "through"
    writer.join()
    assert pipe.is_fifo()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_whole(path, "new")
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("name", ["no/such/file", "file/below", "directory"])
def test_a_path_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "directory").mkdir()
    with pytest.raises(OSError) as caught:
        write_whole(tmp_path / name, "new")
    assert caught.value.filename == str(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["directory", "file"]


# --- killed, or the disk full: in a process of its own

WRITE = """
import itertools, sys
from mimgraph.support.files import write_whole
for letter in itertools.cycle("ab"):
    print("once more", flush=True)
    write_whole(sys.argv[1], letter * 3_000_000)
"""
FULL = """
import os, resource, sys
from mimgraph.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
sys.exit(main(sys.argv[1:]))
"""


def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    seen = set()
    for number in range(12):
        command = [sys.executable, "-c", WRITE, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(1 + number % 3):  # in the first write, the second or the third
                writer.stdout.readline()
            time.sleep(0.001 * number)
            writer.kill()
        text = path.read_text()
        assert text in ("old", "a" * 3_000_000, "b" * 3_000_000)
        seen.add(text[:3])
    assert seen - {"old"}


@pytest.mark.parametrize("output", ["model.py", "model.dot"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, output: str) -> None:
    path = tmp_path / output
    path.write_text("old")
    command = "emit" if output.endswith(".py") else "draw"
    spec = str(ROOT / "specs" / "resnet18.yaml")
    done = subprocess.run(
        [sys.executable, "-c", FULL, command, spec, "-o", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: cannot write {path}: File too large\n"
    assert os.listdir(tmp_path) == [output]
    assert path.read_text() == "old"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(PermissionError):
        write_whole(tmp_path / "file", "new")
