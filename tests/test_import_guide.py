"""docs/import.md is up to date: its commands print and write what it shows; `--rewrite` writes it anew."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from mimgraph.cli import main
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "import.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with `my_model.py`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "my_model.py").write_text(blocks("python")[0])
    monkeypatch.delitem(sys.modules, "my_model", raising=False)
    return tmp_path


COMMAND = re.compile(r"^\$ mimgraph (.*)\n((?:[^$`\n].*\n)*)", re.MULTILINE)


def test_the_commands_print_what_is_shown(
    folder: Path, capsys: pytest.CaptureFixture[str], rewrite: bool
) -> None:
    def run(shown: re.Match[str]) -> str:
        assert main(shlex.split(shown[1])) == 0
        return f"$ mimgraph {shown[1]}\n{capsys.readouterr().out}"

    guide = COMMAND.sub(run, GUIDE)
    spec = (folder / "net.yaml").read_text()
    guide = guide.replace(blocks("yaml")[0], spec)
    if rewrite:
        (ROOT / "docs" / "import.md").write_text(guide)
    assert guide == (ROOT / "docs" / "import.md").read_text()
    assert (folder / "net.svg").exists()


def test_the_code_writes_the_same_spec(folder: Path) -> None:
    namespace: dict[str, object] = {}
    exec(blocks("python")[1], namespace)  # noqa: S102 - what the guide tells users to run
    main(
        [
            "import",
            "my_model.py:Net",
            "--input",
            "text=T:vocab=1000",
            "--input",
            "numeric=5",
            "-o",
            "b.yaml",
        ]
    )
    assert (folder / "net.yaml").read_text() == (folder / "b.yaml").read_text()


def test_the_options_are_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "--help"]) == 0
    known = capsys.readouterr().out
    named = set(re.findall(r"`(--\w+)", GUIDE)) | set(re.findall(r" (--\w+) ", GUIDE))
    assert len(named) > 6 and all(option in known for option in named)
