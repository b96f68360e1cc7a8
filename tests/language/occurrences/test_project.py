"""Which folder holds the specs that may name each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mimgraph.language.occurrences import Project, project_folder


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("work/a.yaml", "work"),
        ("work/sub/a.yaml", "work"),
        ("work/.hid/sub/a.yaml", "work/.hid"),  # no spec outside may name it
        ("work/.hid/.own/a.yaml", "work/.hid/.own"),
        ("work/sub/.a.yaml", "work"),
        ("worker/sub/a.yaml", "worker/sub"),
        (".hid/sub/a.yaml", ".hid/sub"),
        ("own/a.yaml", "own"),
    ],
)
def test_the_folder_of_a_spec(tmp_path: Path, path: str, folder: str) -> None:
    (tmp_path / "work").mkdir()
    os.symlink("work", tmp_path / "link")
    roots = [str(tmp_path / "own" / "deeper"), str(tmp_path / "link")]
    assert project_folder(str(tmp_path / path), roots) == str(tmp_path / folder)


def test_a_spec_in_a_hidden_folder_has_parts_there(tmp_path: Path) -> None:
    spec = str(tmp_path / ".hid" / "main.yaml")
    project = Project(project_folder(spec, [str(tmp_path)]))
    part = project.part_path(spec, "sub/part.yaml")
    assert part == str(tmp_path / ".hid" / "sub" / "part.yaml")
    assert project.part_path(spec, ".env") is project.part_path(spec, "../part.yaml") is None
