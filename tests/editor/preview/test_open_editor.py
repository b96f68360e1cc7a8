"""The command that opens a line is the user's, or of a known editor, and runs without a shell."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from mimgraph.editor.preview import open_editor
from mimgraph.editor.preview.open_editor import editor_command, open_line
from tests.helpers.cases import each


@pytest.fixture(autouse=True)
def every_editor_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_editor.shutil, "which", lambda name: f"/bin/{name}")


@each(
    "given, environment, command",
    [
        ("ed {file} {line}", {}, ["ed", "{file}", "{line}"]),
        ("code", {}, ["code", "-g", "{file}:{line}:{column}"]),
        (None, {"EDITOR": "vim"}, None),  # it needs a terminal
        (None, {}, None),
        (None, {"EDITOR": "vim", "VISUAL": "zed"}, ["zed", "{file}:{line}:{column}"]),
        (
            None,
            {"EDITOR": "vim", "TERM_PROGRAM": "vscode"},
            ["code", "-g", "{file}:{line}:{column}"],
        ),
        (
            None,
            {"VISUAL": "emacsclient -c"},
            ["emacsclient", "-c", "-n", "+{line}:{column}", "{file}"],
        ),
    ],
)
def test_the_command(
    given: str | None, environment: dict[str, str], command: list[str] | None
) -> None:
    assert editor_command(given, environment) == command


def test_a_command_without_a_file_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs \{file\}"):
        editor_command("frob", {})


def test_a_name_is_no_code(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "import sys; open(sys.argv[1], 'w').write(repr(sys.argv[2:]))"
    command = [sys.executable, "-c", script, str(log), "{file}:{line}", "{column}"]
    open_line(command, "/a b/$(touch x);{line}.yaml", 3, 4)
    while not (log.exists() and log.read_text()):
        time.sleep(0.01)
    assert log.read_text() == "['/a b/$(touch x);{line}.yaml:3', '4']"
