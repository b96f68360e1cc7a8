"""A save is seen however an editor makes it, and each only once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mimgraph.editor.preview import watched_files
from mimgraph.editor.preview.watched_files import saves


def _replace(path: Path) -> None:
    new = path.with_suffix(".tmp")
    new.write_text("new")
    new.replace(path)


def _same_time_and_size(path: Path) -> None:
    info = path.stat()
    path.write_text("olD")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


@pytest.mark.parametrize(
    "save",
    [lambda path: path.write_text("new"), _replace, _same_time_and_size, Path.unlink],
)
def test_a_save_is_seen_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[[Path], object]
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            save(path)
        if len(looks) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(watched_files.time, "sleep", sleep)
    seen = []
    with pytest.raises(KeyboardInterrupt):
        for _ in saves(lambda: [str(path)]):
            seen.append(len(looks))
    assert seen == [0, 3]


def test_a_part_that_is_new_is_no_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(tmp_path / "a.yaml")]
    monkeypatch.setattr(watched_files.time, "sleep", lambda seconds: (_ for _ in ()).throw(Done))
    found = saves(lambda: paths)
    next(found)
    paths.append(str(tmp_path / "b.yaml"))
    with pytest.raises(Done):
        next(found)


class Done(Exception):
    """Ends the endless looking."""


def test_a_save_is_seen_once_also_when_the_file_is_not_fresh_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("a")
    fresh = watched_files._state(str(path))
    monkeypatch.setattr(watched_files, "SETTLED", -1)
    assert watched_files._state(str(path), fresh) == fresh
    path.write_text("ab")
    assert watched_files._state(str(path), fresh) != fresh
