"""A file is written whole or not at all, and stays what it was: its mode, a link, a pipe."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from mimgraph.files import write_whole


@pytest.mark.parametrize(
    ("data", "expected"),
    [("text", b"text"), ("größer\n", "größer\n".encode()), (b"\x00\xff", b"\x00\xff"), ("", b"")],
    ids=["text", "utf-8", "bytes", "nothing"],
)
def test_what_is_written_is_what_stands_there(
    tmp_path: Path, data: str | bytes, expected: bytes
) -> None:
    for _ in range(2):  # a new file, then the same over the old one
        write_whole(tmp_path / "file", data)
        assert (tmp_path / "file").read_bytes() == expected
        assert os.listdir(tmp_path) == ["file"]


def test_a_new_file_has_the_mode_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_whole(tmp_path / "whole", "")
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o444], ids=oct)
def test_an_existing_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    write_whole(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", mode)


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
