"""A call opens and writes nothing but specs in the folder of the server, whatever its path is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mimgraph.editor.mcp.folder import Folder, WrongCall
from tests.helpers.cases import each

LEGAL = "inputs: {x: [8]}\nnodes: {a: {layer: ReLU, from: x}}\noutputs: a\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and links of POSIX")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    found = tmp_path / "outside"
    found.mkdir()
    (found / "secret.yaml").write_text(LEGAL)
    return found


@pytest.fixture
def folder(tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    root = tmp_path / "inside"
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / ".git" / "hook.yaml").write_text(LEGAL)
    (root / "net.yaml").write_text(LEGAL)
    (root / "other.yaml").write_text("services: {web: {image: x}}\n")
    (root / "keys.env").write_text("SECRET=1")
    (root / "link.yaml").symlink_to(outside / "secret.yaml")
    (root / "near.yaml").symlink_to("net.yaml")
    (root / "away").symlink_to(outside)
    (root / "git").symlink_to(".git")
    (root / ".git" / "link.yaml").symlink_to("../net.yaml")
    (tmp_path / "alias").symlink_to(root)
    (root / "ring.yaml").symlink_to("ring.yaml")
    os.mkfifo(root / "pipe.yaml")
    (root / "device.yaml").symlink_to("/dev/zero")
    (root / "large.yaml").write_bytes(b"#" * ((1 << 20) + 1))
    (root / "book.json").write_text('{"cells": [' + '"x",' * 300_000 + '""]}')
    monkeypatch.chdir(root)
    return Folder(str(root.resolve()))


def test_specs_inside_are_read(folder: Folder) -> None:
    for path in (
        "net.yaml",
        "near.yaml",
        "./net.yaml",
        "sub/../net.yaml",
        f"{folder.root}/net.yaml",
        f"{Path(folder.root).parent}/alias/net.yaml",
    ):
        assert folder.read(path).decode() == LEGAL, path


REFUSED = [
    *("../outside/secret.yaml", "sub/../../outside/secret.yaml", "{outside}/secret.yaml"),
    *("link.yaml", "away/secret.yaml", "ring.yaml", "device.yaml", "pipe.yaml", "large.yaml"),
    *("book.json", "keys.env", ".git/hook.yaml", "sub/../.git/hook.yaml", "git/hook.yaml"),
    *(".git/link.yaml", "{inside}/.git/link.yaml", "/dev/stdin", "/proc/self/environ"),
    *("net.yaml\0.yaml", "net\n.yaml", "~/net.yaml", "missing.yaml", "sub", ".", ""),
    *("a/" * 5_000 + "b.yaml", "\ud800.yaml"),
]


@each("path", REFUSED)
def test_others_are_not_read(folder: Folder, outside: Path, path: str) -> None:
    with pytest.raises(WrongCall) as caught:
        folder.read(path.format(outside=outside, inside=folder.root))
    assert len(str(caught.value)) < 400


def test_a_path_that_no_spec_may_name_is_said_so(folder: Folder) -> None:
    for path, expected in {
        "../outside/secret.yaml": "../outside/secret.yaml is outside the folder",
        "away/secret.yaml": "away/secret.yaml is a link that leads out of the folder",
        "git/hook.yaml": "git/hook.yaml is a link to .git/hook.yaml, which is hidden",
        "keys.env": "keys.env does not end in .yaml, .yml or .json",
    }.items():
        with pytest.raises(WrongCall) as caught:
            folder.read(path)
        assert str(caught.value) == expected


@each("path", [*REFUSED[:15], "other.yaml", "nowhere/new.yaml", "new.py", "new"])
def test_others_are_not_written(folder: Folder, outside: Path, path: str) -> None:
    with pytest.raises(WrongCall):
        folder.write(path.format(outside=outside, inside=folder.root), LEGAL + "# new\n")
    assert (outside / "secret.yaml").read_text() == LEGAL
    assert [*outside.iterdir()] == [outside / "secret.yaml"]
    assert "new" not in Path("other.yaml").read_text()


@each(
    "text",
    [
        "",
        "on: push\njobs: {}\n",
        f"{LEGAL}on: push\n",
        "- a\n",
        f"{LEGAL}---\n{LEGAL}",
        "import os\n",
        '{"name": "package", "scripts": {}}',
        LEGAL + "#" * (1 << 20),
    ],
)
def test_only_specs_are_written(folder: Folder, text: str) -> None:
    with pytest.raises(WrongCall):
        folder.write("net.yaml", text)
    with pytest.raises(WrongCall):
        folder.write("sub/new.yaml", text)
    assert Path("net.yaml").read_text() == LEGAL and not os.listdir("sub")


def test_a_spec_is_written_whole(folder: Folder) -> None:
    folder.write("sub/new.yaml", LEGAL)
    folder.write("near.yaml", LEGAL + "# again\n")  # the link stays
    assert Path("sub/new.yaml").read_text() == LEGAL
    assert Path("near.yaml").is_symlink() and Path("net.yaml").read_text().endswith("# again\n")
    with pytest.raises(WrongCall, match="--read-only"):
        Folder(folder.root, read_only=True).write("net.yaml", LEGAL)


def test_the_list_has_what_may_be_read(folder: Folder) -> None:
    assert folder.specs() == (["near.yaml", "net.yaml"], True)
